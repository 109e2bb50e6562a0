"""Coupons and promotion codes: kept, listed, and what they take off a checkout."""

from typing import Any

import pytest
import stripe

from tests.sandbox.running import Sandbox


def coupon(sandbox: Sandbox, **params: Any) -> str:
    given: Any = params or {"percent_off": 20}
    return sandbox.stripe.v1.coupons.create(given).id


def code_for(sandbox: Sandbox, coupon: str, **params: Any) -> Any:
    given: Any = {"promotion": {"type": "coupon", "coupon": coupon}, **params}
    return sandbox.stripe.v1.promotion_codes.create(given)


def test_a_coupon_is_kept_updated_listed_and_deleted(sandbox: Sandbox) -> None:
    coupons = sandbox.stripe.v1.coupons
    made = coupons.create({"id": "SPRING", "percent_off": 12.5, "duration": "repeating", "duration_in_months": 3})
    assert (made.percent_off, made.duration_in_months, made.valid, made.times_redeemed) == (12.5, 3, True, 0)
    assert coupons.update("SPRING", {"name": "Spring"}).name == "Spring"
    assert "SPRING" in [one.id for one in coupons.list().data]
    assert coupons.delete("SPRING").deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such coupon: 'SPRING'"):
        coupons.retrieve("SPRING")
    assert sandbox.event_types(types=["coupon.created", "coupon.updated", "coupon.deleted"])[-3:] == [
        "coupon.created",
        "coupon.updated",
        "coupon.deleted",
    ]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"percent_off": 5, "amount_off": 5, "currency": "usd"},
        {"percent_off": 101},
        {"amount_off": 100},
        {"percent_off": 5, "duration": "repeating"},
        {"percent_off": 5, "applies_to": {"products": ["prod_none"]}},
    ],
)
def test_a_coupon_that_cannot_be_is_refused(sandbox: Sandbox, params: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        sandbox.stripe.v1.coupons.create(params)


def test_promotion_codes_are_found_whatever_their_case(sandbox: Sandbox) -> None:
    codes = sandbox.stripe.v1.promotion_codes
    id = coupon(sandbox)
    made = code_for(sandbox, id, code="Hello10")
    assert codes.retrieve(made.id).promotion.coupon == id
    assert [one.id for one in codes.list({"code": "HELLO10"}).data] == [made.id]
    assert [one.id for one in codes.list({"coupon": id, "active": True}).data] == [made.id]
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        code_for(sandbox, id, code="hello10")
    assert codes.update(made.id, {"active": False}).active is False
    assert not codes.list({"coupon": id, "active": True}).data
    assert code_for(sandbox, id, code="hello10").active


@pytest.mark.parametrize(
    ("off", "total"),
    [
        ({"percent_off": 20}, 2400),
        ({"percent_off": 33.3}, 2001),
        ({"amount_off": 500, "currency": "usd"}, 2500),
        ({"amount_off": 9999, "currency": "usd"}, 0),
    ],
)
def test_a_coupon_reduces_the_totals_and_is_redeemed_when_paid(
    sandbox: Sandbox, off: dict[str, Any], total: int
) -> None:
    id = coupon(sandbox, **off)
    items = [{"price": sandbox.price(1000), "quantity": 1}, {"price": sandbox.price(2000), "quantity": 1}]
    session = sandbox.session(line_items=items, discounts=[{"coupon": id}])
    assert (session.amount_subtotal, session.amount_total) == (3000, total)
    assert session.total_details.amount_discount == 3000 - total
    assert [one.coupon for one in session.discounts] == [id]
    lines = sandbox.stripe.v1.checkout.sessions.line_items.list(session.id).data
    assert sum(line.amount_total for line in lines) == total
    assert all(line.amount_subtotal - line.amount_discount == line.amount_total for line in lines)
    assert sandbox.pay(session).status_code == 303
    done = sandbox.stripe.v1.checkout.sessions.retrieve(session.id)
    assert done.payment_status == ("paid" if total else "no_payment_required")
    if total:
        assert isinstance(done.payment_intent, str)
        assert sandbox.stripe.v1.payment_intents.retrieve(done.payment_intent).amount_received == total
    assert sandbox.stripe.v1.coupons.retrieve(id).times_redeemed == 1


def test_a_coupon_can_be_for_some_products_only(sandbox: Sandbox) -> None:
    book = sandbox.stripe.v1.prices.retrieve(sandbox.price(1000))
    id = coupon(sandbox, percent_off=50, applies_to={"products": [book.product]})
    items = [{"price": book.id, "quantity": 1}, {"price": sandbox.price(2000), "quantity": 1}]
    assert sandbox.session(line_items=items, discounts=[{"coupon": id}]).amount_total == 2500


def test_a_buyer_types_a_promotion_code(sandbox: Sandbox) -> None:
    made = code_for(sandbox, coupon(sandbox, percent_off=50, duration="once"), code="HALF", max_redemptions=1)
    session = sandbox.session(sandbox.price(3000), allow_promotion_codes=True)
    page = f"{session.url}/code"
    wrong = sandbox.http.browser.post(page, data={"promotion_code": "nothing"})
    assert (wrong.status_code, "This code is invalid." in wrong.text) == (402, True)
    sandbox.pay(session, card_number="4000000000000002")
    assert sandbox.http.browser.post(page, data={"promotion_code": " half "}).status_code == 303
    shown = sandbox.http.browser.get(session.url).text
    assert "−$15.00" in shown
    assert "Pay $15.00" in shown
    assert sandbox.pay(session).status_code == 303
    done = sandbox.stripe.v1.checkout.sessions.retrieve(session.id)
    assert done.amount_total == 1500
    assert isinstance(done.payment_intent, str)
    assert sandbox.stripe.v1.payment_intents.retrieve(done.payment_intent).amount_received == 1500
    used = sandbox.stripe.v1.promotion_codes.retrieve(made.id)
    assert (used.times_redeemed, used.active) == (1, False)
    again = sandbox.session(allow_promotion_codes=True)
    assert sandbox.http.browser.post(f"{again.url}/code", data={"promotion_code": "HALF"}).status_code == 402


def test_a_subscriptions_first_payment_is_reduced(sandbox: Sandbox) -> None:
    monthly = sandbox.price(2000, recurring={"interval": "month"})
    session = sandbox.session(monthly, mode="subscription", discounts=[{"coupon": coupon(sandbox, percent_off=25)}])
    assert session.amount_total == 1500
    assert sandbox.pay(session).status_code == 303
    invoice = sandbox.stripe.v1.checkout.sessions.retrieve(session.id).invoice
    assert isinstance(invoice, str)
    assert sandbox.stripe.v1.invoices.retrieve(invoice).amount_paid == 1500


def test_a_coupon_that_is_over_is_refused(sandbox: Sandbox) -> None:
    id = coupon(sandbox, percent_off=10, max_redemptions=1)
    assert sandbox.pay(sandbox.session(discounts=[{"coupon": id}])).status_code == 303
    assert sandbox.stripe.v1.coupons.retrieve(id).valid is False
    with pytest.raises(stripe.InvalidRequestError, match=f"Coupon expired: {id}"):
        sandbox.session(discounts=[{"coupon": id}])
    with pytest.raises(stripe.InvalidRequestError, match="No such coupon"):
        sandbox.session(discounts=[{"coupon": "none"}])
    with pytest.raises(stripe.InvalidRequestError, match="allow_promotion_codes, discounts"):
        sandbox.session(discounts=[{"coupon": coupon(sandbox)}], allow_promotion_codes=True)


def test_a_promotion_code_may_ask_for_a_customer_and_an_amount(sandbox: Sandbox) -> None:
    ada = sandbox.stripe.v1.customers.create({"email": "ada@example.com"}).id
    least: Any = {"minimum_amount": 2000, "minimum_amount_currency": "usd"}
    made = code_for(sandbox, coupon(sandbox), customer=ada, restrictions=least)
    given = [{"promotion_code": made.id}]
    with pytest.raises(stripe.InvalidRequestError, match="this customer"):
        sandbox.session(sandbox.price(2500), discounts=given)
    with pytest.raises(stripe.InvalidRequestError, match="higher amount"):
        sandbox.session(sandbox.price(1500), discounts=given, customer=ada)
    assert sandbox.session(sandbox.price(2500), discounts=given, customer=ada).amount_total == 2000
