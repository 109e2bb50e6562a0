"""Terms of billing: when the first whole period begins, invoices that are sent, pauses that end, credits, items of
drafts, trials without a card."""

from typing import Any

import pytest
import stripe

from tests.sandbox.clocks import DAY, NEW_YEAR, advance, clock_at, clocked_subscriber, events_of, month
from tests.sandbox.running import Sandbox
from tests.sandbox.subscribing import events_since, last_event, latest, plans, subscribe, subscriber, subscription


def lines(sandbox: Sandbox, invoice: str) -> list[int]:
    return [line.amount for line in sandbox.stripe.v1.invoices.retrieve(invoice).lines.data]


def test_the_first_period_ends_at_the_anchor_and_costs_its_part(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox, NEW_YEAR + 15 * DAY)
    customer, [price] = clocked_subscriber(sandbox, clock), plans(sandbox, 3100)
    made = subscribe(sandbox, customer, price, billing_cycle_anchor=month(1))
    item = made["items"]["data"][0]
    assert (made["billing_cycle_anchor"], item["current_period_end"]) == (month(1), month(1))
    assert lines(sandbox, made["latest_invoice"]) == [1600]
    free = subscribe(sandbox, customer, price, billing_cycle_anchor=month(1), proration_behavior="none")
    assert (free["status"], lines(sandbox, free["latest_invoice"])) == ("active", [0])
    advance(sandbox, clock, month(1) + 3600)
    renewed = subscription(sandbox, made["id"])
    assert lines(sandbox, renewed["latest_invoice"]) == [3100]
    assert renewed["items"]["data"][0]["current_period_end"] == month(2)
    with pytest.raises(stripe.InvalidRequestError, match="later than next natural billing date"):
        subscribe(sandbox, customer, price, billing_cycle_anchor=month(2) + DAY)


def test_a_sent_invoice_that_nobody_pays_in_time_is_overdue(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer = sandbox.stripe.v1.customers.create({"email": "ada@example.com", "test_clock": clock}).id
    made = subscribe(sandbox, customer, plans(sandbox, 2000)[0], collection_method="send_invoice", days_until_due=14)
    invoice = sandbox.stripe.v1.invoices.retrieve(made["latest_invoice"])
    assert (made["status"], invoice.status, invoice.due_date) == ("active", "draft", NEW_YEAR + 14 * DAY)
    advance(sandbox, clock, NEW_YEAR + 14 * DAY)
    assert subscription(sandbox, made["id"])["status"] == "past_due"
    types = [one["type"] for one in events_of(sandbox, made["id"], invoice.id or "")]
    assert types[-2:] == ["invoice.overdue", "customer.subscription.updated"]
    sandbox.stripe.v1.invoices.pay(made["latest_invoice"], {"paid_out_of_band": True})
    assert subscription(sandbox, made["id"])["status"] == "active"
    advance(sandbox, clock, month(1) + 3600)
    types = [one["type"] for one in events_of(sandbox, customer, types="invoice.")]
    assert types[-3:] == ["invoice.created", "invoice.finalized", "invoice.sent"]


def test_a_first_invoice_bills_what_is_added_to_it_once(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    product = sandbox.stripe.v1.products.create({"name": "Delivery"}).id
    inline = {"product": product, "currency": "usd", "unit_amount": 300}
    added = [{"price": sandbox.price(700), "quantity": 2}, {"price_data": inline}]
    made = subscribe(sandbox, customer, price, add_invoice_items=added)
    assert lines(sandbox, made["latest_invoice"]) == [2000, 1400, 300]
    assert sandbox.stripe.v1.invoices.create_preview({"subscription": made["id"]}).total == 2000
    trial = subscribe(sandbox, customer, price, add_invoice_items=added[:1], trial_period_days=7)
    assert (trial["status"], lines(sandbox, trial["latest_invoice"])) == ("trialing", [0, 1400])
    with pytest.raises(stripe.InvalidRequestError, match="only accepts prices with `type=one_time`"):
        subscribe(sandbox, customer, price, add_invoice_items=[{"price": price}])


@pytest.mark.parametrize(("behavior", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible")])
def test_a_pause_in_collection_ends_by_itself(sandbox: Sandbox, behavior: str, status: str) -> None:
    clock = clock_at(sandbox)
    made = subscribe(sandbox, clocked_subscriber(sandbox, clock), plans(sandbox, 2000)[0])
    pause: Any = {"pause_collection": {"behavior": behavior, "resumes_at": month(1) + 5 * DAY}}
    sandbox.stripe.v1.subscriptions.update(made["id"], pause)
    advance(sandbox, clock, month(1) + 3600)
    assert subscription(sandbox, made["id"])["pause_collection"]["behavior"] == behavior
    advance(sandbox, clock, month(2) + 3600)
    found = sandbox.stripe.v1.invoices.list({"subscription": made["id"]}).data[::-1]
    assert [one.status for one in found] == ["paid", status, "paid"]


def test_a_trial_without_a_card_ends_as_it_was_told(sandbox: Sandbox) -> None:
    clock, [price] = clock_at(sandbox), plans(sandbox, 2000)
    ended: dict[str, str] = {}
    for behavior in ("cancel", "pause", "create_invoice"):
        customer = sandbox.stripe.v1.customers.create({"test_clock": clock}).id
        settings = {"end_behavior": {"missing_payment_method": behavior}}
        ended[behavior] = subscribe(sandbox, customer, price, trial_period_days=7, trial_settings=settings)["id"]
    advance(sandbox, clock, NEW_YEAR + 7 * DAY + 3600)
    found = {behavior: subscription(sandbox, id)["status"] for behavior, id in ended.items()}
    assert found == {"cancel": "canceled", "pause": "paused", "create_invoice": "past_due"}


def test_a_trial_that_is_ended_without_a_card_pauses(sandbox: Sandbox) -> None:
    customer, [price] = sandbox.stripe.v1.customers.create({}).id, plans(sandbox, 2000)
    settings: Any = {"end_behavior": {"missing_payment_method": "pause"}}
    made = subscribe(sandbox, customer, price, trial_period_days=7, trial_settings=settings)
    before = latest(sandbox)
    assert sandbox.stripe.v1.subscriptions.update(made["id"], {"trial_end": "now"}).status == "paused"
    assert events_since(sandbox, before) == ["customer.subscription.updated", "customer.subscription.paused"]


def test_the_balance_of_a_customer_is_made_of_transactions(sandbox: Sandbox) -> None:
    client = sandbox.stripe.v1
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    balance = client.customers.balance_transactions
    before = latest(sandbox)
    made = balance.create(customer, {"amount": -3000, "currency": "usd", "description": "Sorry"})
    assert (made.type, made.ending_balance) == ("adjustment", -3000)
    assert events_since(sandbox, before) == ["customer.updated"]
    assert last_event(sandbox, "customer.updated")["data"]["previous_attributes"] == {"balance": 0}
    invoice = client.invoices.retrieve(subscribe(sandbox, customer, price)["latest_invoice"])
    assert (invoice.amount_due, invoice.starting_balance, invoice.ending_balance) == (0, -3000, -1000)
    used, _ = balance.list(customer).data
    assert (used.type, used.amount, used.ending_balance, used.invoice) == (
        "applied_to_invoice",
        2000,
        -1000,
        invoice.id,
    )
    assert balance.retrieve(customer, used.id).amount == 2000
    assert balance.update(customer, made.id, {"description": "Credit"}).description == "Credit"
    assert client.customers.update(customer, {"balance": 500}).balance == 500
    assert balance.list(customer).data[0].amount == 1500
    assert client.customers.create({"balance": -70}).balance == -70


def test_items_of_a_draft_are_changed_and_removed(sandbox: Sandbox) -> None:
    client, customer = sandbox.stripe.v1, subscriber(sandbox)
    product = client.products.create({"name": "Paper"}).id
    data: Any = {"currency": "usd", "product": product, "unit_amount": 250}
    paper = client.invoice_items.create({"customer": customer, "price_data": data, "quantity": 4})
    half: Any = {"customer": customer, "unit_amount_decimal": "0.5", "quantity": 1000}
    extra = client.invoice_items.create(half)
    assert (paper.amount, extra.amount) == (1000, 500)
    draft = client.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})
    assert client.invoice_items.update(paper.id, {"quantity": 6}).amount == 1500
    assert client.invoices.retrieve(draft.id).total == 2000
    client.invoice_items.delete(extra.id)
    assert client.invoices.retrieve(draft.id).total == 1500
    assert client.invoices.delete(draft.id).deleted
    assert client.invoice_items.retrieve(paper.id).invoice is None
    again: Any = {
        "customer": customer,
        "pending_invoice_items_behavior": "include",
        "collection_method": "send_invoice",
        "days_until_due": 3,
    }
    sent = client.invoices.create(again)
    assert sent.due_date == sent.created + 3 * DAY
    client.invoices.finalize_invoice(sent.id)
    with pytest.raises(stripe.InvalidRequestError, match="Finalized invoices"):
        client.invoices.update(sent.id, {"days_until_due": 5})
    with pytest.raises(stripe.InvalidRequestError, match="either days_until_due or due_date"):
        client.invoices.create({"customer": customer, "collection_method": "send_invoice"})


def test_a_draft_that_advances_is_finalized_after_an_hour(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    client, customer = sandbox.stripe.v1, clocked_subscriber(sandbox, clock)
    client.invoice_items.create({"customer": customer, "amount": 900, "currency": "usd"})
    params: Any = {"customer": customer, "pending_invoice_items_behavior": "include", "auto_advance": True}
    draft = client.invoices.create(params)
    assert draft.automatically_finalizes_at == NEW_YEAR + 3600
    advance(sandbox, clock, NEW_YEAR + 3599)
    assert client.invoices.retrieve(draft.id).status == "draft"
    advance(sandbox, clock, NEW_YEAR + 3600)
    assert client.invoices.retrieve(draft.id).status == "paid"


def test_a_customer_brings_its_card_along(sandbox: Sandbox) -> None:
    params: Any = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    before = latest(sandbox)
    customer = sandbox.stripe.v1.customers.create(params)
    assert events_since(sandbox, before) == ["customer.created", "payment_method.attached"]
    assert customer.invoice_settings is not None
    named = customer.invoice_settings.default_payment_method
    assert isinstance(named, str)
    assert sandbox.stripe.v1.payment_methods.retrieve(named).customer == customer.id
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method"):
        sandbox.stripe.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": "pm_1"}})


def test_schedules_are_not_simulated_and_their_list_is_empty(sandbox: Sandbox) -> None:
    assert sandbox.stripe.v1.subscription_schedules.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription_schedule: 'sub_sched_1'"):
        sandbox.stripe.v1.subscription_schedules.retrieve("sub_sched_1")
    refused = sandbox.http.refused("POST", "/v1/subscription_schedules", {"customer": "cus_1"})
    assert "the sandbox does not simulate it" in refused["message"]
