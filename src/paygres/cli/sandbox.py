"""`paygres sandbox [--port P --state FILE]`: the local Stripe."""

from paygres.cli.become import become


def run(arguments: list[str]) -> int:
    """Becomes `python -m paygres.sandbox`."""
    become("paygres.sandbox", arguments)
