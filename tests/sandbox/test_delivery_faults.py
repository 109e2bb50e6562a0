"""The dials for webhooks: doubled, late, shuffled, dropped and lost deliveries, counted, and made good again."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.running import Receiver, Sandbox

OFF = {"drop": 0, "lose": 0, "duplicate": 0, "delay": 0, "shuffle": False}


@pytest.fixture
def dials(sandbox: Sandbox) -> Iterator[Callable[..., None]]:
    """Turns dials, and all of them back at the end."""

    def turn(**asked: Any) -> None:
        answer = sandbox.http.browser.post("/_sim/faults", json=asked)
        assert answer.status_code == 200, answer.text

    yield turn
    turn(**OFF)


def customers(sandbox: Sandbox, count: int) -> list[str]:
    return [sandbox.stripe.v1.customers.create({}).id for _ in range(count)]


def counts(sandbox: Sandbox) -> dict[str, int]:
    return sandbox.http.browser.get("/_sim/deliveries/counts").json()


def settled(sandbox: Sandbox) -> dict[str, int]:
    """The counts when nothing is on its way any more."""
    give_up = time.monotonic() + 8
    while (now := counts(sandbox))["pending"]:
        assert time.monotonic() < give_up, now
        time.sleep(0.02)
    return now


def objects(receiver: Receiver) -> list[str]:
    return [one.event["data"]["object"]["id"] for one in receiver.received]


def test_a_lost_delivery_is_never_tried_again_until_undelivered_ones_are_resent(
    sandbox: Sandbox, hook: Callable[..., Receiver], dials: Callable[..., None]
) -> None:
    receiver = hook("customer.created")
    before = settled(sandbox)
    dials(lose=1, seed=1)
    made = customers(sandbox, 3)
    after = settled(sandbox)
    assert {name: after[name] - before[name] for name in ("failed", "lost", "posted")} == {
        "failed": 3,
        "lost": 3,
        "posted": 0,
    }
    assert receiver.received == []
    dials(lose=0)
    resent = sandbox.http.browser.post("/_sim/resend", json={"undelivered": True}).json()
    assert resent["deliveries"] == after["failed"]
    settled(sandbox)
    assert sorted(objects(receiver)) == sorted(made)


def test_a_dropped_try_is_made_again(
    sandbox: Sandbox, hook: Callable[..., Receiver], dials: Callable[..., None]
) -> None:
    receiver = hook("customer.created")
    before = settled(sandbox)
    dials(drop=0.5, seed=3)
    made = customers(sandbox, 12)
    dials(drop=0)
    receiver.wait("customer.created", 12)
    after = settled(sandbox)
    assert sorted(objects(receiver)) == sorted(made)
    assert after["dropped"] > before["dropped"]
    assert after["delivered"] - before["delivered"] == 12


def test_doubled_deliveries_arrive_twice_with_the_same_bytes(
    sandbox: Sandbox, hook: Callable[..., Receiver], dials: Callable[..., None]
) -> None:
    receiver = hook("customer.created")
    dials(duplicate=1)
    before = settled(sandbox)
    customers(sandbox, 2)
    after = settled(sandbox)
    assert len(receiver.received) == 4
    assert len({one.payload for one in receiver.received}) == 2
    assert (after["doubled"] - before["doubled"], after["posted"] - before["posted"]) == (2, 4)


def test_late_deliveries_are_overtaken_and_all_arrive_once(
    sandbox: Sandbox, hook: Callable[..., Receiver], dials: Callable[..., None]
) -> None:
    receiver = hook("customer.created")
    dials(delay=0.4, seed=5)
    made = customers(sandbox, 12)
    receiver.wait("customer.created", 12)
    settled(sandbox)
    assert objects(receiver) != made
    assert sorted(objects(receiver)) == sorted(made)


def test_shuffled_deliveries_come_in_any_order(
    sandbox: Sandbox, hook: Callable[..., Receiver], dials: Callable[..., None]
) -> None:
    receiver = hook("customer.created")
    dials(shuffle=True, seed=11)

    def slow_at_first(_: Any) -> int:
        time.sleep(0 if receiver.received else 0.5)  # meanwhile the others become due
        return 200

    receiver.answer = slow_at_first
    made = customers(sandbox, 12)
    receiver.wait("customer.created", 12)
    settled(sandbox)
    assert objects(receiver) != made
    assert sorted(objects(receiver)) == sorted(made)


@pytest.mark.parametrize("dial", [{"drop": 1.5}, {"lose": -0.1}, {"duplicate": "often"}])
def test_a_share_is_between_nothing_and_all(sandbox: Sandbox, dial: dict[str, Any]) -> None:
    assert sandbox.http.browser.post("/_sim/faults", json=dial).status_code == 400
