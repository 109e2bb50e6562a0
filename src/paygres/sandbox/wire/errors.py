"""What Stripe says when it refuses: one exception whose fields are the wire's error object, and the refusals that
several objects share. Texts are Stripe's own where one is known."""

from typing import Any

DOCS = "https://stripe.com/docs/error-codes/"
RATE_LIMITED = (
    "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits."
)


class Refusal(Exception):
    """A request answered with `{"error": {...}}` and `status`. `stored` says whether an idempotency key remembers
    it: refusals before the endpoint began to work (syntax, unknown parameters, authentication) are not."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        stored: bool = True,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.stored = stored
        self.headers = headers or {}
        error: dict[str, Any] = {"message": message, "type": type}
        if code is not None:
            error["code"] = code
            error["doc_url"] = DOCS + code.replace("_", "-")
        if param is not None:
            error["param"] = param
        error.update({key: value for key, value in more.items() if value is not None})
        self.error = error


def bad_parameter(message: str, param: str, code: str | None = None) -> Refusal:
    """A parameter that cannot be read as what it should be: refused before any work, never stored under a key."""
    return Refusal(message, param=param, code=code, stored=False)


def missing_parameter(param: str) -> Refusal:
    return bad_parameter(f"Missing required param: {param}.", param, "parameter_missing")


def no_such(noun: str, id: str, param: str, status: int = 400) -> Refusal:
    """An id that names nothing: 404 when it is the path's, 400 when it is a parameter's."""
    return Refusal(f"No such {noun}: '{id}'", status=status, code="resource_missing", param=param)


def rate_limited(reason: str) -> Refusal:
    """Stripe's 429. `reason`: `global-rate`, `endpoint-rate` or `resource-specific`. Remembered by no key."""
    headers = {"Stripe-Rate-Limited-Reason": reason}
    return Refusal(RATE_LIMITED, status=429, code="rate_limit", stored=False, headers=headers)


def locked() -> Refusal:
    """Stripe's other 429: somebody else holds the object."""
    return Refusal(
        "This object cannot be accessed right now because another API request or Stripe process is currently accessing "
        "it. If you see this error intermittently, retry the request. If you see this error frequently and are making "
        "multiple concurrent requests to a single object, make your requests serially or at a lower rate. For more "
        "details, see https://stripe.com/docs/rate-limits#object-lock-timeouts.",
        status=429,
        code="lock_timeout",
        stored=False,
    )


def unrecognized_url(method: str, path: str, known_to_stripe: bool) -> Refusal:
    told = " This endpoint exists at Stripe; the sandbox does not simulate it." if known_to_stripe else ""
    return Refusal(
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        f"https://support.stripe.com/.{told}",
        status=404,
        stored=False,
    )
