"""Seeding: thousands of objects that look like the sandbox's own, belong together and are found by time."""

import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from paygres.sandbox.spec.validation import violations
from tests.sandbox.running import Sandbox

DAY = 24 * 3600
UNTIL = int(time.time()) // DAY * DAY
SINCE = UNTIL - 100 * DAY
ASKED: dict[str, Any] = {
    "products": 30,
    "prices": 90,
    "customers": 150,
    "subscriptions": 150,
    "invoices": 200,
    "checkout_sessions": 400,
    "payment_intents": 450,
    "charges": 440,
    "refunds": 40,
    "disputes": 10,
    "since": SINCE,
    "until": UNTIL,
    "fields": {
        "customers": {"metadata": {"number": "{n}"}},
        "subscriptions": {"metadata": {"team": "team-{n}"}},
        "payment_intents": {"metadata": {"order": "order-{n}"}},
        "checkout_sessions": {"client_reference_id": "cart-{n}"},
    },
}
PATHS = {
    "products": "/v1/products",
    "prices": "/v1/prices",
    "customers": "/v1/customers",
    "subscriptions": "/v1/subscriptions?status=all",
    "invoices": "/v1/invoices",
    "checkout_sessions": "/v1/checkout/sessions",
    "payment_intents": "/v1/payment_intents",
    "charges": "/v1/charges",
    "refunds": "/v1/refunds",
    "disputes": "/v1/disputes",
}
Objects = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def seeded(sandbox: Sandbox) -> Objects:
    """All objects by kind, newest first, read page by page."""
    answer = sandbox.http.browser.post("/_sim/seed", json=ASKED)
    assert answer.json() == {kind: ASKED[kind] for kind in PATHS}
    return {kind: list(read(sandbox, kind)) for kind in PATHS}


def read(sandbox: Sandbox, kind: str, **params: str) -> list[dict[str, Any]]:
    path, _, status = PATHS[kind].partition("?")
    asked = {"limit": "100", **dict([status.split("=")] if status else []), **params}
    found: list[dict[str, Any]] = []
    while True:
        answer = sandbox.http.browser.get(path, params=asked, headers={"Authorization": f"Bearer {sandbox.key}"})
        page = answer.json()
        found += page["data"]
        if not page["has_more"]:
            return found
        asked["starting_after"] = found[-1]["id"]


def by_id(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in items}


def test_as_many_are_listed_as_were_asked_for(seeded: Objects) -> None:
    assert {kind: len(by_id(items)) for kind, items in seeded.items()} == {kind: ASKED[kind] for kind in PATHS}


@pytest.mark.parametrize("kind", PATHS)
def test_seeded_objects_are_what_stripe_publishes(seeded: Objects, kind: str) -> None:
    for item in random.Random(kind).sample(seeded[kind], min(25, len(seeded[kind]))):
        assert violations(item, strict=True) == []


@pytest.mark.parametrize("kind", PATHS)
def test_lists_are_in_the_order_of_time_and_narrowed_by_it(sandbox: Sandbox, seeded: Objects, kind: str) -> None:
    times = [item["created"] for item in seeded[kind]]
    assert times == sorted(times, reverse=True)
    assert SINCE <= times[-1] <= times[0] <= UNTIL
    middle = times[len(times) // 2]
    for word, fits in (("gt", int.__gt__), ("gte", int.__ge__), ("lt", int.__lt__), ("lte", int.__le__)):
        narrowed = read(sandbox, kind, **{f"created[{word}]": str(middle)})
        assert [one["id"] for one in narrowed] == [one["id"] for one in seeded[kind] if fits(one["created"], middle)]
    window = {"created[gte]": str(SINCE + 20 * DAY), "created[lt]": str(SINCE + 40 * DAY)}
    assert [one["id"] for one in read(sandbox, kind, **window)] == [
        one["id"] for one in seeded[kind] if SINCE + 20 * DAY <= one["created"] < SINCE + 40 * DAY
    ]


def test_what_belongs_together_is_linked(seeded: Objects) -> None:
    products, prices, customers = (by_id(seeded[kind]) for kind in ("products", "prices", "customers"))
    subscriptions, invoices = by_id(seeded["subscriptions"]), by_id(seeded["invoices"])
    intents, charges = by_id(seeded["payment_intents"]), by_id(seeded["charges"])
    assert all(price["product"] in products for price in prices.values())
    for subscription in subscriptions.values():
        assert subscription["customer"] in customers
        [item] = subscription["items"]["data"]
        assert item["price"] == prices[item["price"]["id"]]
        if subscription["status"] == "active":
            assert item["current_period_start"] <= UNTIL < item["current_period_end"]
        else:
            assert subscription["created"] <= subscription["ended_at"] <= UNTIL
        assert invoices[subscription["latest_invoice"]]["customer"] == subscription["customer"]
    for invoice in invoices.values():
        owner = subscriptions[invoice["parent"]["subscription_details"]["subscription"]]
        assert owner["created"] <= invoice["created"]
        assert invoice["parent"]["subscription_details"]["metadata"] == owner["metadata"]
        assert invoice["total"] == owner["items"]["data"][0]["price"]["unit_amount"]
    for charge in charges.values():
        intent = intents[charge["payment_intent"]]
        assert (intent["latest_charge"], intent["amount"]) == (charge["id"], charge["amount"])
        assert charge["metadata"] == intent["metadata"]
    assert sum(intent["status"] == "requires_payment_method" for intent in intents.values()) == 10
    for refund in seeded["refunds"]:
        charge = charges[refund["charge"]]
        assert charge["amount_refunded"] == refund["amount"] <= charge["amount"]
        assert charge["refunded"] == (refund["amount"] == charge["amount"])
    disputed = {dispute["charge"] for dispute in seeded["disputes"]}
    assert {id for id, charge in charges.items() if charge["disputed"]} == disputed
    for session in seeded["checkout_sessions"]:
        if session["payment_intent"]:
            assert intents[session["payment_intent"]]["amount"] == session["amount_total"]
        elif session["subscription"]:
            assert subscriptions[session["subscription"]]["customer"] == session["customer"]


def test_given_fields_are_numbered(seeded: Objects) -> None:
    assert {one["metadata"]["number"] for one in seeded["customers"]} == {str(number) for number in range(150)}
    assert {one["metadata"]["team"] for one in seeded["subscriptions"]} == {f"team-{number}" for number in range(150)}
    assert {one["client_reference_id"] for one in seeded["checkout_sessions"]} == {f"cart-{n}" for n in range(400)}
    assert {one["metadata"]["order"] for one in seeded["charges"]} == {f"order-{number}" for number in range(440)}


def test_seeding_sends_no_event(sandbox: Sandbox, seeded: Objects) -> None:
    assert sandbox.event_types() == []


def test_seeded_objects_live_on(sandbox: Sandbox, seeded: Objects) -> None:
    client = sandbox.stripe.v1
    charge = next(one for one in seeded["charges"] if not one["amount_refunded"] and not one["disputed"])
    assert client.refunds.create({"charge": charge["id"]}).amount == charge["amount"]
    customer = seeded["customers"][0]["id"]
    assert client.customers.update(customer, {"name": "Ada"}).email == seeded["customers"][0]["email"]
    assert client.balance_transactions.retrieve(charge["balance_transaction"]).amount == charge["amount"]
    session = next(one for one in seeded["checkout_sessions"] if one["status"] == "complete")
    assert client.checkout.sessions.line_items.list(session["id"]).data[0].amount_total == session["amount_total"]
    again = sandbox.http.browser.post("/_sim/seed", json={"customers": 3, "events": True, "since": UNTIL - DAY})
    assert again.json() == {"customers": 3}
    assert sandbox.event_types(type="customer.created") == ["customer.created"] * 3


@pytest.mark.parametrize(
    "asked", [{"cats": 1}, {"products": -1}, {"products": "many"}, {"since": 5, "until": 4}, {"fields": {"cats": {}}}]
)
def test_a_plan_that_means_nothing_is_refused(sandbox: Sandbox, asked: dict[str, Any]) -> None:
    assert sandbox.http.browser.post("/_sim/seed", json=asked).status_code == 400


def test_fifty_thousand_objects_take_seconds_and_little_memory() -> None:
    with Sandbox(validate=False) as running:
        asked = {"products": 5_000, "prices": 10_000, "customers": 20_000, "subscriptions": 20_000}
        assert running.http.browser.post("/_sim/seed", json=asked, timeout=120).json() == asked
        assert cpu_seconds(running) < 20
        status = Path(f"/proc/{running.process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        assert peak < 400 * 1024
        before = cpu_seconds(running)
        for place in range(40):
            window = {"limit": "100", "status": "all", "created[lt]": str(int(time.time()) - place * 8 * DAY)}
            headers = {"Authorization": f"Bearer {running.key}"}
            answer = running.http.browser.get("/v1/subscriptions", params=window, headers=headers)
            assert len(answer.json()["data"]) == 100
        # A few milliseconds for a page of the largest objects, wherever it lies.
        assert (cpu_seconds(running) - before) / 40 < 0.01


def cpu_seconds(running: Sandbox) -> float:
    """What the process has worked: unlike a clock, no other process makes it longer."""
    numbers = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")
