"""Test clocks: what belongs to one lives in its time, and everything that is due happens in order at its own moment."""

import time
from itertools import pairwise
from typing import Any

import pytest
import stripe

from tests.sandbox.clocks import (
    DAY,
    NEW_YEAR,
    advance,
    advance_to_month,
    busy,
    clock_at,
    clocked_subscriber,
    events_of,
    month,
)
from tests.sandbox.running import Sandbox
from tests.sandbox.subscribing import events_since, latest, plans, subscribe, subscriber, subscription

RENEWED = [
    "customer.subscription.updated",
    "invoice.created",
    "invoice.finalized",
    "payment_intent.created",
    "payment_intent.succeeded",
    "charge.succeeded",
    "invoice.paid",
    "invoice.payment_succeeded",
]


def status(sandbox: Sandbox, id: str) -> str:
    return subscription(sandbox, id)["status"]


def test_a_clock_is_created_listed_advanced_and_deleted(sandbox: Sandbox) -> None:
    clocks = sandbox.stripe.v1.test_helpers.test_clocks
    sandbox.price()
    before = latest(sandbox)
    made = clocks.create({"frozen_time": NEW_YEAR, "name": "Renewals"}).to_dict()
    assert (made["frozen_time"], made["name"], made["status"]) == (NEW_YEAR, "Renewals", "ready")
    assert made["deletes_after"] - made["created"] == 7 * DAY
    assert [one.id for one in clocks.list().data][:1] == [made["id"]]
    moving = clocks.advance(made["id"], {"frozen_time": NEW_YEAR + DAY}).to_dict()
    assert (moving["status"], moving["frozen_time"]) == ("advancing", NEW_YEAR)
    assert moving["status_details"] == {"advancing": {"target_frozen_time": NEW_YEAR + DAY}}
    while clocks.retrieve(made["id"]).status != "ready":
        time.sleep(0.005)
    assert clocks.retrieve(made["id"]).frozen_time == NEW_YEAR + DAY
    assert clocks.delete(made["id"]).deleted
    with pytest.raises(stripe.InvalidRequestError, match=f"No such test_clock: '{made['id']}'"):
        clocks.retrieve(made["id"])
    words = ("created", "advancing", "ready", "deleted")
    assert events_since(sandbox, before) == [f"test_helpers.test_clock.{word}" for word in words]


def test_a_clock_moves_forward_by_two_intervals_at_most(sandbox: Sandbox) -> None:
    clocks = sandbox.stripe.v1.test_helpers.test_clocks
    clock = clock_at(sandbox)
    for back in (NEW_YEAR, NEW_YEAR - 1):
        with pytest.raises(stripe.InvalidRequestError, match="only moves forward") as refused:
            clocks.advance(clock, {"frozen_time": back})
        assert refused.value.param == "frozen_time"
    with pytest.raises(stripe.InvalidRequestError, match="two intervals"):
        clocks.advance(clock, {"frozen_time": NEW_YEAR + 731 * DAY})
    customer = clocked_subscriber(sandbox, clock)
    subscribe(sandbox, customer, plans(sandbox, 20_000, interval="year")[0])
    subscribe(sandbox, customer, plans(sandbox, 2000)[0])
    with pytest.raises(stripe.InvalidRequestError, match="two intervals"):
        clocks.advance(clock, {"frozen_time": month(2) + 1})
    advance(sandbox, clock, month(2))


def test_nothing_of_a_clock_is_changed_while_it_advances(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer = clocked_subscriber(sandbox, clock)
    prices = plans(sandbox, 2000, 3000)
    made = [subscribe(sandbox, customer, price) for price in prices * 6]
    clocks = sandbox.stripe.v1.test_helpers.test_clocks
    clocks.advance(clock, {"frozen_time": month(2)})
    refused = sandbox.http.refused("POST", f"/v1/subscriptions/{made[0]['id']}", {"description": "x"})
    told = f"Test clock advancement underway - cannot perform modifications: {clock}"
    assert (refused["status"], refused["code"], refused["message"]) == (429, "rate_limit", told)
    assert sandbox.http.api("GET", f"/v1/subscriptions/{made[0]['id']}").status_code == 200
    while clocks.retrieve(clock).status != "ready":
        time.sleep(0.01)
    assert sandbox.http.api("POST", f"/v1/subscriptions/{made[0]['id']}", {"description": "x"}).status_code == 200


def test_objects_of_a_clock_show_it_and_its_time_but_payments_and_events_do_not(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer = clocked_subscriber(sandbox, clock)
    made = subscribe(sandbox, customer, plans(sandbox, 2000)[0])
    client = sandbox.stripe.v1
    invoice = client.invoices.retrieve(made["latest_invoice"])
    for one in (client.customers.retrieve(customer), client.subscriptions.retrieve(made["id"]), invoice):
        assert (one.test_clock, one.created) == (clock, NEW_YEAR)
    assert made["items"]["data"][0]["current_period_end"] == month(1)
    now = time.time()
    intent = client.payment_intents.list({"customer": customer}).data[0]
    [created] = events_of(sandbox, made["id"], types="customer.subscription.created")
    assert all(now - 60 < moment <= now for moment in (intent.created, created["created"]))


def test_lists_leave_out_what_belongs_to_a_clock(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer, other = clocked_subscriber(sandbox, clock), subscriber(sandbox)
    [price] = plans(sandbox, 2000)
    made, free = subscribe(sandbox, customer, price)["id"], subscribe(sandbox, other, price)["id"]
    client = sandbox.stripe.v1
    customers = [one.id for one in client.customers.list().data]
    assert (other in customers, customer in customers) == (True, False)
    assert [one.id for one in client.customers.list({"test_clock": clock}).data] == [customer]
    assert [one.id for one in client.subscriptions.list({"price": price}).data] == [free]
    assert [one.id for one in client.subscriptions.list({"test_clock": clock}).data] == [made]
    assert [one.id for one in client.subscriptions.list({"customer": customer}).data] == [made]


def test_a_year_of_renewals_with_one_failed_payment_takes_less_than_two_seconds(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer = clocked_subscriber(sandbox, clock)
    client = sandbox.stripe.v1
    made = subscribe(sandbox, customer, plans(sandbox, 2000)[0])
    began = busy(sandbox)
    advance_to_month(sandbox, clock, 4)
    bad = client.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer}).id
    client.customers.update(customer, {"invoice_settings": {"default_payment_method": bad}})
    advance(sandbox, clock, month(5) + 4 * DAY)
    assert status(sandbox, made["id"]) == "past_due"
    good = client.payment_methods.attach("pm_card_mastercard", {"customer": customer}).id
    client.customers.update(customer, {"invoice_settings": {"default_payment_method": good}})
    advance(sandbox, clock, month(6) + 3700)
    assert status(sandbox, made["id"]) == "active"
    advance_to_month(sandbox, clock, 12, first=6)
    took = busy(sandbox) - began

    invoices = client.invoices.list({"subscription": made["id"], "limit": 100}).data[::-1]
    assert [(one.status, one.created) for one in invoices] == [("paid", month(number)) for number in range(13)]
    assert [one.attempt_count for one in invoices] == [1] * 5 + [3] + [1] * 7
    assert [one.status_transitions.paid_at for one in invoices[1:]] == [
        month(number) + 3600 + (8 * DAY if number == 5 else 0) for number in range(1, 13)
    ]
    events = [one["type"] for one in events_of(sandbox, made["id"], customer, *[one.id or "" for one in invoices])]
    assert events.count("invoice.upcoming") == 12
    assert events.count("invoice.payment_failed") == 2
    assert events.count("invoice.paid") == 13
    assert [one for one in events if one in RENEWED][-8:] == RENEWED
    assert took < 2, f"a year took {took:.2f} s"


def test_what_is_due_happens_at_its_own_moment(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer = clocked_subscriber(sandbox, clock, "pm_card_chargeCustomerFail")
    made = subscribe(sandbox, customer, plans(sandbox, 2000)[0], trial_period_days=10)
    before = latest(sandbox)
    advance(sandbox, clock, NEW_YEAR + 7 * DAY - 1)
    assert "customer.subscription.trial_will_end" not in events_since(sandbox, before)
    advance(sandbox, clock, NEW_YEAR + 10 * DAY + 3599)
    invoice = sandbox.stripe.v1.invoices.retrieve(subscription(sandbox, made["id"])["latest_invoice"])
    assert (invoice.status, invoice.automatically_finalizes_at) == ("draft", NEW_YEAR + 10 * DAY + 3600)
    times: list[int | None] = []
    for days in (0, 3, 8):
        advance(sandbox, clock, NEW_YEAR + (10 + days) * DAY + 3600)
        times.append(sandbox.stripe.v1.invoices.retrieve(invoice.id or "").next_payment_attempt)
    start = NEW_YEAR + 10 * DAY + 3600
    assert times == [start + 3 * DAY, start + 8 * DAY, start + 15 * DAY]
    assert status(sandbox, made["id"]) == "past_due"
    advance(sandbox, clock, start + 15 * DAY)
    ended = subscription(sandbox, made["id"])
    assert (ended["status"], ended["ended_at"]) == ("canceled", start + 15 * DAY)
    found = [one["type"] for one in events_of(sandbox, made["id"], customer, types="customer.subscription")]
    assert found == [
        "customer.subscription.created",
        "customer.subscription.trial_will_end",
        "customer.subscription.updated",
        "customer.subscription.updated",
        "customer.subscription.deleted",
    ]


def test_ends_pauses_first_payments_and_checkouts_keep_to_the_clock(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer = clocked_subscriber(sandbox, clock)
    [price, other, third] = plans(sandbox, 2000, 3000, 4000)
    ending = subscribe(sandbox, customer, price, cancel_at=NEW_YEAR + 5 * DAY)
    waiting = subscribe(sandbox, customer, other, payment_behavior="default_incomplete")
    paused = subscribe(sandbox, customer, third)
    pause: Any = {"pause_collection": {"behavior": "void", "resumes_at": NEW_YEAR + 6 * DAY}}
    sandbox.stripe.v1.subscriptions.update(paused["id"], pause)
    session = sandbox.session(customer=customer, expires_at=NEW_YEAR + 2 * 3600)
    advance(sandbox, clock, NEW_YEAR + 2 * 3600)
    assert sandbox.stripe.v1.checkout.sessions.retrieve(session.id).status == "expired"
    advance(sandbox, clock, NEW_YEAR + 23 * 3600)
    assert status(sandbox, waiting["id"]) == "incomplete_expired"
    advance(sandbox, clock, NEW_YEAR + 7 * DAY)
    ended = subscription(sandbox, ending["id"])
    assert (ended["status"], ended["ended_at"]) == ("canceled", NEW_YEAR + 5 * DAY)
    assert subscription(sandbox, paused["id"])["pause_collection"] is None


def test_a_checkout_of_a_clocks_customer_subscribes_in_its_time(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer = sandbox.stripe.v1.customers.create({"test_clock": clock, "email": "ada@example.com"}).id
    session = sandbox.session(plans(sandbox, 2000)[0], mode="subscription", customer=customer)
    assert session.created == NEW_YEAR
    assert "Pocket plan" in sandbox.http.browser.get(session.url).text
    assert sandbox.pay(session).status_code == 303
    made = sandbox.stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]}).to_dict()
    bought = made["subscription"]
    assert (bought["test_clock"], bought["start_date"]) == (clock, NEW_YEAR)
    advance(sandbox, clock, month(1) + 3600)
    assert len(sandbox.stripe.v1.invoices.list({"subscription": bought["id"], "status": "paid"}).data) == 2
    portal: Any = {"customer": customer, "return_url": "https://shop.example.com"}
    page = sandbox.stripe.v1.billing_portal.sessions.create(portal)
    assert (page.created > month(2), sandbox.http.browser.get(page.url).status_code) == (True, 200)


def test_a_customer_is_attached_later_with_all_it_has(sandbox: Sandbox) -> None:
    customer = subscriber(sandbox)
    made = subscribe(sandbox, customer, plans(sandbox, 2000)[0])
    end = made["items"]["data"][0]["current_period_end"]
    clock = clock_at(sandbox, made["created"], customer=customer)
    assert sandbox.stripe.v1.customers.retrieve(customer).test_clock == clock
    advance(sandbox, clock, end + 3600)
    assert subscription(sandbox, made["id"])["items"]["data"][0]["current_period_start"] == end
    with pytest.raises(stripe.InvalidRequestError, match="attached to a test clock already"):
        clock_at(sandbox, customer=customer)


def test_deleting_a_clock_deletes_its_customers_and_ends_their_subscriptions(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    customer = clocked_subscriber(sandbox, clock)
    made = subscribe(sandbox, customer, plans(sandbox, 2000)[0])
    before = latest(sandbox)
    sandbox.stripe.v1.test_helpers.test_clocks.delete(clock)
    assert events_since(sandbox, before) == [
        "customer.subscription.deleted",
        "customer.deleted",
        "test_helpers.test_clock.deleted",
    ]
    ended = subscription(sandbox, made["id"])
    assert (ended["status"], ended["ended_at"]) == ("canceled", NEW_YEAR)
    assert sandbox.stripe.v1.customers.retrieve(customer).deleted


def test_two_clocks_have_times_of_their_own(sandbox: Sandbox) -> None:
    one, other = clock_at(sandbox), clock_at(sandbox, month(6))
    [price] = plans(sandbox, 2000)
    first = subscribe(sandbox, clocked_subscriber(sandbox, one), price)
    second = subscribe(sandbox, clocked_subscriber(sandbox, other), price)
    advance(sandbox, one, month(1) + 3600)
    starts = [subscription(sandbox, made["id"])["items"]["data"][0]["current_period_start"] for made in (first, second)]
    assert starts == [month(1), month(6)]
    periods = [one.created for one in sandbox.stripe.v1.invoices.list({"subscription": first["id"]}).data[::-1]]
    assert all(before < after for before, after in pairwise(periods))
