"""Subscriptions by the API: how they begin, change and end, with their invoices and events in the recorded order."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.sandbox.running import Receiver, Sandbox
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

PAID = ["invoice.created", "invoice.finalized", "invoice.paid", "invoice.payment_succeeded"]
BILLED = [
    "invoice.created",
    "invoice.finalized",
    "payment_intent.created",
    "payment_intent.succeeded",
    "charge.succeeded",
    "invoice.paid",
    "invoice.payment_succeeded",
]
UPDATED = "customer.subscription.updated"


# how they begin


def test_a_saved_card_pays_the_first_invoice_in_the_recorded_order(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    before = latest(sandbox)
    made = subscribe(sandbox, customer, price, metadata={"team": "t1"}, description="Team plan")
    assert events_since(sandbox, before) == [
        "charge.succeeded",
        "customer.updated",
        "customer.subscription.created",
        "payment_intent.created",
        "payment_intent.succeeded",
        *PAID,
    ]
    assert (made["status"], made["metadata"], made["description"]) == ("active", {"team": "t1"}, "Team plan")
    expand: Any = {"expand": ["payments.data.payment.payment_intent"]}
    invoice = sandbox.stripe.v1.invoices.retrieve(made["latest_invoice"], expand).to_dict()
    assert (invoice["status"], invoice["amount_paid"], invoice["billing_reason"]) == (
        "paid",
        2000,
        "subscription_create",
    )
    assert invoice["parent"]["subscription_details"] == {"metadata": {"team": "t1"}, "subscription": made["id"]}
    assert invoice["payments"]["data"][0]["payment"]["payment_intent"]["status"] == "succeeded"


def test_a_subscription_without_a_card_is_refused_or_waits_for_its_payment(sandbox: Sandbox) -> None:
    [price] = plans(sandbox, 2000)
    customer = sandbox.stripe.v1.customers.create({}).id
    with pytest.raises(
        stripe.InvalidRequestError, match="no attached payment source or default payment method"
    ) as refused:
        subscribe(sandbox, customer, price)
    assert refused.value.code == "resource_missing"
    before = latest(sandbox)
    made = subscribe(sandbox, customer, price, payment_behavior="default_incomplete", expand=["latest_invoice"])
    invoice = made["latest_invoice"]
    assert (made["status"], invoice["status"], invoice["amount_remaining"]) == ("incomplete", "open", 2000)
    assert events_since(sandbox, before) == [
        "customer.updated",
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
    ]
    sandbox.stripe.v1.invoices.pay(invoice["id"], {"payment_method": "pm_card_visa"})
    assert subscription(sandbox, made["id"])["status"] == "active"
    assert last_event(sandbox, UPDATED)["data"]["previous_attributes"] == {"status": "incomplete"}


def test_a_declined_first_payment_leaves_it_incomplete_or_starts_nothing(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox, "pm_card_chargeCustomerFail"), plans(sandbox, 2000)
    with pytest.raises(stripe.CardError) as refused:
        subscribe(sandbox, customer, price, payment_behavior="error_if_incomplete")
    assert refused.value.code == "card_declined"
    assert not sandbox.stripe.v1.subscriptions.list({"customer": customer, "status": "all"}).data
    before = latest(sandbox)
    made = subscribe(sandbox, customer, price)
    assert made["status"] == "incomplete"
    assert events_since(sandbox, before)[-6:] == [
        "invoice.finalized",
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "invoice.updated",
        "invoice.payment_failed",
    ]
    ended = sandbox.stripe.v1.subscriptions.cancel(made["id"]).to_dict()
    assert ended["status"] == "incomplete_expired"
    assert sandbox.stripe.v1.invoices.retrieve(made["latest_invoice"]).status == "void"


def test_a_trial_costs_nothing_and_then_renews(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price, trial_period_days=14)
    assert (made["status"], made["trial_end"] - made["trial_start"]) == ("trialing", 14 * 86400)
    assert made["items"]["data"][0]["current_period_end"] == made["trial_end"]
    assert sandbox.stripe.v1.invoices.retrieve(made["latest_invoice"]).total == 0
    renewed = renew(sandbox, made["id"])
    assert (renewed["status"], renewed["latest_invoice"] != made["latest_invoice"]) == ("active", True)
    previous = last_event(sandbox, UPDATED)["data"]["previous_attributes"]
    assert (previous["status"], set(previous)) == ("trialing", {"items", "latest_invoice", "status"})
    with pytest.raises(stripe.InvalidRequestError, match="only specify one of these parameters"):
        subscribe(sandbox, customer, price, trial_period_days=3, trial_end="now")


@pytest.mark.parametrize(
    ("more", "param", "message"),
    [
        ({"items": [{"price": "price_none"}]}, "items[0][price]", "No such price: 'price_none'"),
        ({"customer": "cus_none"}, "customer", "No such customer: 'cus_none'"),
        ({"default_payment_method": "pm_card_visa"}, "default_payment_method", "does not have a payment method"),
        ({"trial_end": 1000}, "trial_end", "in the future"),
        ({"add_invoice_items": [{"price": "price_none"}]}, "add_invoice_items[0][price]", "No such price"),
        ({"application_fee_percent": 5}, "application_fee_percent", "does not simulate"),
        ({"collection_method": "send_invoice"}, "days_until_due", "days_until_due must be set"),
    ],
)
def test_a_subscription_that_cannot_be_is_refused(
    sandbox: Sandbox, more: dict[str, Any], param: str, message: str
) -> None:
    params: Any = {"customer": subscriber(sandbox), "items": [{"price": plans(sandbox, 2000)[0]}], **more}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sandbox.stripe.v1.subscriptions.create(params)
    assert message in str(refused.value)
    assert refused.value.param == param


def test_only_recurring_prices_are_subscribed_to(sandbox: Sandbox) -> None:
    customer = subscriber(sandbox)
    with pytest.raises(stripe.InvalidRequestError, match="only accepts prices with `type=recurring`"):
        subscribe(sandbox, customer, sandbox.price())
    twice: Any = [{"price": plans(sandbox, 2000)[0]}] * 2
    with pytest.raises(stripe.InvalidRequestError, match="multiple subscription items with the same plan"):
        sandbox.stripe.v1.subscriptions.create({"customer": customer, "items": twice})


# how they change


def test_a_change_of_plan_billed_at_once_sends_one_update_and_an_invoice(sandbox: Sandbox) -> None:
    customer, [basic, gold] = subscriber(sandbox), plans(sandbox, 2000, 5000)
    made = subscribe(sandbox, customer, basic)
    item = made["items"]["data"][0]
    before = latest(sandbox)
    changed = sandbox.stripe.v1.subscriptions.update(
        made["id"], {"items": [{"id": item["id"], "price": gold}], "proration_behavior": "always_invoice"}
    ).to_dict()
    assert events_since(sandbox, before) == [UPDATED, *BILLED]
    previous = last_event(sandbox, UPDATED)["data"]["previous_attributes"]
    assert set(previous) == {"items", "latest_invoice"}
    assert previous["items"]["data"][0]["price"]["id"] == basic
    assert previous["latest_invoice"] == made["latest_invoice"]
    [now] = changed["items"]["data"]
    assert (now["id"], now["price"]["id"], now["current_period_end"]) == (item["id"], gold, item["current_period_end"])
    invoice = sandbox.stripe.v1.invoices.retrieve(changed["latest_invoice"]).to_dict()
    assert (invoice["status"], invoice["billing_reason"]) == ("paid", "subscription_update")
    unused, remaining = invoice["lines"]["data"]
    assert unused["description"].startswith("Unused time on Pocket plan after ")
    assert remaining["description"].startswith("Remaining time on Pocket plan after ")
    assert abs(invoice["amount_paid"] - 3000) <= 1
    details = unused["parent"]["subscription_item_details"]
    assert (details["proration"], details["subscription_item"]) == (True, item["id"])


def test_a_change_of_plan_waits_for_the_next_invoice(sandbox: Sandbox) -> None:
    customer, [basic, gold] = subscriber(sandbox), plans(sandbox, 2000, 5000)
    made = subscribe(sandbox, customer, basic)
    item = made["items"]["data"][0]
    half = (item["current_period_start"] + item["current_period_end"]) // 2
    before = latest(sandbox)
    sandbox.stripe.v1.subscriptions.update(
        made["id"], {"items": [{"id": item["id"], "price": gold, "quantity": 2}], "proration_date": half}
    )
    assert events_since(sandbox, before) == ["invoiceitem.created", "invoiceitem.created", UPDATED]
    pending = sandbox.stripe.v1.invoice_items.list({"customer": customer, "pending": True}).data
    assert [one.amount for one in pending] == [5000, -1000]
    renewed = renew(sandbox, made["id"])
    invoice = sandbox.stripe.v1.invoices.retrieve(renewed["latest_invoice"]).to_dict()
    assert [line["amount"] for line in invoice["lines"]["data"]] == [-1000, 5000, 10_000]
    assert invoice["lines"]["data"][0]["parent"]["invoice_item_details"]["proration"]
    assert (invoice["billing_reason"], invoice["amount_paid"]) == ("subscription_cycle", 14_000)
    assert not sandbox.stripe.v1.invoice_items.list({"customer": customer, "pending": True}).data


def test_a_change_without_proration_costs_nothing_now(sandbox: Sandbox) -> None:
    customer, [basic, gold] = subscriber(sandbox), plans(sandbox, 2000, 5000)
    made = subscribe(sandbox, customer, basic)
    before = latest(sandbox)
    sandbox.stripe.v1.subscriptions.update(
        made["id"],
        {"items": [{"id": made["items"]["data"][0]["id"], "price": gold}], "proration_behavior": "none"},
    )
    assert events_since(sandbox, before) == [UPDATED]
    assert set(last_event(sandbox, UPDATED)["data"]["previous_attributes"]) == {"items"}


def test_a_downgrade_billed_at_once_becomes_a_credit(sandbox: Sandbox) -> None:
    customer, [basic, gold] = subscriber(sandbox), plans(sandbox, 2000, 5000)
    made = subscribe(sandbox, customer, gold)
    item = made["items"]["data"][0]
    changed = sandbox.stripe.v1.subscriptions.update(
        made["id"],
        {
            "items": [{"id": item["id"], "price": basic}],
            "proration_behavior": "always_invoice",
            "proration_date": item["current_period_start"],
        },
    ).to_dict()
    invoice = sandbox.stripe.v1.invoices.retrieve(changed["latest_invoice"]).to_dict()
    assert (invoice["total"], invoice["amount_due"], invoice["status"]) == (-3000, 0, "paid")
    assert sandbox.stripe.v1.customers.retrieve(customer).balance == -3000
    renewed = renew(sandbox, made["id"])
    following = sandbox.stripe.v1.invoices.retrieve(renewed["latest_invoice"]).to_dict()
    assert (following["total"], following["starting_balance"], following["amount_due"]) == (2000, -3000, 0)
    assert sandbox.stripe.v1.customers.retrieve(customer).balance == -1000


def test_another_interval_begins_a_new_period_now(sandbox: Sandbox) -> None:
    customer, [monthly] = subscriber(sandbox), plans(sandbox, 2000)
    yearly = plans(sandbox, 20_000, interval="year")[0]
    made = subscribe(sandbox, customer, monthly)
    item = made["items"]["data"][0]
    changed = sandbox.stripe.v1.subscriptions.update(
        made["id"], {"items": [{"id": item["id"], "price": yearly}]}
    ).to_dict()
    [now] = changed["items"]["data"]
    assert now["current_period_end"] - now["current_period_start"] >= 365 * 86400
    invoice = sandbox.stripe.v1.invoices.retrieve(changed["latest_invoice"]).to_dict()
    assert abs(invoice["amount_paid"] - 18_000) <= 1


def test_a_change_that_cannot_be_paid_is_refused_whole_or_makes_it_past_due(sandbox: Sandbox) -> None:
    customer, [basic, gold] = subscriber(sandbox), plans(sandbox, 2000, 5000)
    made = subscribe(sandbox, customer, basic)
    failing = sandbox.stripe.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer}).id
    change: Any = {
        "items": [{"id": made["items"]["data"][0]["id"], "price": gold}],
        "proration_behavior": "always_invoice",
        "default_payment_method": failing,
    }
    before = latest(sandbox)
    with pytest.raises(stripe.CardError):
        sandbox.stripe.v1.subscriptions.update(made["id"], {**change, "payment_behavior": "error_if_incomplete"})
    assert events_since(sandbox, before) == []
    assert subscription(sandbox, made["id"])["items"]["data"][0]["price"]["id"] == basic
    changed = sandbox.stripe.v1.subscriptions.update(made["id"], change)
    assert changed.status == "past_due"
    assert events_since(sandbox, before)[-2:] == ["invoice.payment_failed", UPDATED]


def test_items_are_added_changed_and_removed_one_by_one(sandbox: Sandbox) -> None:
    customer, [basic, extra] = subscriber(sandbox), plans(sandbox, 2000, 500)
    made = subscribe(sandbox, customer, basic)
    items = sandbox.stripe.v1.subscription_items
    added = items.create({"subscription": made["id"], "price": extra, "quantity": 3})
    assert items.list({"subscription": made["id"]}).data[0].id == added.id
    assert items.update(added.id, {"quantity": 5, "proration_behavior": "none"}).quantity == 5
    shown = subscription(sandbox, made["id"])["items"]["data"]
    assert [(one["price"]["id"], one["quantity"]) for one in shown] == [(basic, 1), (extra, 5)]
    assert items.delete(added.id).deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription_item"):
        items.retrieve(added.id)
    with pytest.raises(stripe.InvalidRequestError, match="must have at least one active plan"):
        items.delete(made["items"]["data"][0]["id"])
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription_item: 'si_none'"):
        sandbox.stripe.v1.subscriptions.update(made["id"], {"items": [{"id": "si_none", "quantity": 2}]})


def test_plain_fields_change_with_their_previous_values(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price, metadata={"a": "1"})
    paused: Any = {"behavior": "void"}
    changed = sandbox.stripe.v1.subscriptions.update(
        made["id"], {"metadata": {"b": "2"}, "description": "New", "pause_collection": paused}
    ).to_dict()
    assert changed["metadata"] == {"a": "1", "b": "2"}
    assert last_event(sandbox, UPDATED)["data"]["previous_attributes"] == {
        "description": None,
        "metadata": {"b": None},
        "pause_collection": None,
    }
    renewed = renew(sandbox, made["id"])
    assert sandbox.stripe.v1.invoices.retrieve(renewed["latest_invoice"]).status == "void"
    before = latest(sandbox)
    sandbox.stripe.v1.subscriptions.update(made["id"], {"description": "New"})
    assert events_since(sandbox, before) == []


# how they end


def test_settings_of_payments_are_merged_and_an_empty_one_goes(sandbox: Sandbox) -> None:
    (monthly,) = plans(sandbox, 900)
    made = subscribe(sandbox, subscriber(sandbox), monthly)
    transfer: Any = {"customer_balance": {"funding_type": "bank_transfer"}}
    for options, balance in ((transfer, transfer["customer_balance"]), ({"customer_balance": ""}, None)):
        changed = sandbox.stripe.v1.subscriptions.update(
            made["id"], {"payment_settings": {"payment_method_options": options}}
        ).to_dict()
        told = changed["payment_settings"]["payment_method_options"]
        assert (told["customer_balance"] or None, told["card"]["request_three_d_secure"]) == (
            balance and {**told["customer_balance"], **balance},
            "automatic",
        )


def test_an_end_is_planned_taken_back_and_reached(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price)
    end = made["items"]["data"][0]["current_period_end"]
    update = sandbox.stripe.v1.subscriptions.update
    planned = update(made["id"], {"cancel_at_period_end": True}).to_dict()
    assert (planned["cancel_at"], planned["cancel_at_period_end"], planned["status"]) == (end, True, "active")
    assert planned["cancellation_details"]["reason"] == "cancellation_requested"
    assert last_event(sandbox, UPDATED)["data"]["previous_attributes"] == {
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"reason": None},
    }
    back = update(made["id"], {"cancel_at_period_end": False}).to_dict()
    assert (back["cancel_at"], back["cancel_at_period_end"], back["canceled_at"]) == (None, False, None)
    assert update(made["id"], {"cancel_at": "min_period_end"}).to_dict()["cancel_at"] == end
    ended = renew(sandbox, made["id"])
    assert (ended["status"], ended["cancel_at"], ended["ended_at"] is not None) == ("canceled", end, True)
    assert "previous_attributes" not in last_event(sandbox, "customer.subscription.deleted")["data"]
    with pytest.raises(stripe.InvalidRequestError, match="only specify one of these parameters: cancel_at"):
        update(subscribe(sandbox, customer, price)["id"], {"cancel_at": end, "cancel_at_period_end": True})


def test_a_subscription_is_canceled_now_once(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price)
    before = latest(sandbox)
    told: Any = {"cancellation_details": {"comment": "Too far", "feedback": "unused"}}
    ended = sandbox.stripe.v1.subscriptions.cancel(made["id"], told).to_dict()
    assert ended["status"] == "canceled"
    assert ended["canceled_at"] == ended["ended_at"]
    assert ended["cancellation_details"] == {
        "comment": "Too far",
        "feedback": "unused",
        "reason": "cancellation_requested",
    }
    assert events_since(sandbox, before) == ["customer.subscription.deleted"]
    with pytest.raises(stripe.InvalidRequestError, match=f"No such subscription: '{made['id']}'") as refused:
        sandbox.stripe.v1.subscriptions.cancel(made["id"])
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="can only update its cancellation_details and metadata"):
        sandbox.stripe.v1.subscriptions.update(made["id"], {"description": "Late"})
    assert sandbox.stripe.v1.subscriptions.update(made["id"], {"metadata": {"a": "b"}}).to_dict()["metadata"] == {
        "a": "b"
    }


def test_unused_time_is_given_back_when_asked(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price)
    ended = sandbox.stripe.v1.subscriptions.cancel(made["id"], {"prorate": True, "invoice_now": True}).to_dict()
    invoice = sandbox.stripe.v1.invoices.retrieve(ended["latest_invoice"]).to_dict()
    assert (abs(invoice["total"] + 2000) <= 1, invoice["status"]) == (True, "paid")
    assert sandbox.stripe.v1.customers.retrieve(customer).balance == invoice["total"]


def test_a_trial_and_a_planned_end_are_over_by_themselves(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    customer, [price, other] = subscriber(sandbox), plans(sandbox, 2000, 3000)
    receiver = hook("customer.subscription.deleted", "customer.subscription.trial_will_end", "invoice.created")
    soon = int(time.time()) + 2
    trial = subscribe(sandbox, customer, price, trial_end=soon)
    ending = subscribe(sandbox, customer, other, cancel_at=soon)
    assert (trial["status"], ending["cancel_at"], ending["cancel_at_period_end"]) == ("trialing", soon, False)
    warned = receiver.wait("customer.subscription.trial_will_end").event["data"]["object"]
    ended = receiver.wait("customer.subscription.deleted").event["data"]["object"]
    renewed = receiver.wait("invoice.created", 3).event["data"]["object"]
    assert (warned["id"], ended["id"], ended["cancel_at"]) == (trial["id"], ending["id"], soon)
    assert (renewed["billing_reason"], renewed["status"]) == ("subscription_cycle", "draft")
    assert renewed["automatically_finalizes_at"] - renewed["created"] == 3600
    assert subscription(sandbox, trial["id"])["status"] == "active"


def test_deleting_a_customer_ends_its_subscriptions(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price)
    before = latest(sandbox)
    sandbox.stripe.v1.customers.delete(customer)
    assert events_since(sandbox, before) == ["customer.subscription.deleted", "customer.deleted"]
    assert subscription(sandbox, made["id"])["status"] == "canceled"


def test_a_trial_without_a_card_pauses_and_is_resumed(sandbox: Sandbox) -> None:
    [price] = plans(sandbox, 2000)
    customer = sandbox.stripe.v1.customers.create({}).id
    made = subscribe(
        sandbox,
        customer,
        price,
        trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
    )
    before = latest(sandbox)
    assert renew(sandbox, made["id"])["status"] == "paused"
    assert events_since(sandbox, before) == [UPDATED, "customer.subscription.paused"]
    with pytest.raises(stripe.InvalidRequestError, match="status of `paused`"):
        sandbox.stripe.v1.subscriptions.resume(subscribe(sandbox, subscriber(sandbox), price)["id"])
    method = sandbox.stripe.v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    sandbox.stripe.v1.subscriptions.update(made["id"], {"default_payment_method": method})
    before = latest(sandbox)
    assert sandbox.stripe.v1.subscriptions.resume(made["id"]).status == "active"
    assert events_since(sandbox, before) == [UPDATED, "customer.subscription.resumed", *BILLED]
