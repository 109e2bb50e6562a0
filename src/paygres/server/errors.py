"""One error tree: the class says what happened, the code is the contract's stable string,
the message is one sentence a person can act on. Only http/render_errors.py knows the wire shape."""


class PaygresError(Exception):
    """Base of everything a caller may be told. `status` is the HTTP status it is answered with."""

    status = 500
    code = "INTERNAL_ERROR"
    next_actions: str | None = None
    retry_after: int | None = None

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        next_actions: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status
        if next_actions is not None:
            self.next_actions = next_actions
        if retry_after is not None:
            self.retry_after = retry_after


class InvalidRequest(PaygresError):
    """The request itself is wrong; sending it again unchanged cannot help."""

    status = 400
    code = "INVALID_INPUT"


class PayloadTooLarge(PaygresError):
    """The body is over the limit of its route."""

    status = 413
    code = "PAYLOAD_TOO_LARGE"


class Authentication(PaygresError):
    """No credential, or one that does not hold."""

    status = 401
    code = "AUTH_INVALID_CREDENTIALS"


class PermissionDenied(PaygresError):
    """A known caller who may not do this (row-level security included)."""

    status = 403
    code = "AUTH_UNAUTHORIZED"


class NotFound(PaygresError):
    """The named thing does not exist, or is not visible to this caller."""

    status = 404
    code = "NOT_FOUND"


class Idempotency(PaygresError):
    """The idempotency key belongs to another request."""

    status = 409
    code = "PAYMENT_CHECKOUT_ALREADY_EXISTS"


class Card(PaygresError):
    """Stripe declined the payment method."""

    status = 402
    code = "PAYMENT_METHOD_DECLINED"


class RateLimit(PaygresError):
    """Too many requests; `retry_after` (seconds) is sent as Retry-After. `named`: Stripe said how long.

    `definite` is false when an attempt before this refusal went unanswered: Stripe may have done what it asked for.
    """

    status = 429
    code = "RATE_LIMITED"
    retry_after = 1
    named = False
    definite = True


class Unavailable(PaygresError):
    """We cannot answer now (a lock, a full queue); `retry_after` (seconds) is sent as Retry-After."""

    status = 503
    code = "SERVICE_UNAVAILABLE"
    retry_after = 1


class Upstream(PaygresError):
    """Stripe refused the request or could not be reached.

    `definite` is true when Stripe surely did nothing (it answered with an error that is not a
    conflict or a server fault); false when the outcome is unknown and the same request must be resumed.
    """

    status = 502
    code = "UPSTREAM_FAILURE"

    def __init__(self, message: str, *, definite: bool = False, **more: object) -> None:
        super().__init__(message, **more)  # type: ignore[arg-type]
        self.definite = definite


class NotConfigured(PaygresError):
    """The environment has no (usable) Stripe key."""

    status = 400
    code = "PAYMENT_CONFIG_INVALID"
