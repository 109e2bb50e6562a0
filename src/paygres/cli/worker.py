"""`paygres worker`: retries and background work without the API."""

from paygres.cli.become import become


def run(arguments: list[str]) -> int:
    """Becomes `python -m paygres.server worker`."""
    become("paygres.server", ["worker", *arguments])
