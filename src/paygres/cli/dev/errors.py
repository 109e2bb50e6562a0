"""The one way `paygres dev` fails: a sentence for the person, an exit code for the program."""


class DevError(Exception):
    """`exit_code` 12: a part could not be started or ended by itself; 1: a setting, or the purchase."""

    def __init__(self, message: str, *, exit_code: int = 12) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Stop(BaseException):
    """SIGTERM or Ctrl-C: leave, in order."""
