"""`python3 run.py chaos [--deliveries 10000] [--seed 1]`: the long form of the crash proof. Exit code 1 when something
was lost, given twice or ended differently; what, and the folder with the logs, is printed then. Tells of every kill."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.crashes.report import told
from tests.crashes.run import Plan, prove

# Many stand in line for the leases of the dead; the others come every few seconds, so that there are deliveries all the
# time that the killing takes.
BUYERS, REST = 12, 3.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 run.py chaos", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=10_000, help="so many at least (default: %(default)s)")
    parser.add_argument("--kills", type=int, help="so many at least (default: until every target had its turn)")
    parser.add_argument("--seconds", type=float, default=3600, help="the storm lasts no longer (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hurry", action="store_true", help="do not wait for leases of the dead, as the suite's form")
    parser.add_argument("--beside", action="store_true", help="with another server and worker, whom nobody kills")
    parser.add_argument("--keep", action="store_true", help="keep the logs even when all is well")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="paygres-chaos-"))
    folder.chmod(0o711)
    well = False
    try:
        plan = Plan(
            given.seed,
            given.deliveries,
            given.kills,
            given.seconds,
            hurry=given.hurry,
            buyers=BUYERS,
            rest=REST,
            beside=given.beside,
        )
        report = prove(plan, folder, lambda sentence: print(sentence, file=sys.stderr, flush=True))
        print(told(report, history=False))
        well = not report.faults
    finally:
        if well and not given.keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"The logs are in {folder}", file=sys.stderr)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
