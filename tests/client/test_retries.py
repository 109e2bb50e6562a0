"""What is sent again: exactly what the TypeScript SDK sends again."""

import time
from typing import Any

import pytest

import paygres
from tests.client.both import CHECKOUT, KINDS, Kind, call
from tests.client.scripted import CREATED, PORTAL, RESET, Answer, scripted

FAILED = [500, 502, 503, 504]
KEYED = {**CHECKOUT, "idempotency_key": "order:o1"}


def failing(status: int) -> Answer:
    return Answer(status, {"error": "INTERNAL_ERROR", "message": "broken", "statusCode": status})


def options(url: str, **more: Any) -> dict[str, Any]:
    return {"base_url": url, "retry_delay": 0.01, **more}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", FAILED)
def test_a_keyed_checkout_is_sent_again_until_it_succeeds(kind: Kind, status: int) -> None:
    with scripted(failing(status), failing(status), failing(status), Answer()) as server:
        answer = call(kind, "create_checkout_session", "test", options=options(server.url), **KEYED)
    assert answer.checkout_session.id == CREATED["checkoutSession"]["id"]
    assert len(server.asked) == 4
    assert len({str(one.body) for one in server.asked}) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_after_three_retries_the_last_failure_is_told(kind: Kind) -> None:
    with scripted(failing(503)) as server, pytest.raises(paygres.ServerError) as failure:
        call(kind, "create_checkout_session", "test", options=options(server.url), **KEYED)
    assert (len(server.asked), failure.value.status_code, failure.value.retryable) == (4, 503, True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [failing(500), RESET])
def test_a_checkout_without_a_key_is_sent_once(kind: Kind, first: Answer | str) -> None:
    with scripted(first, Answer()) as server, pytest.raises(paygres.PaygresError):
        call(kind, "create_checkout_session", "test", options=options(server.url), **CHECKOUT)
    assert len(server.asked) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [failing(500), RESET])
def test_a_portal_is_never_sent_again(kind: Kind, first: Answer | str) -> None:
    with scripted(first, Answer(body=PORTAL)) as server, pytest.raises(paygres.PaygresError):
        call(
            kind,
            "create_customer_portal_session",
            "test",
            options=options(server.url),
            subject={"type": "user", "id": "u1"},
        )
    assert len(server.asked) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_reading_is_sent_again_and_a_broken_connection_is_too(kind: Kind) -> None:
    with scripted(failing(502), RESET, Answer(200)) as server:
        answer = call(kind, "get_checkout_session", "test", "cs_1", options=options(server.url))
    assert len(server.asked) == 3
    assert answer.checkout_session.status == "open"


@pytest.mark.parametrize("kind", KINDS)
def test_a_timeout_is_never_sent_again(kind: Kind) -> None:
    with scripted(Answer(delay=0.5)) as server, pytest.raises(paygres.RequestTimeoutError) as failure:
        call(kind, "create_checkout_session", "test", options=options(server.url, timeout=0.1), **KEYED)
    assert (len(server.asked), failure.value.status_code, failure.value.error) == (1, 408, "REQUEST_TIMEOUT")
    assert failure.value.message == "Request timed out after 0.1 s"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [429, 400, 401, 409, 501])
def test_other_refusals_are_never_sent_again(kind: Kind, status: int) -> None:
    with scripted(failing(status)) as server, pytest.raises(paygres.PaygresError):
        call(kind, "create_checkout_session", "test", options=options(server.url), **KEYED)
    assert len(server.asked) == 1


def test_max_retries_0_is_once() -> None:
    with scripted(failing(500)) as server, pytest.raises(paygres.ServerError):
        call("sync", "create_checkout_session", "test", options=options(server.url, max_retries=0), **KEYED)
    assert len(server.asked) == 1


def test_pauses_double_within_15_percent() -> None:
    with scripted(failing(500)) as server, paygres.create_client(server.url, retry_delay=0.1) as client:
        began = time.monotonic()
        data, error = client.payments.stripe.with_result.create_checkout_session("test", **KEYED)
        took = time.monotonic() - began
    assert data is None
    assert isinstance(error, paygres.ServerError)
    assert took >= 0.7 * 0.85
