"""Flows that were recorded from real Stripe, played in the sandbox: the same events, in the same order, and what came
seconds later comes later."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.judges.cli import key_of
from tests.judges.recorded_orders import (
    AUTHENTICATED,
    PAYMENT,
    REFUND,
    RENEWAL,
    SUBSCRIPTION,
    SUBSCRIPTION_BY_REQUEST,
    Recording,
)
from tests.sandbox.running import Sandbox, official_client


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("--validate", "--settle-after", "0.4") as running:
        yield running


class Shop:
    """An account of its own; `since` forgets what came before the flow."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self.v1 = official_client(sandbox.url, key_of(name)).v1
        self._sandbox = sandbox
        self._seen = 0

    def price(self, **more: Any) -> str:
        product = self.v1.products.create({"name": "Pocket notebook"})
        given: Any = {"product": product.id, "currency": "usd", "unit_amount": 1500, **more}
        return self.v1.prices.create(given).id

    def checkout(self, **given: Any) -> Any:
        wanted: Any = {"success_url": "https://shop.example.com/thanks", **given}
        return self.v1.checkout.sessions.create(wanted)

    def pay(self, session: Any, **given: str) -> None:
        answer = self._sandbox.http.browser.post("/_sim/pay", json={"session": session.id, **given})
        assert answer.status_code == 200, answer.text

    def begin(self) -> None:
        self._seen = len(self.types())

    def types(self) -> list[str]:
        """Since `begin`, oldest first."""
        events = self.v1.events.list({"limit": 100}).data
        return [event.type for event in reversed(events)][self._seen :]

    def settled(self, type: str) -> list[str]:
        """The events as soon as that one is among them."""
        for _ in range(300):
            types = self.types()
            if type in types:
                return types
        raise AssertionError(f"{type} did not come; there came {types}")


@pytest.fixture
def shop(sandbox: Sandbox, request: pytest.FixtureRequest) -> Shop:
    return Shop(sandbox, request.node.name)


def assert_order(shop: Shop, recording: Recording) -> None:
    at_once, _, later = (part.split() for part in recording.types.partition("+"))
    everything = shop.settled(later[-1]) if later else shop.types()
    assert everything[: len(at_once)] == at_once
    assert Counter(everything[len(at_once) :]) == Counter(later)


def test_a_payment(shop: Shop) -> None:
    session = shop.checkout(mode="payment", line_items=[{"price": shop.price(), "quantity": 1}])
    shop.begin()
    shop.pay(session)
    assert_order(shop, PAYMENT)


def test_a_payment_that_the_bank_wants_authenticated(shop: Shop) -> None:
    session = shop.checkout(mode="payment", line_items=[{"price": shop.price(), "quantity": 1}])
    shop.begin()
    shop.pay(session, card="4000002500003155", authenticate="complete")
    assert_order(shop, AUTHENTICATED)


def test_a_subscription_of_a_new_customer(shop: Shop) -> None:
    price = shop.price(recurring={"interval": "month"})
    session = shop.checkout(mode="subscription", line_items=[{"price": price, "quantity": 1}])
    shop.begin()
    shop.pay(session)
    assert_order(shop, SUBSCRIPTION)


def test_a_subscription_by_request(shop: Shop) -> None:
    price = shop.price(recurring={"interval": "month"})
    customer = shop.v1.customers.create({"email": "ada@example.com"})
    card = shop.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    shop.begin()
    shop.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price}], "default_payment_method": card.id}
    )
    assert_order(shop, SUBSCRIPTION_BY_REQUEST)


def test_a_renewal(shop: Shop) -> None:
    clock = shop.v1.test_helpers.test_clocks.create({"frozen_time": 1893456000})
    customer = shop.v1.customers.create({"email": "ada@example.com", "test_clock": clock.id})
    card = shop.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    price = shop.price(recurring={"interval": "month"})
    shop.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price}], "default_payment_method": card.id}
    )
    shop.settled("invoice_payment.paid")
    shop.begin()
    shop.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": 1893456000 + 31 * 86400 + 7200})
    shop.settled("test_helpers.test_clock.ready")
    told = RENEWAL.types.split()
    assert [type for type in shop.types() if type in told] == told


def test_a_refund_of_a_card(shop: Shop) -> None:
    session = shop.checkout(mode="payment", line_items=[{"price": shop.price(), "quantity": 1}])
    shop.pay(session)
    shop.settled("charge.updated")
    paid = shop.v1.checkout.sessions.retrieve(session.id)
    shop.begin()
    shop.v1.refunds.create({"payment_intent": paid.payment_intent})
    assert_order(shop, REFUND)
