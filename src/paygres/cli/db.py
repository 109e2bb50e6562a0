"""`paygres db migrate`: the database commands."""

import sys

from paygres.cli.become import become

USAGE = """usage: paygres db migrate

Brings the database in PAYGRES_DATABASE_URL_DIRECT or DATABASE_URL to this version. Run it as the owner;
PAYGRES_SERVER_ROLE names the weaker login role the server will use. Running it again changes nothing."""


def run(arguments: list[str]) -> int:
    """Becomes `python -m paygres.server migrate`."""
    if arguments[:1] != ["migrate"] or "--help" in arguments or "-h" in arguments:
        asked = any(word in arguments for word in ("--help", "-h"))
        print(USAGE, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 64
    become("paygres.server", arguments)
