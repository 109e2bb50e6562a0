"""`paygres rebuild`: the mirrored tables anew from the ledger, with the server running or not."""

from paygres.cli.become import become


def run(arguments: list[str]) -> int:
    """Becomes `python -m paygres.server rebuild`."""
    become("paygres.server", ["rebuild", *arguments])
