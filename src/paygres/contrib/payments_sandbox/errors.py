"""How using the sandbox fails."""


class SandboxError(Exception):
    """What went wrong, in sentences; the sandbox's last log lines follow when they may explain it. `status` and `code`
    are those of its answer, when it answered."""

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None, log: str = "") -> None:
        super().__init__(f"{message}\n\nThe sandbox's log ends with:\n{log}" if log else message)
        self.message = message
        self.status = status
        self.code = code


class Declined(SandboxError):
    """A payment was declined, as the card's bank or the test wanted it. `code` is Stripe's error code, such as
    `card_declined` or `expired_card`; `decline_code` says more, such as `insufficient_funds`."""

    def __init__(self, message: str, *, code: str | None, decline_code: str | None) -> None:
        super().__init__(message, status=402, code=code)
        self.decline_code = decline_code


class TooLate(SandboxError):
    """What was waited for did not happen in time; the message says what did."""
