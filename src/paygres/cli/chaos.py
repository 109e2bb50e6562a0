"""`paygres chaos`: your triggers and listeners against disturbed histories, in a database of its own."""

from paygres.cli.become import become


def run(arguments: list[str]) -> int:
    """Becomes `python -m paygres.server chaos`."""
    become("paygres.server", ["chaos", *arguments])
