"""A Paygres server whose Stripe is a sandbox in a test's hands: a plan is bought, paid for, renewed and lost."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from paygres.contrib.payments_sandbox import Sandbox
from tests.fresh_database import FreshDatabase
from tests.http.running import CHECKOUT, STATUS, USER, Server, admin, environment, serving, user

SHOP = {
    "products": {
        "pro": {
            "name": "Pro plan",
            "prices": {
                "monthly": {"id": "price_pro", "unit_amount": 1900, "currency": "usd", "recurring": "month"},
            },
        }
    }
}
SUBJECT = {"type": "user", "id": USER}


@pytest.fixture
def server(database: FreshDatabase, sandbox: Sandbox) -> Iterator[Server]:
    sandbox.reset(new_account=True, seed=SHOP)
    with serving(environment(database.server_url, **sandbox.environ())) as running:
        give_up = time.monotonic() + 20
        while not sandbox.request("GET", "/v1/webhook_endpoints")["data"]:
            assert time.monotonic() < give_up, running.client.get(STATUS, headers=admin()).text
            time.sleep(0.05)
        yield running


def subscribe(server: Server) -> str:
    """The payment page of the user's new checkout."""
    answer = server.client.post(
        CHECKOUT,
        headers=user(),
        json={
            "mode": "subscription",
            "lineItems": [{"priceId": "price_pro"}],
            "successUrl": "https://shop.example.com/thanks",
            "cancelUrl": "https://shop.example.com/plans",
            "subject": SUBJECT,
            "customerEmail": "ada@example.com",
        },
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["checkoutSession"]["url"]


def of_the_user(server: Server, what: str) -> list[dict[str, Any]]:
    query = {"subjectType": "user", "subjectId": USER}
    answer = server.client.get(f"/api/paygres/test/{what}", headers=admin(), params=query)
    assert answer.status_code == 200, answer.text
    [rows] = [value for value in answer.json().values() if isinstance(value, list)]
    return rows


def test_a_plan_is_paid_and_renews_and_is_lost_when_its_card_fails(server: Server, sandbox: Sandbox) -> None:
    sandbox.checkout(subscribe(server)).pay("4242424242424242")
    sandbox.events.wait("invoice.paid")
    assert [row["status"] for row in of_the_user(server, "subscriptions")] == ["active"]
    assert [(row["status"], row["amount"]) for row in of_the_user(server, "transactions")] == [("succeeded", 1900)]

    sandbox.clock.advance(days=31)
    sandbox.events.wait("invoice.paid", count=2)
    assert [row["status"] for row in of_the_user(server, "transactions")] == ["succeeded"] * 2

    [subscription] = of_the_user(server, "subscriptions")
    sandbox.subscriptions(subscription["subscriptionId"]).renew(fail=True)
    sandbox.deliveries.settle()
    assert [row["status"] for row in of_the_user(server, "subscriptions")] == ["past_due"]


def test_the_same_with_webhooks_doubled_and_shuffled(server: Server, sandbox: Sandbox) -> None:
    sandbox.faults.set(duplicate=1.0, shuffle=True, seed=7)
    sandbox.checkout(subscribe(server)).pay("4242424242424242")
    sandbox.clock.advance(days=31)
    sandbox.events.wait("invoice.paid", count=2)
    assert [row["status"] for row in of_the_user(server, "subscriptions")] == ["active"]
    assert [row["status"] for row in of_the_user(server, "transactions")] == ["succeeded"] * 2
