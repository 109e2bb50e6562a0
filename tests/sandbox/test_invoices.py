"""Invoices: previewed, renewed, collected, given up; and what waits for them."""

from typing import Any

import pytest
import stripe

from tests.sandbox.running import Sandbox
from tests.sandbox.subscribing import (
    events_since,
    last_event,
    latest,
    plans,
    renew,
    subscribe,
    subscriber,
    subscription,
)

UPDATED = "customer.subscription.updated"
FAILED = [
    UPDATED,
    "invoice.created",
    "invoice.finalized",
    "payment_intent.created",
    "charge.failed",
    "payment_intent.payment_failed",
    "invoice.updated",
    "invoice.payment_failed",
    UPDATED,
]


def preview(sandbox: Sandbox, id: str, **details: Any) -> dict[str, Any]:
    params: Any = {"subscription": id, "subscription_details": details} if details else {"subscription": id}
    return sandbox.stripe.v1.invoices.create_preview(params).to_dict()


def amounts(invoice: dict[str, Any]) -> list[int]:
    return [line["amount"] for line in invoice["lines"]["data"]]


# previews


def test_a_preview_shows_the_next_invoice_and_stores_nothing(sandbox: Sandbox) -> None:
    customer, [basic, gold] = subscriber(sandbox), plans(sandbox, 3000, 9000)
    made = subscribe(sandbox, customer, basic)
    item = made["items"]["data"][0]
    before = latest(sandbox)
    upcoming = preview(sandbox, made["id"])
    assert (upcoming["status"], upcoming["billing_reason"], amounts(upcoming)) == ("draft", "upcoming", [3000])
    assert upcoming["lines"]["data"][0]["period"]["start"] == item["current_period_end"]
    half = (item["current_period_start"] + item["current_period_end"]) // 2
    change = {"items": [{"id": item["id"], "price": gold}], "proration_date": half}
    later = preview(sandbox, made["id"], **change)
    assert amounts(later) == [-1500, 4500, 9000]
    assert later["parent"]["subscription_details"]["subscription_proration_date"] == half
    now = preview(sandbox, made["id"], **change, proration_behavior="always_invoice")
    assert (now["billing_reason"], amounts(now), now["amount_due"]) == ("subscription_update", [-1500, 4500], 3000)
    assert all(line["parent"]["subscription_item_details"]["proration"] for line in now["lines"]["data"])
    without = preview(sandbox, made["id"], **change, proration_behavior="none")
    assert amounts(without) == [9000]
    more = preview(sandbox, made["id"], items=[{"id": item["id"], "quantity": 3}], proration_date=half)
    assert amounts(more) == [-1500, 4500, 9000]
    assert events_since(sandbox, before) == []
    assert subscription(sandbox, made["id"]) == made
    assert len(sandbox.stripe.v1.invoices.list({"customer": customer}).data) == 1


def test_a_preview_equals_what_the_change_then_costs(sandbox: Sandbox) -> None:
    customer, [basic, gold] = subscriber(sandbox), plans(sandbox, 1999, 4999)
    made = subscribe(sandbox, customer, basic)
    item = made["items"]["data"][0]
    at = item["current_period_start"] + 1_000_003
    change: Any = {
        "items": [{"id": item["id"], "price": gold, "quantity": 3}],
        "proration_behavior": "always_invoice",
        "proration_date": at,
    }
    shown = preview(sandbox, made["id"], **change)
    changed = sandbox.stripe.v1.subscriptions.update(made["id"], change).to_dict()
    invoice = sandbox.stripe.v1.invoices.retrieve(changed["latest_invoice"]).to_dict()
    assert amounts(invoice) == amounts(shown)
    assert invoice["amount_paid"] == shown["amount_due"]
    length = item["current_period_end"] - item["current_period_start"]
    exact = [-1999 * (length - 1_000_003) / length, 3 * 4999 * (length - 1_000_003) / length]
    assert all(abs(one - wanted) <= 0.5 for one, wanted in zip(amounts(invoice), exact, strict=True))


def test_a_preview_without_an_invoice_to_come_is_refused(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        preview(sandbox, made["id"], cancel_at_period_end=True)
    assert (refused.value.http_status, refused.value.code) == (404, "invoice_upcoming_none")
    item = made["items"]["data"][0]["id"]
    with pytest.raises(stripe.InvalidRequestError, match="outside of current subscription period"):
        preview(sandbox, made["id"], items=[{"id": item, "quantity": 2}], proration_date=1000)
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param: customer"):
        sandbox.stripe.v1.invoices.create_preview({})
    end = preview(sandbox, made["id"], cancel_now=True)
    assert (end["amount_due"], abs(end["total"] + 2000) <= 1) == (0, True)
    new: Any = {"customer": customer, "subscription_details": {"items": [{"price": price, "quantity": 2}]}}
    assert sandbox.stripe.v1.invoices.create_preview(new).amount_due == 4000


# renewals


def test_a_renewal_moves_the_period_and_is_paid(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price)
    before = latest(sandbox)
    renewed = renew(sandbox, made["id"])
    assert events_since(sandbox, before) == [
        UPDATED,
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "payment_intent.succeeded",
        "charge.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]
    was, now = made["items"]["data"][0], renewed["items"]["data"][0]
    assert now["current_period_start"] == was["current_period_end"]
    assert now["current_period_end"] > now["current_period_start"]
    assert last_event(sandbox, "invoice.created")["data"]["object"]["status"] == "draft"
    assert last_event(sandbox, "invoice.finalized")["data"]["object"]["status"] == "open"
    listed = sandbox.stripe.v1.invoices.list({"subscription": made["id"], "expand": ["data.payments"]}).to_dict()[
        "data"
    ]
    assert [one["billing_reason"] for one in listed] == ["subscription_cycle", "subscription_create"]
    assert [one["payments"]["data"][0]["status"] for one in listed] == ["paid", "paid"]
    assert listed[0]["period_end"] == was["current_period_end"]
    created: Any = {"customer": customer, "created": {"gte": listed[1]["created"], "lte": listed[0]["created"]}}
    assert len(sandbox.stripe.v1.invoices.list(created).data) == 2
    assert not sandbox.stripe.v1.invoices.list({"customer": customer, "created": {"gt": listed[0]["created"]}}).data
    assert {one.invoice for one in sandbox.stripe.v1.invoice_payments.list({"limit": 2}).data} == {
        one["id"] for one in listed
    }


@pytest.mark.parametrize("forced", [True, False])
def test_a_failed_renewal_is_past_due_until_it_is_paid(sandbox: Sandbox, forced: bool) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price)
    client = sandbox.stripe.v1
    if not forced:
        failing = client.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer}).id
        client.customers.update(customer, {"invoice_settings": {"default_payment_method": failing}})
    before = latest(sandbox)
    failed = renew(sandbox, made["id"], **({"fail": True} if forced else {}))
    assert events_since(sandbox, before) == FAILED
    assert failed["status"] == "past_due"
    assert last_event(sandbox, UPDATED)["data"]["previous_attributes"] == {"status": "active"}
    previous = last_event(sandbox, "invoice.updated")["data"]["previous_attributes"]
    assert set(previous) == {"attempt_count", "attempted", "next_payment_attempt"}
    invoice = client.invoices.retrieve(failed["latest_invoice"])
    assert (invoice.status, invoice.attempt_count, invoice.amount_remaining) == ("open", 1, 2000)
    assert client.charges.list({"customer": customer, "limit": 1}).data[0].failure_code == "card_declined"
    if not forced:
        with pytest.raises(stripe.CardError):
            client.invoices.pay(invoice.id)
        tried = client.invoices.retrieve(invoice.id)
        # Tries by hand change nothing about the schedule.
        assert (tried.attempt_count, tried.next_payment_attempt) == (1, invoice.next_payment_attempt)
    paid = client.invoices.pay(invoice.id, {"payment_method": "pm_card_mastercard"})
    assert (paid.status, paid.amount_paid) == ("paid", 2000)
    assert subscription(sandbox, made["id"])["status"] == "active"
    with pytest.raises(stripe.InvalidRequestError, match="Invoice is already paid"):
        client.invoices.pay(invoice.id)


def test_a_payment_that_fails_four_times_ends_the_subscription(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price)
    failing = sandbox.stripe.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer}).id
    sandbox.stripe.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": failing}})
    invoice = renew(sandbox, made["id"])["latest_invoice"]
    for _ in range(2):
        sandbox.http.browser.post("/_sim/retry", json={"invoice": invoice})
    assert subscription(sandbox, made["id"])["status"] == "past_due"
    last = sandbox.http.browser.post("/_sim/retry", json={"invoice": invoice}).json()
    assert (last["attempt_count"], last["next_payment_attempt"], last["auto_advance"]) == (4, None, False)
    ended = subscription(sandbox, made["id"])
    assert (ended["status"], ended["cancellation_details"]["reason"]) == ("canceled", "payment_failed")


def test_what_has_ended_or_is_unknown_does_not_renew(sandbox: Sandbox) -> None:
    made = subscribe(sandbox, subscriber(sandbox), plans(sandbox, 2000)[0])
    sandbox.stripe.v1.subscriptions.cancel(made["id"])
    assert sandbox.http.browser.post("/_sim/renew", json={"subscription": made["id"]}).status_code == 400
    assert sandbox.http.browser.post("/_sim/renew", json={"subscription": "sub_none"}).status_code == 404


# by hand


def test_an_open_invoice_is_voided_or_given_up(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    invoices = sandbox.stripe.v1.invoices
    open_one = renew(sandbox, subscribe(sandbox, customer, price)["id"], fail=True)["latest_invoice"]
    before = latest(sandbox)
    given_up = invoices.mark_uncollectible(open_one)
    assert (given_up.status, given_up.auto_advance) == ("uncollectible", False)
    assert invoices.void_invoice(open_one).status == "void"
    assert events_since(sandbox, before) == [
        "invoice.marked_uncollectible",
        "payment_intent.canceled",
        "invoice.voided",
    ]
    for act in (invoices.void_invoice, invoices.mark_uncollectible):
        with pytest.raises(stripe.InvalidRequestError, match="You can only pass in open invoices"):
            act(open_one)


def test_an_invoice_by_hand_is_drawn_up_finalized_and_paid(sandbox: Sandbox) -> None:
    customer = subscriber(sandbox)
    client = sandbox.stripe.v1
    client.invoice_items.create({"customer": customer, "amount": 700, "currency": "usd", "description": "Waiting"})
    draft = client.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})
    client.invoice_items.create({"customer": customer, "amount": 500, "currency": "usd", "invoice": draft.id})
    assert [line.amount for line in client.invoices.line_items.list(draft.id).data] == [700, 500]
    before = latest(sandbox)
    opened = client.invoices.finalize_invoice(draft.id)
    assert (opened.status, opened.amount_due, opened.number is not None) == ("open", 1200, True)
    with pytest.raises(stripe.InvalidRequestError, match="already finalized"):
        client.invoices.finalize_invoice(draft.id)
    assert client.invoices.pay(draft.id).status == "paid"
    assert events_since(sandbox, before) == [
        "invoice.finalized",
        "payment_intent.created",
        "payment_intent.succeeded",
        "charge.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]
    other = client.invoices.create({"customer": customer})
    assert client.invoices.delete(other.id).deleted
    elsewhere = client.invoices.create({"customer": customer})
    client.invoice_items.create({"customer": customer, "amount": 900, "currency": "usd", "invoice": elsewhere.id})
    assert client.invoices.pay(elsewhere.id, {"paid_out_of_band": True}).amount_paid == 900


def test_an_invoice_that_is_sent_waits_for_its_payment(sandbox: Sandbox) -> None:
    customer = sandbox.stripe.v1.customers.create({"email": "ada@example.com"}).id
    [price] = plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price, collection_method="send_invoice", days_until_due=30)
    invoice = sandbox.stripe.v1.invoices.retrieve(made["latest_invoice"])
    assert (made["status"], invoice.status, invoice.automatically_finalizes_at) == (
        "active",
        "draft",
        invoice.created + 3600,
    )
    before = latest(sandbox)
    assert sandbox.stripe.v1.invoices.finalize_invoice(invoice.id).status == "open"
    assert events_since(sandbox, before) == ["invoice.finalized", "invoice.sent"]
    assert invoice.due_date == invoice.created + 30 * 86400
    assert sandbox.stripe.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"}).status == "paid"
