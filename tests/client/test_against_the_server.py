"""The SDK against the real server and the sandbox: users, guests, fulfillment, portal, refusals."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

import paygres
from paygres.server.db.embedded import Urls
from tests.client.both import KINDS, Kind, call
from tests.flows.checkouts import ADA, Shop, shop
from tests.http.running import ANON_KEY, API_KEY, JWT_SECRET

ADA_PAYS = {"type": "user", "id": ADA}


@pytest.fixture(scope="module")
def running(postgres: Urls) -> Iterator[Shop]:
    with shop(postgres) as opened:
        yield opened


def arguments(running: Shop, **more: Any) -> dict[str, Any]:
    return {
        "mode": "payment",
        "line_items": [{"price_id": running.price, "quantity": 2}],
        "success_url": "https://shop.example.com/ok?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example.com/cart",
        **more,
    }


@pytest.fixture
def ada(running: Shop) -> Iterator[paygres.Client]:
    with paygres.create_client(running.server.url, ANON_KEY) as client:
        yield client.as_user(ADA, email="ada@example.com", jwt_secret=JWT_SECRET)


@pytest.mark.parametrize("kind", KINDS)
def test_a_guest_buys_and_waits_until_it_is_settled(running: Shop, kind: Kind) -> None:
    options = {"base_url": running.server.url, "anon_key": ANON_KEY}
    made = call(kind, "create_checkout_session", "test", options=options, **arguments(running)).checkout_session
    assert made.url is not None
    assert (made.status, made.payment_status, made.subject_id) == ("open", "unpaid", None)
    waiting = call(kind, "get_checkout_session", "test", made.id, options=options, wait=0)
    assert (waiting.settled, waiting.waits_for) == (False, "payment")
    payer = threading.Timer(0.3, lambda: running.sim("pay", session=made.checkout_session_id))
    payer.start()
    settled = call(kind, "get_checkout_session", "test", made.id, options=options, wait=20)
    payer.join()
    assert settled.settled is True
    assert settled.checkout_session.payment_status == "paid"


def test_the_same_key_gives_the_same_checkout_and_another_body_a_conflict(running: Shop, ada: paygres.Client) -> None:
    stripe = ada.payments.stripe
    first = stripe.create_checkout_session("test", **arguments(running, idempotency_key="order:sdk-1"))
    again = stripe.create_checkout_session("test", **arguments(running, idempotency_key="order:sdk-1"))
    assert again.checkout_session.id == first.checkout_session.id
    with pytest.raises(paygres.ConflictError) as raised:
        stripe.create_checkout_session(
            "test", **arguments(running, idempotency_key="order:sdk-1", customer_email="ada@example.com")
        )
    assert raised.value.error == "PAYMENT_CHECKOUT_ALREADY_EXISTS"


def test_a_subscriber_has_a_portal_and_somebody_else_is_refused(running: Shop, ada: paygres.Client) -> None:
    monthly = running.sandbox.price(recurring={"interval": "month"})
    with pytest.raises(paygres.NotFoundError) as nobody:
        ada.payments.stripe.create_customer_portal_session("test", subject=ADA_PAYS)
    assert nobody.value.error == "PAYMENT_NOT_FOUND"
    bought = ada.payments.stripe.create_checkout_session(
        "test",
        mode="subscription",
        line_items=[paygres.LineItem(price_id=monthly)],
        success_url="https://shop.example.com/ok",
        cancel_url="https://shop.example.com/no",
        subject=paygres.Subject(type="user", id=ADA),
    ).checkout_session
    running.sim("pay", session=bought.checkout_session_id)
    assert ada.payments.stripe.get_checkout_session("test", bought.id, wait=20).settled
    portal = ada.payments.stripe.create_customer_portal_session(
        "test", subject=ADA_PAYS, return_url="https://shop.example.com/account"
    ).customer_portal_session
    assert portal.url is not None
    billing = ada.payments.stripe.get_subject("test", subject=ADA_PAYS).subject
    assert [(one.granted, one.source) for one in billing.access] == [(True, "subscription")]
    assert billing.access[0].renews_at is not None
    bob = ada.as_user("user_bob", jwt_secret=JWT_SECRET).payments.stripe
    with pytest.raises(paygres.PermissionDeniedError) as refused:
        bob.create_checkout_session("test", **arguments(running, subject=ADA_PAYS))
    assert (refused.value.rls_denied, refused.value.table) == (True, "payments.stripe_checkout_sessions")
    assert "can_bill" in (refused.value.hint or "")
    with pytest.raises(paygres.PermissionDeniedError):
        bob.get_subject("test", subject=ADA_PAYS)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_server_refuses_is_told_by_class(running: Shop, kind: Kind) -> None:
    def fails(method: str, *given: Any, key: str | None = ANON_KEY, token: str | None = None, **more: Any) -> Any:
        options = {"base_url": running.server.url, "anon_key": key}
        _, error = call(kind, f"with_result.{method}", *given, options=options, token=token, **more)
        return type(error), error.error

    checkout = arguments(running)
    unknown = [{"price_id": "price_1Unknown"}]
    assert fails("create_checkout_session", "test", key=None, **checkout)[0] is paygres.AuthenticationError
    assert fails("create_checkout_session", "test", token="no.jwt.1", **checkout) == (
        paygres.AuthenticationError,
        "AUTH_UNAUTHORIZED",
    )
    assert fails("create_checkout_session", "live", **checkout)[0] is paygres.ConfigurationError
    assert fails("create_checkout_session", "test", **{**checkout, "line_items": unknown}) == (
        paygres.UpstreamError,
        "UPSTREAM_FAILURE",
    )
    assert fails("create_checkout_session", "test", **{**checkout, "success_url": "no url"}) == (
        paygres.ValidationError,
        "INVALID_INPUT",
    )
    assert fails("get_checkout_session", "test", "cs_test_unknown")[0] is paygres.NotFoundError
    assert API_KEY not in str(checkout)
