"""Checkout sessions before they are paid: what they hold, what is refused, how they end."""

import time
from typing import Any

import pytest
import stripe

from tests.sandbox.running import Sandbox


def test_an_open_session_has_a_page_and_no_payment_yet(sandbox: Sandbox) -> None:
    session = sandbox.session(sandbox.price(1500), client_reference_id="order-1", metadata={"order": "1"})
    assert session.id.startswith("cs_test_a1")
    assert session.url == f"{sandbox.url}/c/pay/{session.id}"
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert (session.amount_subtotal, session.amount_total, session.currency) == (1500, 1500, "usd")
    assert (session.customer, session.customer_creation, session.customer_details) == (None, "if_required", None)
    assert (session.client_reference_id, session.metadata.to_dict()) == ("order-1", {"order": "1"})
    assert session.expires_at - session.created == 24 * 3600
    assert session.success_url.endswith("?id={CHECKOUT_SESSION_ID}")
    assert session.ui_mode == "hosted_page"


def test_line_items_add_up(sandbox: Sandbox) -> None:
    price = sandbox.price(700)
    inline = {"currency": "usd", "unit_amount": 50, "product_data": {"name": "Gift wrap"}}
    session = sandbox.session(line_items=[{"price": price, "quantity": 3}, {"price_data": inline, "quantity": 2}])
    assert session.amount_total == 2200
    assert "line_items" not in session
    listed = sandbox.stripe.v1.checkout.sessions.line_items.list(session.id)
    assert [(item.description, item.quantity, item.amount_total) for item in listed.data] == [
        ("Pocket notebook", 3, 2100),
        ("Gift wrap", 2, 100),
    ]
    first = sandbox.stripe.v1.checkout.sessions.line_items.list(session.id, {"limit": 1})
    assert first.has_more
    rest = sandbox.stripe.v1.checkout.sessions.line_items.list(session.id, {"starting_after": first.data[0].id})
    assert [item.description for item in rest.data] == ["Gift wrap"]


def test_an_inline_price_cannot_be_used_again(sandbox: Sandbox) -> None:
    inline = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Gift wrap"}}
    session = sandbox.session(line_items=[{"price_data": inline, "quantity": 1}], expand=["line_items"])
    with pytest.raises(stripe.InvalidRequestError, match="The price specified is inactive"):
        sandbox.session(session.line_items.data[0].price.id)


@pytest.mark.parametrize(
    ("more", "param", "message"),
    [
        ({"mode": "setup"}, "line_items", "You can not pass `line_items` in `setup` mode."),
        ({"mode": "subscription"}, "line_items", "at least one recurring price in `subscription` mode"),
        ({"expires_at": 1799}, "expires_at", "at least 30 minutes from Checkout Session creation"),
        ({"expires_at": 24 * 3600 + 60}, "expires_at", "less than 24 hours from Checkout Session creation"),
        ({"success_url": "shop.example.com"}, "success_url", "Not a valid URL"),
        ({"customer": "cus_nobody"}, "customer", "No such customer: 'cus_nobody'"),
        ({"customer_email": "nope"}, "customer_email", "Invalid email address: nope"),
        ({"subscription_data": {"metadata": {"a": "b"}}}, "subscription_data", "You can not pass `subscription_data`"),
        ({"discounts": [{"coupon": "NONE"}]}, "discounts[0][coupon]", "No such coupon: 'NONE'"),
        ({"ui_mode": "hosted"}, "ui_mode", "Invalid ui_mode: must be one of"),
    ],
)
def test_a_session_that_cannot_be_is_refused(sandbox: Sandbox, more: dict[str, Any], param: str, message: str) -> None:
    if "expires_at" in more:
        more = {"expires_at": int(time.time()) + more["expires_at"]}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sandbox.session(**more)
    assert message in str(refused.value)
    assert refused.value.param == param


def test_a_price_must_fit_the_mode(sandbox: Sandbox) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="You specified `payment` mode but passed a recurring price"):
        sandbox.session(sandbox.price(recurring={"interval": "month"}))


def test_an_inactive_price_is_refused(sandbox: Sandbox) -> None:
    price = sandbox.price()
    sandbox.stripe.v1.prices.update(price, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="The price specified is inactive") as refused:
        sandbox.session(price)
    assert refused.value.param == "line_items[0][price]"


def test_one_session_has_one_currency(sandbox: Sandbox) -> None:
    items = [{"price": sandbox.price(), "quantity": 1}, {"price": sandbox.price(currency="eur"), "quantity": 1}]
    with pytest.raises(stripe.InvalidRequestError, match="the expected currency: `usd`"):
        sandbox.session(line_items=items)


@pytest.mark.parametrize(("amount", "code"), [(49, "amount_too_small"), (99_999_999, "amount_too_large")])
def test_amounts_have_bounds(sandbox: Sandbox, amount: int, code: str) -> None:
    quantity = 1 if amount < 50 else 2
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sandbox.session(line_items=[{"price": sandbox.price(amount), "quantity": quantity}])
    assert refused.value.code == code


def test_success_url_and_mode_are_required(sandbox: Sandbox) -> None:
    assert sandbox.http.refused("POST", "/v1/checkout/sessions", "mode=payment")["param"] == "success_url"
    assert sandbox.http.refused("POST", "/v1/checkout/sessions", "success_url=https://a.example")["param"] == "mode"


def test_customer_creation_is_for_payments_without_a_customer(sandbox: Sandbox) -> None:
    monthly = sandbox.price(recurring={"interval": "month"})
    with pytest.raises(stripe.InvalidRequestError, match="can only be set in `payment` and `setup` mode"):
        sandbox.session(monthly, mode="subscription", customer_creation="always")
    customer = sandbox.stripe.v1.customers.create({"email": "ada@example.com"})
    with pytest.raises(stripe.InvalidRequestError, match="these parameters: customer, customer_creation"):
        sandbox.session(customer=customer.id, customer_creation="always")
    session = sandbox.session(customer=customer.id)
    assert session.customer == customer.id
    assert session.customer_details.email == "ada@example.com"


def test_an_expired_session_has_no_page_and_stays_expired(sandbox: Sandbox) -> None:
    sessions = sandbox.stripe.v1.checkout.sessions
    session = sessions.expire(sandbox.session().id)
    assert (session.status, session.url, session.payment_status) == ("expired", None, "unpaid")
    with pytest.raises(stripe.InvalidRequestError, match='Only Checkout Sessions with a status in \\["open"\\]'):
        sessions.expire(session.id)
    event = sandbox.stripe.v1.events.list({"type": "checkout.session.expired", "limit": 1}).data[0]
    assert event.to_dict()["data"]["object"]["id"] == session.id


def test_a_session_expires_when_its_time_is_over(sandbox: Sandbox) -> None:
    session = sandbox.session()
    sandbox.http.browser.post("/_sim/expire", json={"session": session.id})
    assert sandbox.stripe.v1.checkout.sessions.retrieve(session.id).status == "expired"
    event = sandbox.stripe.v1.events.list({"type": "checkout.session.expired", "limit": 1}).data[0].to_dict()
    assert event["data"]["object"]["id"] == session.id
    assert event["request"] == {"id": None, "idempotency_key": None}


def test_sessions_are_listed_by_status_and_customer(sandbox: Sandbox) -> None:
    customer = sandbox.stripe.v1.customers.create({}).id
    first, second = sandbox.session(customer=customer).id, sandbox.session(customer=customer).id
    sandbox.stripe.v1.checkout.sessions.expire(first)
    listed = sandbox.stripe.v1.checkout.sessions.list
    assert [one.id for one in listed({"customer": customer}).data] == [second, first]
    assert [one.id for one in listed({"customer": customer, "status": "expired"}).data] == [first]


def test_an_unknown_session_is_not_found(sandbox: Sandbox) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"No such checkout\.session: 'cs_test_none'") as refused:
        sandbox.stripe.v1.checkout.sessions.retrieve("cs_test_none")
    assert refused.value.http_status == 404


def test_the_metadata_of_a_session_can_be_changed(sandbox: Sandbox) -> None:
    session = sandbox.session(metadata={"a": "1"})
    changed = sandbox.stripe.v1.checkout.sessions.update(session.id, {"metadata": {"b": "2"}})
    assert changed.to_dict()["metadata"] == {"a": "1", "b": "2"}
