"""The only place that knows an error's wire shape: {error, message, statusCode, nextActions?, requestId}.
What is not one of our errors is our bug: the log gets its place, the caller a request id."""

from typing import Any

import structlog

from paygres.server.errors import PaygresError
from paygres.server.http.wire import Json

_log = structlog.get_logger("paygres.http")
_OUR_BUG = PaygresError(
    "Internal server error",
    next_actions="Try again; if it keeps failing, look for this requestId in the server's log.",
)


def render(error: Exception, request_id: str, *, method: str = "", path: str = "") -> Json:
    """The response for any exception a route raised."""
    if not isinstance(error, PaygresError):
        log_bug(error, method=method, path=path)
        error = _OUR_BUG
    body: dict[str, Any] = {
        "error": error.code,
        "message": error.message,
        "statusCode": error.status,
    }
    if error.next_actions is not None:
        body["nextActions"] = error.next_actions
    body["requestId"] = request_id
    headers = None if error.retry_after is None else {"retry-after": str(error.retry_after)}
    return Json(body, error.status, headers)


def log_bug(error: BaseException, **where: str) -> None:
    """One line with the class and the place of the fault; logs.py leaves its message out."""
    _log.error("unexpected_error", exc_info=error, **where)
