"""Every failure is one class, decided by the code where it says more than the status; values instead when wanted."""

from typing import Any

import pytest

import paygres
from tests.client.both import CHECKOUT, KINDS, Kind, call
from tests.client.scripted import RESET, Answer, scripted

DENIED = "Checkout session creation is not allowed by payments.stripe_checkout_sessions RLS policies"
# (HTTP status, body's code, class, retryable)
TABLE: list[tuple[int, str, type[paygres.PaygresError], bool]] = [
    (400, "INVALID_INPUT", paygres.ValidationError, False),
    (401, "AUTH_UNAUTHORIZED", paygres.AuthenticationError, False),
    (401, "AUTH_INVALID_CREDENTIALS", paygres.AuthenticationError, False),
    (402, "PAYMENT_METHOD_DECLINED", paygres.PaymentError, False),
    (403, "AUTH_UNAUTHORIZED", paygres.PermissionDeniedError, False),
    (404, "PAYMENT_NOT_FOUND", paygres.NotFoundError, False),
    (404, "PAYMENT_PRICE_NOT_FOUND", paygres.NotFoundError, False),
    (409, "PAYMENT_CHECKOUT_ALREADY_EXISTS", paygres.ConflictError, False),
    (429, "RATE_LIMITED", paygres.RateLimitError, True),
    (400, "PAYMENT_CONFIG_NOT_FOUND", paygres.ConfigurationError, False),
    (502, "PAYMENT_CONFIG_INVALID", paygres.ConfigurationError, False),
    (401, "PAYMENT_CONFIG_INVALID", paygres.ConfigurationError, False),
    (502, "UPSTREAM_FAILURE", paygres.UpstreamError, True),
    (400, "UPSTREAM_FAILURE", paygres.UpstreamError, False),
    (500, "INTERNAL_ERROR", paygres.ServerError, True),
    (503, "SERVICE_UNAVAILABLE", paygres.ServerError, True),
    (501, "NOT_IMPLEMENTED", paygres.ServerError, False),
    (418, "TEAPOT", paygres.PaygresError, False),
]


def failure_of(kind: Kind, *answers: Answer | str, **options: Any) -> paygres.PaygresError:
    with scripted(*answers) as server, pytest.raises(paygres.PaygresError) as raised:
        call(kind, "create_checkout_session", "test", options={"base_url": server.url, **options}, **CHECKOUT)
    return raised.value


@pytest.mark.parametrize(("status", "code", "expected", "retryable"), TABLE)
def test_each_answer_is_its_class(
    status: int, code: str, expected: type[paygres.PaygresError], retryable: bool
) -> None:
    body = {"error": code, "message": "why", "statusCode": status, "nextActions": "do that", "requestId": "req_1"}
    error = failure_of("sync", Answer(status, body, {"retry-after": "7"}))
    assert type(error) is expected
    assert (error.status_code, error.error, error.message, error.retryable) == (status, code, "why", retryable)
    assert (error.next_actions, error.request_id, error.raw) == ("do that", "req_1", body)
    assert str(error) == f"[{code}] why Next: do that (req_1)"
    if isinstance(error, paygres.RateLimitError):
        assert error.retry_after == 7.0


def test_a_refusal_by_a_policy_names_its_table() -> None:
    body = {"error": "AUTH_UNAUTHORIZED", "message": DENIED, "statusCode": 403, "nextActions": "can_bill is false"}
    error = failure_of("sync", Answer(403, body))
    assert isinstance(error, paygres.PermissionDeniedError)
    assert (error.rls_denied, error.table, error.hint) == (
        True,
        "payments.stripe_checkout_sessions",
        "can_bill is false",
    )


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("lineItems.0.quantity: Number must be greater than 0", "lineItems.0.quantity"),
        ("No good: at all", None),
        ("x", None),
    ],
)
def test_a_refused_field_is_named(message: str, field: str | None) -> None:
    error = failure_of("sync", Answer(400, {"error": "INVALID_INPUT", "message": message, "statusCode": 400}))
    assert isinstance(error, paygres.ValidationError)
    assert error.field == field


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(502, b"<html>", {"content-type": "text/html"}), (paygres.ServerError, 502, "REQUEST_FAILED")),
        (Answer(404, b"", {}), (paygres.NotFoundError, 404, "REQUEST_FAILED")),
        (Answer(418, ["no", "object"]), (paygres.PaygresError, 418, "REQUEST_FAILED")),
        (Answer(201, b"not json"), (paygres.ServerError, 201, "PARSE_ERROR")),
        (Answer(201, {"something": "else"}), (paygres.ServerError, 201, "PARSE_ERROR")),
        (Answer(400, {"error": "X", "message": "m", "statusCode": 409}), (paygres.ConflictError, 409, "X")),
        (RESET, (paygres.NetworkError, 0, "NETWORK_ERROR")),
    ],
)
def test_answers_that_are_none_of_ours(kind: Kind, answer: Answer | str, expected: tuple[Any, int, str]) -> None:
    error = failure_of(kind, answer)
    assert (type(error), error.status_code, error.error) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_listens(kind: Kind) -> None:
    with pytest.raises(paygres.NetworkError, match=r"127\.0\.0\.1:9") as raised:
        call(kind, "create_checkout_session", "test", options={"base_url": "http://127.0.0.1:9"}, **CHECKOUT)
    assert raised.value.retryable


@pytest.mark.parametrize("kind", KINDS)
def test_results_carry_the_error_as_a_value(kind: Kind) -> None:
    body = {"error": "PAYMENT_NOT_FOUND", "message": "none", "statusCode": 404}
    portal = {"subject": {"type": "user", "id": "u1"}}
    with scripted(Answer(404, body)) as server:
        method = "with_result.create_customer_portal_session"
        data, error = call(kind, method, "test", options={"base_url": server.url}, **portal)
        missing = call(kind, "with_result.get_subject", "prod", options={"base_url": server.url}, **portal)
    assert data is None
    assert isinstance(error, paygres.NotFoundError)
    assert isinstance(missing.error, paygres.ValidationError)
    with scripted() as server:
        done = call(kind, "with_result.create_checkout_session", "test", options={"base_url": server.url}, **CHECKOUT)
    assert done.error is None
    assert done.data.checkout_session.status == "open"
