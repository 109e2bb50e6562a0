"""Every way a call can fail, and how an answer of the server becomes one of them.

The code in the body decides where it says more than the status (a Stripe key that is refused arrives as 502 or 400 and
is no expired user token); else the status does.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

RETRYABLE = frozenset({500, 502, 503, 504})
_RLS = re.compile(r"not allowed by (payments\.\w+) RLS policies")


class PaygresError(Exception):
    """The root of all. `status_code` is the HTTP status (0: no answer), `error` the server's code, `next_actions` what
    to do about it, `request_id` what the server's log calls the request, `raw` the body of the answer."""

    retryable = False
    """Whether the same call may succeed later without a change."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        error: str,
        next_actions: str | None = None,
        request_id: str | None = None,
        raw: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.error = error
        self.next_actions = next_actions
        self.request_id = request_id
        self.raw = raw

    def __str__(self) -> str:
        text = f"[{self.error}] {self.message}"
        if self.next_actions:
            text += f" Next: {self.next_actions}"
        return f"{text} ({self.request_id})" if self.request_id else text


InsforgeError = PaygresError


class ValidationError(PaygresError):
    """400: an argument is wrong. `field` is its name (`line_items.0.quantity`), None when the server names none."""

    def __init__(self, message: str, *, field: str | None = None, **more: Any) -> None:
        super().__init__(message, **_merged({"status_code": 400, "error": "INVALID_INPUT"}, more))
        self.field = field


class AuthenticationError(PaygresError):
    """401: no token, or one that does not hold; `AUTH_UNAUTHORIZED` also for an expired one: get a new one."""


class PermissionDeniedError(PaygresError):
    """403. `rls_denied`: a policy of `table` refused it; `hint` says which of the four causes it was."""

    def __init__(self, message: str, **more: Any) -> None:
        super().__init__(message, **more)
        found = _RLS.search(message)
        self.rls_denied = found is not None
        self.table = found.group(1) if found else None
        self.hint = self.next_actions


class NotFoundError(PaygresError):
    """404: `PAYMENT_NOT_FOUND`, `PAYMENT_PRICE_NOT_FOUND`, `PAYMENT_PRODUCT_NOT_FOUND`; `NOT_FOUND` for a path."""


class ConflictError(PaygresError):
    """409: `PAYMENT_CHECKOUT_ALREADY_EXISTS` when an idempotency key was used for another request."""


class ConfigurationError(PaygresError):
    """The server's Stripe key or webhook is missing or refused (`PAYMENT_CONFIG_…`): an operator's to mend."""


class UpstreamError(PaygresError):
    """`UPSTREAM_FAILURE`: Stripe refused the request or could not be reached."""

    def __init__(self, message: str, **more: Any) -> None:
        super().__init__(message, **more)
        self.retryable = self.status_code in RETRYABLE


class PaymentError(PaygresError):
    """402: `PAYMENT_METHOD_DECLINED`."""


class RateLimitError(PaygresError):
    """429. `retry_after` is in seconds, None when the server does not say. Never tried again by this SDK."""

    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, **more: Any) -> None:
        super().__init__(message, **more)
        self.retry_after = retry_after


class ServerError(PaygresError):
    """5xx, or an answer that is no JSON (`PARSE_ERROR`)."""

    def __init__(self, message: str, **more: Any) -> None:
        super().__init__(message, **more)
        self.retryable = self.status_code in RETRYABLE


class NetworkError(PaygresError):
    """No answer: the server could not be reached, or the connection broke."""

    retryable = True

    def __init__(self, message: str) -> None:
        super().__init__(message, status_code=0, error="NETWORK_ERROR")


class RequestTimeoutError(PaygresError):
    """No answer in time. Never tried again by this SDK: the request may have been carried out."""

    retryable = True

    def __init__(self, message: str) -> None:
        super().__init__(message, status_code=408, error="REQUEST_TIMEOUT")


_BY_STATUS: dict[int, type[PaygresError]] = {
    400: ValidationError,
    401: AuthenticationError,
    402: PaymentError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: ValidationError,
    429: RateLimitError,
}
_BY_CODE: dict[str, type[PaygresError]] = {
    "PAYMENT_CONFIG_INVALID": ConfigurationError,
    "PAYMENT_CONFIG_NOT_FOUND": ConfigurationError,
    "UPSTREAM_FAILURE": UpstreamError,
    "PAYMENT_METHOD_DECLINED": PaymentError,
}


def from_answer(status: int, headers: Mapping[str, str], body: Any) -> PaygresError:
    """The error of an answer that is not 2xx. `body` is the parsed JSON, None when it was none."""
    told: dict[str, Any] = body if isinstance(body, dict) and body.get("error") else {}
    code = str(told.get("error") or "REQUEST_FAILED")
    status = _whole(told.get("statusCode")) or status
    message = str(told.get("message") or f"Request failed: {_phrase(status)}")
    more: dict[str, Any] = {
        "status_code": status,
        "error": code,
        "next_actions": told.get("nextActions"),
        "request_id": told.get("requestId") or headers.get("x-request-id"),
        "raw": body,
    }
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status) or (ServerError if status >= 500 else PaygresError)
    if kind is RateLimitError:
        return RateLimitError(message, retry_after=_seconds(headers.get("retry-after")), **more)
    if kind is ValidationError:
        field, colon, _ = message.partition(": ")
        return ValidationError(message, field=field if colon and " " not in field else None, **more)
    return kind(message, **more)


def unparsable(status: int, headers: Mapping[str, str]) -> PaygresError:
    """A 2xx whose body is not the JSON it claims to be."""
    return ServerError(
        "The answer could not be read as JSON", status_code=status, error="PARSE_ERROR",
        request_id=headers.get("x-request-id"),
    )  # fmt: skip


def _merged(defaults: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {**defaults, **more}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return str(status)


def _seconds(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value is not None else None
    except ValueError:
        return None
