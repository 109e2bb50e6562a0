"""Payments of invoices that take their time or ask their buyer: bank debits and 3-D Secure, for first invoices and for
renewals, on the invoice's page and by the intent."""

from typing import Any

import pytest
import stripe

from tests.sandbox.clocks import advance, clock_at, clocked_subscriber, events_of, month
from tests.sandbox.running import Sandbox
from tests.sandbox.subscribing import events_since, latest, plans, renew, subscribe, subscriber, subscription

UPDATED = "customer.subscription.updated"
PAID = ["invoice.paid", "invoice.payment_succeeded"]
ASKED = ["payment_intent.requires_action", "invoice.payment_action_required"]


def debited(sandbox: Sandbox, clock: str, iban: str) -> str:
    """A customer of the clock whose default payment method is the bank account."""
    client = sandbox.stripe.v1
    customer = client.customers.create({"email": "ada@example.com", "name": "Ada", "test_clock": clock}).id
    details: Any = {"name": "Ada", "email": "ada@example.com"}
    account: Any = {"type": "sepa_debit", "sepa_debit": {"iban": iban}, "billing_details": details}
    method = client.payment_methods.create(account).id
    client.payment_methods.attach(method, {"customer": customer})
    client.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})
    return customer


def euro_plan(sandbox: Sandbox) -> str:
    return sandbox.price(2000, currency="eur", recurring={"interval": "month"})


def answer(sandbox: Sandbox, invoice: str, **more: Any) -> dict[str, Any]:
    return sandbox.http.browser.post("/_sim/authenticate", json={"invoice": invoice, **more}).json()


def expand_intent(sandbox: Sandbox, invoice: str) -> dict[str, Any]:
    expanded: Any = {"expand": ["payments.data.payment.payment_intent"]}
    found = sandbox.stripe.v1.invoices.retrieve(invoice, expanded).to_dict()
    return found["payments"]["data"][0]["payment"]["payment_intent"]


# bank debits


def test_a_bank_debit_pays_a_subscription_later(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer = debited(sandbox, clock, "AT611904300234573201")
    before = latest(sandbox)
    made = subscribe(sandbox, customer, euro_plan(sandbox), expand=["latest_invoice"])
    invoice = made["latest_invoice"]
    assert (made["status"], invoice["status"], invoice["attempted"]) == ("active", "open", True)
    assert expand_intent(sandbox, invoice["id"])["status"] == "processing"
    assert events_since(sandbox, before)[2:] == [
        "customer.updated",
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.pending",
        "payment_intent.processing",
        "invoice.updated",
    ]
    before = latest(sandbox)
    advance(sandbox, clock, made["created"] + 60)
    assert events_since(sandbox, before) == [
        "test_helpers.test_clock.advancing",
        "charge.succeeded",
        "payment_intent.succeeded",
        *PAID,
        "test_helpers.test_clock.ready",
    ]
    assert sandbox.stripe.v1.invoices.retrieve(invoice["id"]).amount_paid == 2000
    assert subscription(sandbox, made["id"])["status"] == "active"


def test_a_bank_debit_that_is_returned_makes_the_subscription_past_due(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    made = subscribe(sandbox, debited(sandbox, clock, "AT861904300235473202"), euro_plan(sandbox))
    before = latest(sandbox)
    advance(sandbox, clock, made["created"] + 60)
    assert events_since(sandbox, before)[1:-1] == [
        "charge.failed",
        "payment_intent.payment_failed",
        "invoice.payment_failed",
        UPDATED,
    ]
    failed = subscription(sandbox, made["id"])
    assert failed["status"] == "past_due"
    assert sandbox.stripe.v1.invoices.pay(failed["latest_invoice"], {"payment_method": "pm_card_visa"}).status == "paid"
    assert subscription(sandbox, made["id"])["status"] == "active"


# 3-D Secure


def test_a_first_invoice_waits_for_its_buyer_who_answers_on_its_page(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox, "pm_card_threeDSecure2Required"), plans(sandbox, 2000)
    with pytest.raises(stripe.CardError, match="requires additional user action"):
        subscribe(sandbox, customer, price, payment_behavior="error_if_incomplete")
    before = latest(sandbox)
    made = subscribe(sandbox, customer, price, expand=["latest_invoice.confirmation_secret"])
    invoice = made["latest_invoice"]
    assert (made["status"], invoice["status"]) == ("incomplete", "open")
    assert events_since(sandbox, before)[-2:] == ASKED
    intent = expand_intent(sandbox, invoice["id"])
    assert intent["status"] == "requires_action"
    assert invoice["confirmation_secret"]["client_secret"] == intent["client_secret"]
    assert intent["next_action"]["redirect_to_url"]["url"] == invoice["hosted_invoice_url"]
    before = latest(sandbox)
    assert answer(sandbox, invoice["id"], passed=False)["error"]["code"] == "payment_intent_authentication_failure"
    assert events_since(sandbox, before) == [
        "payment_intent.payment_failed",
        "invoice.updated",
        "invoice.payment_failed",
    ]
    with pytest.raises(stripe.CardError) as refused:
        sandbox.stripe.v1.invoices.pay(invoice["id"], {"off_session": False})
    assert refused.value.code == "invoice_payment_intent_requires_action"
    before = latest(sandbox)
    assert answer(sandbox, invoice["id"])["status"] == "paid"
    assert events_since(sandbox, before) == ["payment_intent.succeeded", "charge.succeeded", *PAID, UPDATED]
    assert subscription(sandbox, made["id"])["status"] == "active"


def test_an_intent_that_is_confirmed_pays_its_invoice(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price, payment_behavior="default_incomplete")
    intent = expand_intent(sandbox, made["latest_invoice"])
    before = latest(sandbox)
    done = sandbox.stripe.v1.payment_intents.confirm(intent["id"], {"payment_method": "pm_card_visa"})
    assert done.status == "succeeded"
    assert set(PAID) <= set(events_since(sandbox, before))
    assert subscription(sandbox, made["id"])["status"] == "active"


def test_a_renewal_whose_bank_asks_is_past_due_until_its_buyer_answers(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer, client = clocked_subscriber(sandbox, clock), sandbox.stripe.v1
    made = subscribe(sandbox, customer, plans(sandbox, 2000)[0])
    asking = client.payment_methods.attach("pm_card_threeDSecure2Required", {"customer": customer}).id
    client.customers.update(customer, {"invoice_settings": {"default_payment_method": asking}})
    advance(sandbox, clock, month(1) + 3600)
    waiting = subscription(sandbox, made["id"])
    invoice = waiting["latest_invoice"]
    assert waiting["status"] == "past_due"
    types = [one["type"] for one in events_of(sandbox, made["id"], invoice, customer)]
    assert types[-5:] == [ASKED[0], "invoice.updated", ASKED[1], "invoice.payment_failed", UPDATED]
    assert expand_intent(sandbox, invoice)["status"] == "requires_action"
    assert answer(sandbox, invoice)["status"] == "paid"
    assert subscription(sandbox, made["id"])["status"] == "active"


def test_a_trial_asks_for_a_card_by_its_pending_setup_intent(sandbox: Sandbox) -> None:
    customer, [price] = sandbox.stripe.v1.customers.create({}).id, plans(sandbox, 2000)
    made = subscribe(
        sandbox,
        customer,
        price,
        trial_period_days=7,
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
        expand=["pending_setup_intent"],
    )
    intent = made["pending_setup_intent"]
    assert (made["status"], intent["status"]) == ("trialing", "requires_payment_method")
    before = latest(sandbox)
    confirm: Any = {"payment_method": "pm_card_visa", "return_url": "https://shop.example.com"}
    saved = sandbox.stripe.v1.setup_intents.confirm(intent["id"], confirm)
    assert saved.status == "succeeded"
    assert events_since(sandbox, before) == ["payment_method.attached", "setup_intent.succeeded", UPDATED]
    kept = subscription(sandbox, made["id"])
    assert (kept["pending_setup_intent"], kept["default_payment_method"]) == (None, saved.payment_method)
    assert renew(sandbox, made["id"])["status"] == "active"


# changes that wait for their payment


def test_a_pending_change_is_made_when_it_is_paid(sandbox: Sandbox) -> None:
    customer, [basic, gold] = subscriber(sandbox), plans(sandbox, 2000, 5000)
    made = subscribe(sandbox, customer, basic)
    item = made["items"]["data"][0]["id"]
    failing = sandbox.stripe.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer}).id
    sandbox.stripe.v1.subscriptions.update(made["id"], {"default_payment_method": failing})
    change: Any = {
        "items": [{"id": item, "price": gold}],
        "payment_behavior": "pending_if_incomplete",
        "proration_behavior": "always_invoice",
    }
    more: Any = {**change, "description": "x"}
    with pytest.raises(stripe.InvalidRequestError, match="only supported parameters"):
        sandbox.stripe.v1.subscriptions.update(made["id"], more)
    waiting = sandbox.stripe.v1.subscriptions.update(made["id"], change).to_dict()
    assert (waiting["status"], waiting["items"]["data"][0]["price"]["id"]) == ("active", basic)
    assert waiting["pending_update"]["subscription_items"][0]["price"]["id"] == gold
    assert abs(waiting["pending_update"]["expires_at"] - waiting["created"] - 23 * 3600) < 60
    before = latest(sandbox)
    sandbox.stripe.v1.invoices.pay(waiting["latest_invoice"], {"payment_method": "pm_card_visa"})
    assert events_since(sandbox, before)[-2:] == [UPDATED, "customer.subscription.pending_update_applied"]
    changed = subscription(sandbox, made["id"])
    assert (changed["pending_update"], changed["items"]["data"][0]["price"]["id"]) == (None, gold)
    assert not sandbox.stripe.v1.invoice_items.list({"customer": customer, "pending": True}).data


def test_a_pending_change_that_nobody_pays_is_forgotten_after_23_hours(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer, [basic, gold] = clocked_subscriber(sandbox, clock), plans(sandbox, 2000, 5000)
    made = subscribe(sandbox, customer, basic)
    failing = sandbox.stripe.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer}).id
    sandbox.stripe.v1.subscriptions.update(made["id"], {"default_payment_method": failing})
    change: Any = {
        "items": [{"id": made["items"]["data"][0]["id"], "price": gold}],
        "payment_behavior": "pending_if_incomplete",
        "proration_behavior": "always_invoice",
    }
    waiting = sandbox.stripe.v1.subscriptions.update(made["id"], change)
    advance(sandbox, clock, made["created"] + 23 * 3600)
    types = [one["type"] for one in events_of(sandbox, made["id"], types="customer.subscription")]
    assert types[-2:] == [UPDATED, "customer.subscription.pending_update_expired"]
    kept = subscription(sandbox, made["id"])
    assert (kept["pending_update"], kept["items"]["data"][0]["price"]["id"]) == (None, basic)
    assert isinstance(waiting.latest_invoice, str)
    assert sandbox.stripe.v1.invoices.retrieve(waiting.latest_invoice).status == "void"


def test_an_invoice_names_the_card_that_pays_it(sandbox: Sandbox) -> None:
    client, customer = sandbox.stripe.v1, subscriber(sandbox)
    other = client.payment_methods.attach("pm_card_amex", {"customer": customer}).id
    client.invoice_items.create({"customer": customer, "amount": 700, "currency": "usd"})
    params: Any = {"customer": customer, "pending_invoice_items_behavior": "include", "default_payment_method": other}
    draft = client.invoices.create(params)
    client.invoices.pay(draft.id)
    assert client.charges.list({"customer": customer, "limit": 1}).data[0].payment_method == other
    assert renew(sandbox, subscribe(sandbox, customer, plans(sandbox, 2000)[0])["id"])["status"] == "active"
