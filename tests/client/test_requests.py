"""What goes over the wire: that of the published TypeScript SDK, whichever way the arguments were written."""

from typing import Any

import pytest

import paygres
from tests.client.both import CHECKOUT, KINDS, Kind, call
from tests.client.scripted import CREATED, PORTAL, SESSION, Answer, scripted

WIRE = {
    "mode": "payment",
    "lineItems": [{"priceId": "price_1Example", "quantity": 2}],
    "successUrl": "https://shop.example.com/ok?s={CHECKOUT_SESSION_ID}",
    "cancelUrl": "https://shop.example.com/cart",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkout_is_sent_as_the_typescript_sdk_sends_it(kind: Kind) -> None:
    with scripted() as server:
        answer = call(
            kind,
            "create_checkout_session",
            "test",
            options={"base_url": server.url + "/", "anon_key": "anon_1"},
            **CHECKOUT,
            subject={"type": "team", "id": "t1"},
            customer_email="ada@example.com",
            metadata={"order_id": "o1"},
            idempotency_key="order:o1",
        )
    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/api/payments/stripe/test/checkout-sessions")
    assert asked.body == {
        **WIRE,
        "subject": {"type": "team", "id": "t1"},
        "customerEmail": "ada@example.com",
        "metadata": {"order_id": "o1"},
        "idempotencyKey": "order:o1",
    }
    assert asked.headers["authorization"] == "Bearer anon_1"
    assert asked.headers["content-type"].startswith("application/json")
    assert not {"x-api-key", "apikey", "cookie"} & set(asked.headers)
    assert answer.checkout_session.url == SESSION["url"]
    assert answer.checkout_session.created_at.utcoffset().total_seconds() == 0
    assert answer.model_dump(by_alias=True, mode="json")["checkoutSession"].keys() == SESSION.keys()


@pytest.mark.parametrize(
    "items",
    [
        [paygres.LineItem(price_id="price_1Example", quantity=2)],
        ({"price_id": "price_1Example", "quantity": 2},),
        [{"priceId": "price_1Example", "quantity": 2}],
    ],
)
@pytest.mark.parametrize("whose", [paygres.Subject(type="user", id="u1"), {"type": "user", "id": "u1"}])
def test_models_and_dicts_in_either_spelling_are_the_same(items: Any, whose: Any) -> None:
    with scripted() as server, paygres.create_client(server.url) as client:
        client.payments.stripe.create_checkout_session("test", **{**CHECKOUT, "line_items": items}, subject=whose)
    assert server.asked[0].body == {**WIRE, "subject": {"type": "user", "id": "u1"}}


def test_a_missing_quantity_is_one() -> None:
    with scripted() as server, paygres.create_client(server.url) as client:
        client.payments.stripe.create_checkout_session(
            "live", **{**CHECKOUT, "line_items": [{"price_id": "price_1Example"}]}
        )
    assert server.asked[0].body["lineItems"] == [{"priceId": "price_1Example", "quantity": 1}]
    assert server.asked[0].path == "/api/payments/stripe/live/checkout-sessions"


@pytest.mark.parametrize("kind", KINDS)
def test_a_portal_is_opened(kind: Kind) -> None:
    with scripted(Answer(body=PORTAL)) as server:
        answer = call(
            kind,
            "create_customer_portal_session",
            "test",
            options={"base_url": server.url},
            token="user.jwt.1",
            subject={"type": "user", "id": "u1"},
            return_url="https://shop.example.com/account",
        )
    [asked] = server.asked
    assert asked.path == "/api/payments/stripe/test/customer-portal-sessions"
    assert asked.body == {"subject": {"type": "user", "id": "u1"}, "returnUrl": "https://shop.example.com/account"}
    assert asked.headers["authorization"] == "Bearer user.jwt.1"
    assert answer.customer_portal_session.url == SESSION["url"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkout_is_read_and_waited_for(kind: Kind) -> None:
    settled = {
        **CREATED,
        "settled": True,
        "waitsFor": None,
        "fulfillments": [{"rule": "orders", "key": "o1", "status": "granted"}],
    }
    with scripted(Answer(200, settled, delay=0.4)) as server:
        options = {"base_url": server.url, "timeout": 0.2}
        answer = call(kind, "get_checkout_session", "test", "cs/1?x", options=options, wait=2.5)
    assert server.asked[0].path == "/api/paygres/test/checkout-sessions/cs%2F1%3Fx?wait=3"
    assert answer.settled is True
    assert [(one.rule, one.key, one.status) for one in answer.fulfillments] == [("orders", "o1", "granted")]


def test_clones_share_connections_and_never_each_others_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "2f1c0a7b9d3e4f5061728394a5b6c7d8")
    tokens = iter(["first", "second"])
    with scripted() as server, paygres.create_client(server.url, "anon_1") as guest:
        ada, renewed = guest.with_token("ada.jwt.1"), guest.with_token(lambda: next(tokens))
        for client in (guest, ada, renewed, renewed, guest.as_user("u1"), ada.with_token(None)):
            client.payments.stripe.create_checkout_session("test", **CHECKOUT)
        ada.payments.stripe.create_checkout_session("test", **CHECKOUT, access_token="once.jwt.1")
    sent = [one.headers["authorization"].removeprefix("Bearer ") for one in server.asked]
    assert sent[:4] == ["anon_1", "ada.jwt.1", "first", "second"]
    assert sent[4].count(".") == 2
    assert sent[5:] == ["anon_1", "once.jwt.1"]
    assert len({one.headers["host"] for one in server.asked}) == 1


def test_address_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted() as server:
        monkeypatch.setenv("INSFORGE_URL", server.url)
        monkeypatch.setenv("INSFORGE_ANON_KEY", "anon_env")
        with paygres.create_client() as client:
            client.payments.stripe.create_checkout_session("test", **CHECKOUT)
    assert server.asked[0].headers["authorization"] == "Bearer anon_env"


def test_own_headers_travel_and_a_token_outranks_theirs() -> None:
    with scripted() as server:
        headers = {"X-Shop": "1", "Authorization": "Basic eA=="}
        with paygres.create_client(server.url, headers=headers) as client:
            client.payments.stripe.create_checkout_session("test", **CHECKOUT)
            client.with_token("ada.jwt.1").payments.stripe.create_checkout_session("test", **CHECKOUT)
    assert [one.headers["authorization"] for one in server.asked] == ["Basic eA==", "Bearer ada.jwt.1"]
    assert {one.headers["x-shop"] for one in server.asked} == {"1"}


@pytest.mark.parametrize("kind", KINDS)
def test_fields_of_a_newer_server_are_kept(kind: Kind) -> None:
    with scripted(Answer(body={"checkoutSession": {**SESSION, "newField": {"a": 1}}})) as server:
        answer = call(kind, "create_checkout_session", "test", options={"base_url": server.url}, **CHECKOUT)
    assert answer.checkout_session.model_extra == {"newField": {"a": 1}}
