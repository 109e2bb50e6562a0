"""`paygres serve [--host H --port P --no-worker]`: the API server."""

from paygres.cli.become import become


def run(arguments: list[str]) -> int:
    """Becomes `python -m paygres.server serve`."""
    become("paygres.server", ["serve", *arguments])
