"""Discounts that stay: on renewals, of several coupons, by promotion codes, from a checkout, changed and taken back."""

from typing import Any

import pytest
import stripe

from tests.sandbox.clocks import advance, clock_at, clocked_subscriber, events_of, month
from tests.sandbox.running import Sandbox
from tests.sandbox.subscribing import events_since, last_event, latest, plans, subscribe, subscriber, subscription
from tests.sandbox.test_coupons import code_for, coupon

UPDATED = "customer.subscription.updated"


def totals(sandbox: Sandbox, id: str) -> list[int]:
    """What the subscription's invoices came to, oldest first."""
    return [one.total for one in sandbox.stripe.v1.invoices.list({"subscription": id, "limit": 100}).data[::-1]]


def test_a_discount_lasts_as_long_as_its_coupon_says(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    made: dict[str, str] = {}
    for duration, more in (("once", {}), ("repeating", {"duration_in_months": 3}), ("forever", {})):
        off = coupon(sandbox, percent_off=25, duration=duration, **more)
        customer, [price] = clocked_subscriber(sandbox, clock), plans(sandbox, 2000)
        begun = subscribe(sandbox, customer, price, discounts=[{"coupon": off}], expand=["discounts"])
        made[duration] = begun["id"]
        [discount] = begun["discounts"]
        assert (discount["source"]["coupon"], discount["subscription"]) == (off, begun["id"])
        assert discount["end"] == (month(3) if duration == "repeating" else None)
        assert sandbox.stripe.v1.coupons.retrieve(off).times_redeemed == 1
    for number in (1, 3, 4):
        advance(sandbox, clock, month(number) + 60)
    assert totals(sandbox, made["once"]) == [1500, 2000, 2000, 2000, 2000]
    assert totals(sandbox, made["repeating"]) == [1500, 1500, 1500, 2000, 2000]
    assert totals(sandbox, made["forever"]) == [1500] * 5
    shown = [len(subscription(sandbox, id)["discounts"]) for id in made.values()]
    assert shown == [0, 0, 1]
    ends = [one["type"] for one in events_of(sandbox, *made.values(), types="customer.discount")]
    assert ends == ["customer.discount.created"] * 3 + ["customer.discount.deleted"] * 2


def test_an_ended_discount_is_told_before_the_renewal_that_it_misses(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer, [price] = clocked_subscriber(sandbox, clock), plans(sandbox, 2000)
    given = [{"coupon": coupon(sandbox, percent_off=50)}]
    before = latest(sandbox)
    made = subscribe(sandbox, customer, price, discounts=given)
    assert events_since(sandbox, before)[:4] == [
        "charge.succeeded",
        "customer.updated",
        "customer.discount.created",
        "customer.subscription.created",
    ]
    advance(sandbox, clock, month(1))
    types = [one["type"] for one in events_of(sandbox, made["id"], types="customer.")]
    assert types[-2:] == ["customer.discount.deleted", UPDATED]
    previous = last_event(sandbox, UPDATED)["data"]["previous_attributes"]
    assert previous["discounts"] == made["discounts"]


def test_an_invoice_shows_what_each_discount_takes_off_each_line(sandbox: Sandbox) -> None:
    [one, other] = plans(sandbox, 3000, 1001)
    fixed = coupon(sandbox, amount_off=500, currency="usd", duration="forever")
    half = coupon(sandbox, percent_off=50, duration="forever")
    params: Any = {
        "customer": subscriber(sandbox),
        "items": [{"price": one}, {"price": other}],
        "discounts": [{"coupon": fixed}, {"coupon": half}],
    }
    made = sandbox.stripe.v1.subscriptions.create(params).to_dict()
    invoice = sandbox.stripe.v1.invoices.retrieve(made["latest_invoice"]).to_dict()
    first, second = made["discounts"]
    assert (invoice["subtotal"], invoice["total"], invoice["amount_paid"]) == (4001, 1750, 1750)
    assert invoice["discounts"] == [first, second]
    assert invoice["total_discount_amounts"] == [
        {"amount": 500, "discount": first},
        {"amount": 1751, "discount": second},
    ]
    lines = invoice["lines"]["data"]
    assert [line["amount"] for line in lines] == [3000, 1001]
    assert [[off["amount"] for off in line["discount_amounts"]] for line in lines] == [[375, 1313], [125, 438]]


def test_a_coupon_for_some_products_leaves_the_others(sandbox: Sandbox) -> None:
    [one] = plans(sandbox, 3000)
    [other] = plans(sandbox, 1000)
    product = sandbox.stripe.v1.prices.retrieve(other).product
    off = coupon(sandbox, percent_off=100, applies_to={"products": [product]})
    items = [{"price": one}, {"price": other}]
    params: Any = {"customer": subscriber(sandbox), "items": items, "discounts": [{"coupon": off}]}
    made = sandbox.stripe.v1.subscriptions.create(params).to_dict()
    assert totals(sandbox, made["id"]) == [3000]


def test_a_promotion_code_is_redeemed_by_a_subscription(sandbox: Sandbox) -> None:
    customer, other, [price] = subscriber(sandbox), subscriber(sandbox), plans(sandbox, 2000)
    code = code_for(sandbox, coupon(sandbox, percent_off=10), customer=customer, max_redemptions=1)
    given = [{"promotion_code": code.id}]
    with pytest.raises(stripe.InvalidRequestError, match="cannot be redeemed by this customer") as refused:
        subscribe(sandbox, other, price, discounts=given)
    assert refused.value.param == "discounts[0][promotion_code]"
    made = subscribe(sandbox, customer, price, discounts=given, expand=["discounts"])
    assert made["discounts"][0]["promotion_code"] == code.id
    used = sandbox.stripe.v1.promotion_codes.retrieve(code.id)
    assert (used.times_redeemed, used.active) == (1, False)
    with pytest.raises(stripe.InvalidRequestError, match="no longer active"):
        subscribe(sandbox, customer, price, discounts=given)
    for wrong, told in (({}, "exactly one"), ({"coupon": "none"}, "No such coupon"), ({"discount": "di_1"}, "No such")):
        with pytest.raises(stripe.InvalidRequestError, match=told):
            subscribe(sandbox, customer, price, discounts=[wrong or {"coupon": "x", "promotion_code": "y"}])


def test_a_checkout_passes_its_discount_on_to_the_subscription(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer = sandbox.stripe.v1.customers.create({"test_clock": clock, "email": "ada@example.com"}).id
    off = coupon(sandbox, percent_off=50, duration="repeating", duration_in_months=2)
    session = sandbox.session(
        plans(sandbox, 2000)[0], mode="subscription", customer=customer, discounts=[{"coupon": off}]
    )
    assert session.amount_total == 1000
    assert sandbox.pay(session).status_code == 303
    bought = sandbox.stripe.v1.checkout.sessions.retrieve(session.id).subscription
    assert isinstance(bought, str)
    for number in (1, 2):
        advance(sandbox, clock, month(number) + 60)
    assert totals(sandbox, bought) == [1000, 1000, 2000]
    assert sandbox.stripe.v1.coupons.retrieve(off).times_redeemed == 1


def test_discounts_are_added_kept_and_taken_back(sandbox: Sandbox) -> None:
    made = subscribe(sandbox, subscriber(sandbox), plans(sandbox, 2000)[0])
    update = sandbox.stripe.v1.subscriptions.update
    first = coupon(sandbox, percent_off=10, duration="forever")
    second = coupon(sandbox, amount_off=300, currency="usd", duration="forever")
    [kept] = update(made["id"], {"discounts": [{"coupon": first}]}).to_dict()["discounts"]
    before = latest(sandbox)
    both = update(made["id"], {"discounts": [{"discount": kept}, {"coupon": second}]}).to_dict()["discounts"]
    assert (both[0], len(both)) == (kept, 2)
    assert events_since(sandbox, before) == ["customer.discount.created", UPDATED]
    preview: Any = {"subscription": made["id"]}
    assert sandbox.stripe.v1.invoices.create_preview(preview).total == 1500
    other: Any = {**preview, "discounts": [{"discount": kept}]}
    assert sandbox.stripe.v1.invoices.create_preview(other).total == 1800
    before = latest(sandbox)
    gone = sandbox.http.api("DELETE", f"/v1/subscriptions/{made['id']}/discount").json()
    assert (gone["id"], gone["deleted"]) == (kept, True)
    assert events_since(sandbox, before) == ["customer.discount.deleted"] * 2 + [UPDATED]
    assert subscription(sandbox, made["id"])["discounts"] == []
    euros = coupon(sandbox, amount_off=300, currency="eur")
    with pytest.raises(stripe.InvalidRequestError, match="takes off eur"):
        update(made["id"], {"discounts": [{"coupon": euros}]})


def test_prorations_are_made_of_what_the_discount_leaves(sandbox: Sandbox) -> None:
    basic, gold = plans(sandbox, 2000, 6000)
    off = coupon(sandbox, percent_off=50, duration="forever")
    made = subscribe(sandbox, subscriber(sandbox), basic, discounts=[{"coupon": off}])
    item = made["items"]["data"][0]
    change: Any = {
        "items": [{"id": item["id"], "price": gold}],
        "proration_behavior": "always_invoice",
        "proration_date": item["current_period_start"],
    }
    changed = sandbox.stripe.v1.subscriptions.update(made["id"], change).to_dict()
    invoice = sandbox.stripe.v1.invoices.retrieve(changed["latest_invoice"]).to_dict()
    assert [line["amount"] for line in invoice["lines"]["data"]] == [-1000, 3000]
    assert (invoice["total"], invoice["total_discount_amounts"]) == (2000, [])
    customer = subscriber(sandbox)
    new: Any = {"customer": customer, "subscription_details": {"items": [{"price": gold}]}}
    shown: Any = {**new, "discounts": [{"coupon": off}]}
    assert sandbox.stripe.v1.invoices.create_preview(shown).total == 3000


def test_an_invoice_by_hand_has_a_discount_of_its_own(sandbox: Sandbox) -> None:
    client, customer = sandbox.stripe.v1, subscriber(sandbox)
    client.invoice_items.create({"customer": customer, "amount": 1000, "currency": "usd"})
    client.invoice_items.create({"customer": customer, "amount": 400, "currency": "usd", "discountable": False})
    given = [{"coupon": coupon(sandbox, percent_off=30)}]
    params: Any = {"customer": customer, "pending_invoice_items_behavior": "include", "discounts": given}
    draft = client.invoices.create(params)
    assert (draft.subtotal, draft.total) == (1400, 1100)
    client.invoice_items.create({"customer": customer, "amount": 100, "currency": "usd", "invoice": draft.id})
    assert client.invoices.retrieve(draft.id).total == 1170
    assert client.invoices.update(draft.id, {"discounts": ""}).total == 1500
    assert client.invoices.pay(draft.id).amount_paid == 1500
