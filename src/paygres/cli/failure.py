"""The one way a command fails: a sentence for the person, a code and an exit code for the program."""

from typing import Any

from paygres.cli import exit_codes


class Failure(Exception):
    """`next_actions` is what to do about it. `status` and `request_id` are there when the server answered."""

    def __init__(
        self,
        message: str,
        *,
        exit_code: int = exit_codes.GENERAL,
        code: str | None = None,
        status: int | None = None,
        next_actions: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.code = code
        self.status = status
        self.next_actions = next_actions
        self.request_id = request_id

    def as_json(self) -> dict[str, Any]:
        """The object that --json writes to stderr; what is not known is left out."""
        known = {
            "error": self.message,
            "code": self.code,
            "statusCode": self.status,
            "nextActions": self.next_actions,
            "requestId": self.request_id,
            "exitCode": self.exit_code,
        }
        return {name: value for name, value in known.items() if value is not None}


class Misused(Failure):
    """The command line itself is wrong; nothing was sent."""

    def __init__(self, message: str, *, next_actions: str | None = None) -> None:
        super().__init__(message, exit_code=exit_codes.USAGE, code="USAGE", next_actions=next_actions)
