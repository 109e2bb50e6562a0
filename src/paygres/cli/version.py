"""`paygres version`: which version is installed."""

from paygres import __version__


def run(arguments: list[str]) -> int:
    """Prints `paygres 0.1.0`."""
    print(f"paygres {__version__}")
    return 0
