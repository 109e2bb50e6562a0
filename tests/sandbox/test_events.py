"""Events: their order as recorded from Stripe, what they carry, how they are listed."""

import time
from collections.abc import Callable

import pytest
import stripe

from tests.sandbox.running import VERSION, Receiver, Sandbox

SUCCESS = ["charge.succeeded", "payment_intent.succeeded", "payment_intent.created", "checkout.session.completed"]


def test_a_purchase_sends_stripes_burst(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    session = sandbox.session()
    receiver = hook()
    sandbox.pay(session)
    receiver.wait("charge.updated")
    assert receiver.types() == [*SUCCESS, "charge.updated"]
    assert sandbox.event_types()[-5:] == [*SUCCESS, "charge.updated"]


def test_the_intent_is_shown_as_it_was_when_created(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    session = sandbox.session()
    receiver = hook()
    sandbox.pay(session)
    created = receiver.wait("payment_intent.created").event["data"]["object"]
    succeeded = receiver.wait("payment_intent.succeeded").event["data"]["object"]
    assert (created["id"], created["status"], created["latest_charge"]) == (
        succeeded["id"],
        "requires_payment_method",
        None,
    )
    assert succeeded["status"] == "succeeded"


def test_a_charge_settles_later_with_its_previous_attributes(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    session = sandbox.session(sandbox.price(1000))
    receiver = hook("charge.updated")
    sandbox.pay(session)
    event = receiver.wait("charge.updated").event
    assert event["data"]["previous_attributes"] == {"balance_transaction": None}
    assert event["request"] == {"id": None, "idempotency_key": None}
    transaction = sandbox.stripe.v1.balance_transactions.retrieve(event["data"]["object"]["balance_transaction"])
    assert (transaction.amount, transaction.fee, transaction.net) == (1000, 59, 941)


def test_a_new_customer_is_announced_within_the_burst(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    session = sandbox.session(customer_creation="always")
    receiver = hook()
    sandbox.pay(session)
    receiver.wait("charge.updated")
    assert receiver.types() == ["charge.succeeded", "customer.created", *SUCCESS[1:], "charge.updated"]


def test_a_decline_and_then_a_success(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    session = sandbox.session()
    receiver = hook()
    sandbox.pay(session, card_number="4000000000000002")
    sandbox.pay(session)
    receiver.wait("charge.updated")
    assert receiver.types() == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "charge.updated",
    ]


def test_a_challenge_sends_the_recorded_order(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    session = sandbox.session()
    receiver = hook()
    sandbox.pay(session, card_number="4000002500003155")
    sandbox.http.browser.post(f"{session.url}/challenge", data={"outcome": "complete"})
    receiver.wait("charge.updated")
    assert receiver.types() == [
        "payment_intent.requires_action",
        "payment_intent.created",
        "payment_intent.succeeded",
        "charge.succeeded",
        "checkout.session.completed",
        "charge.updated",
    ]


def test_a_refund_sends_the_recorded_order(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    session = sandbox.session(sandbox.price(1000))
    sandbox.pay(session)
    intent = sandbox.stripe.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert isinstance(intent, str)
    receiver = hook("refund.created", "refund.updated", "charge.refunded", "charge.refund.updated")
    sandbox.stripe.v1.refunds.create({"payment_intent": intent, "amount": 400})
    receiver.wait("charge.refund.updated")
    assert receiver.types() == ["refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"]
    partly = receiver.wait("charge.refunded").event["data"]
    assert (partly["object"]["amount_refunded"], partly["object"]["refunded"]) == (400, False)
    assert partly["previous_attributes"] == {"amount_refunded": 0}
    sandbox.stripe.v1.refunds.create({"payment_intent": intent})
    wholly = receiver.wait("charge.refunded", 2).event["data"]
    assert (wholly["object"]["amount_refunded"], wholly["object"]["refunded"]) == (1000, True)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sandbox.stripe.v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_already_refunded"
    charge = sandbox.stripe.v1.charges.list({"payment_intent": intent, "expand": ["data.refunds"]}).to_dict()
    assert [refund["amount"] for refund in charge["data"][0]["refunds"]["data"]] == [600, 400]


def test_a_subscription_sends_the_recorded_order(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    session = sandbox.session(
        sandbox.price(2000, recurring={"interval": "month"}),
        mode="subscription",
        subscription_data={"metadata": {"team": "t1"}},
    )
    receiver = hook()
    assert sandbox.pay(session).status_code == 303
    receiver.wait("invoice_payment.paid")
    receiver.wait("charge.updated")
    assert receiver.types()[:13] == [
        "charge.succeeded",
        "payment_method.attached",
        "customer.created",
        "customer.updated",
        "checkout.session.completed",
        "customer.subscription.created",
        "payment_intent.created",
        "payment_intent.succeeded",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        receiver.types()[12],
    ]
    assert sorted(receiver.types()[12:]) == ["charge.updated", "invoice_payment.paid"]
    words = ("created", "finalized", "paid")
    statuses = [receiver.wait(f"invoice.{word}").event["data"]["object"]["status"] for word in words]
    assert statuses == ["draft", "open", "paid"]
    done = receiver.wait("checkout.session.completed").event["data"]["object"]
    invoice = receiver.wait("invoice.paid").event["data"]["object"]
    subscription = receiver.wait("customer.subscription.created").event["data"]["object"]
    assert (done["subscription"], done["invoice"], done["payment_intent"]) == (subscription["id"], invoice["id"], None)
    assert done["customer"] == subscription["customer"] == invoice["customer"]
    assert subscription["metadata"] == {"team": "t1"}
    assert invoice["parent"]["subscription_details"] == {"metadata": {"team": "t1"}, "subscription": subscription["id"]}
    intent = receiver.wait("payment_intent.succeeded").event["data"]["object"]
    assert intent["metadata"] == {}
    item = subscription["items"]["data"][0]
    assert 28 * 86400 <= item["current_period_end"] - item["current_period_start"] <= 31 * 86400


def test_subscriptions_and_invoices_are_read_back(sandbox: Sandbox) -> None:
    customer = sandbox.stripe.v1.customers.create({"email": "ada@example.com"}).id
    price = sandbox.price(2000, recurring={"interval": "year"})
    session = sandbox.session(price, mode="subscription", customer=customer)
    sandbox.pay(session)
    client = sandbox.stripe.v1
    listed = client.subscriptions.list({"customer": customer, "expand": ["data.latest_invoice.payments"]}).to_dict()
    [subscription] = listed["data"]
    assert (subscription["status"], subscription["latest_invoice"]["amount_paid"]) == ("active", 2000)
    paid_by = subscription["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"]
    assert client.payment_intents.retrieve(paid_by).status == "succeeded"
    by_intent = {"payment": {"type": "payment_intent", "payment_intent": paid_by}}
    assert len(client.invoice_payments.list(by_intent).data) == 1  # type: ignore[arg-type]
    assert [one.id for one in client.invoices.list({"subscription": subscription["id"]}).data] == [
        subscription["latest_invoice"]["id"]
    ]
    assert len(client.subscriptions.list({"price": price}).data) == 1
    assert not client.subscriptions.list({"status": "canceled"}).data
    assert len(client.subscription_items.list({"subscription": subscription["id"]}).data) == 1


def test_a_trial_is_free_now(sandbox: Sandbox) -> None:
    price = sandbox.price(2000, recurring={"interval": "month"})
    session = sandbox.session(price, mode="subscription", subscription_data={"trial_period_days": 14})
    assert sandbox.pay(session).status_code == 303
    expanded = {"expand": ["subscription.latest_invoice"]}
    done = sandbox.stripe.v1.checkout.sessions.retrieve(session.id, expanded).to_dict()  # type: ignore[arg-type]
    assert done["payment_status"] == "no_payment_required"
    assert done["subscription"]["status"] == "trialing"
    assert done["subscription"]["latest_invoice"]["amount_due"] == 0


def test_an_event_keeps_the_request_that_caused_it(sandbox: Sandbox) -> None:
    answer = sandbox.http.api("POST", "/v1/customers", "name=A", Idempotency_Key="cause")
    event = sandbox.stripe.v1.events.list({"type": "customer.created", "limit": 1}).data[0].to_dict()
    assert event["request"] == {"id": answer.headers["request-id"], "idempotency_key": "cause"}
    assert (event["api_version"], event["livemode"], event["object"]) == (VERSION, False, "event")


def test_events_are_listed_by_type_types_and_wildcard(sandbox: Sandbox) -> None:
    product = sandbox.stripe.v1.products.create({"name": "A"})
    sandbox.stripe.v1.products.update(product.id, {"name": "B"})
    events = sandbox.stripe.v1.events
    assert events.list({"type": "product.updated"}).data[0].type == "product.updated"
    assert [one.type for one in events.list({"type": "product.*", "limit": 2}).data] == [
        "product.updated",
        "product.created",
    ]
    types = ["product.created", "price.created"]
    assert {one.type for one in events.list({"types": types, "limit": 100}).data} == set(types)
    first = events.list({"limit": 1}).data[0]
    assert events.retrieve(first.id).to_dict() == first.to_dict()
    assert not events.list({"ending_before": first.id}).data
    with pytest.raises(stripe.InvalidRequestError, match="only specify one of these parameters: type, types"):
        events.list({"type": "a", "types": ["b"]})
    with pytest.raises(stripe.InvalidRequestError, match="at most 20"):
        events.list({"types": [f"t{n}" for n in range(21)]})
    assert not events.list({"created": {"gt": int(time.time()) + 60}}).data


def test_events_are_kept_for_thirty_days() -> None:
    with Sandbox() as running:
        day = 86400
        running.http.browser.post(
            "/_sim/seed", json={"customers": 40, "since": int(time.time()) - 40 * day, "events": True}
        )
        events = running.stripe.v1.events.list({"type": "customer.created", "limit": 100}).data
        assert 25 <= len(events) <= 31
        assert min(event.created for event in events) >= time.time() - 30 * day - 60
        kept = {event.data.object["id"] for event in events}
        assert len(running.stripe.v1.customers.list({"limit": 100}).data) == 40 > len(kept)


def test_an_event_counts_as_delivered_when_every_endpoint_has_answered(
    sandbox: Sandbox, hook: Callable[..., Receiver]
) -> None:
    good = hook("product.created")
    gone = {"url": "http://127.0.0.1:1/hook", "enabled_events": ["product.created"]}
    bad = sandbox.stripe.v1.webhook_endpoints.create(gone)  # type: ignore[arg-type]
    sandbox.stripe.v1.products.create({"name": "A"})
    event = good.wait("product.created").event["id"]
    events = sandbox.stripe.v1.events

    def listed(*, delivered: bool) -> list[str]:
        return [one.id for one in events.list({"delivery_success": delivered, "limit": 100}).data]

    # Pending at one of two counts as not delivered, and so does failed for good.
    assert event in listed(delivered=False)
    give_up = time.monotonic() + 5
    while events.retrieve(event).pending_webhooks:
        assert time.monotonic() < give_up
        time.sleep(0.02)
    assert event in listed(delivered=False)
    assert event not in listed(delivered=True)
    sandbox.stripe.v1.webhook_endpoints.delete(bad.id)


def test_missed_events_are_read_from_the_last_one_seen(sandbox: Sandbox) -> None:
    seen = sandbox.stripe.v1.customers.create({})
    last = sandbox.stripe.v1.events.list({"limit": 1}).data[0]
    made = [sandbox.stripe.v1.customers.create({}).id for _ in range(5)]
    missed = sandbox.stripe.v1.events.list({"ending_before": last.id, "types": ["customer.created"], "limit": 2})
    assert [event.data.object["id"] for event in missed.auto_paging_iter()] == made
    assert seen.id not in made
