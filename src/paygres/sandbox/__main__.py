"""`python -m paygres.sandbox`: starts the sandbox, prints one JSON line when it is ready, stops on SIGTERM."""

import sys

from paygres.sandbox.options import read_settings


def main() -> int:
    settings = read_settings(sys.argv[1:])
    from paygres.sandbox.process import run  # everything else, which --help and mistakes do not wait for

    return run(settings)


if __name__ == "__main__":
    sys.exit(main())
