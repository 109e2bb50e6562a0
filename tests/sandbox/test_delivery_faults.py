"""The dials for webhooks: doubled, late, shuffled, dropped, lost and wrongly signed deliveries, counted, made good
again, and the same for the same seed."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.sandbox.running import Received, Receiver, Sandbox


@pytest.fixture
def dials(sandbox: Sandbox) -> Iterator[Callable[..., None]]:
    """Turns dials, and all of them back at the end."""

    def turn(**asked: Any) -> None:
        answer = sandbox.http.browser.post("/_sim/faults", json=asked)
        assert answer.status_code == 200, answer.text

    yield turn
    sandbox.http.browser.delete("/_sim/faults")


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


def is_signed(got: Received, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(got.payload.decode(), got.signature, secret, 300)
    except stripe.SignatureVerificationError:
        return False
    return True


def checking(receiver: Receiver) -> Callable[[Received], int]:
    """Answers as a correct receiver does: 400 to what it cannot verify."""
    secret, receiver.secret = receiver.secret, ""
    return lambda got: 200 if is_signed(got, secret) else 400


def test_a_wrongly_signed_try_is_refused_and_comes_again_properly(
    sandbox: Sandbox, hook: Callable[..., Receiver], dials: Callable[..., None]
) -> None:
    receiver = hook("customer.created")
    secret = receiver.secret
    receiver.answer = checking(receiver)
    before = settled(sandbox)
    dials(wrong_signature=1, seed=1)
    made = customers(sandbox, 8)
    after = settled(sandbox)
    verified = [is_signed(got, secret) for got in receiver.received]
    assert (verified.count(False), verified.count(True)) == (8, 8)
    accepted = [got.event["data"]["object"]["id"] for got in receiver.received if is_signed(got, secret)]
    assert sorted(accepted) == sorted(made)
    assert after["wrong_signature"] - before.get("wrong_signature", 0) == 8
    # Some are signed with another secret, some with an old timestamp.
    stale = [int(got.signature[2:12]) < got.at - 300 for got in receiver.received]
    assert 0 < sum(stale) < 8


def test_a_receiver_that_does_not_check_signatures_is_found(
    sandbox: Sandbox, hook: Callable[..., Receiver], dials: Callable[..., None]
) -> None:
    receiver = hook("customer.created")
    receiver.secret = ""
    before = settled(sandbox).get("wrong_signature_accepted", 0)
    dials(wrong_signature=1)
    customers(sandbox, 2)
    assert settled(sandbox)["wrong_signature_accepted"] - before == 2
    assert len(receiver.received) == 4


def test_two_signatures_are_sent_and_either_place_may_be_the_right_one(
    sandbox: Sandbox, hook: Callable[..., Receiver], dials: Callable[..., None]
) -> None:
    receiver = hook("customer.created")
    dials(two_signatures=True)
    customers(sandbox, 1)
    got = receiver.wait("customer.created")  # the receiver has checked it
    marks = [part for part in got.signature.split(",") if part.startswith("v1=")]
    assert len(set(marks)) == 2


def test_an_unheard_answer_brings_the_event_again(
    sandbox: Sandbox, hook: Callable[..., Receiver], dials: Callable[..., None]
) -> None:
    receiver = hook("customer.created")
    dials(unheard=1)
    made = customers(sandbox, 1)
    receiver.wait("customer.created", 2)
    dials(unheard=0)
    settled(sandbox)
    assert set(objects(receiver)) == set(made)


def test_events_of_one_burst_are_created_in_one_second(
    sandbox: Sandbox, hook: Callable[..., Receiver], dials: Callable[..., None]
) -> None:
    receiver = hook("customer.created", "charge.updated", "checkout.session.completed")
    session = sandbox.session()
    dials(same_second=60)
    sandbox.pay(session)
    receiver.wait("charge.updated")
    time.sleep(1.1)
    customers(sandbox, 1)
    receiver.wait("customer.created")
    assert len({one.event["created"] for one in receiver.received}) == 1
    dials(same_second=0)
    customers(sandbox, 1)
    assert receiver.wait("customer.created", 2).event["created"] > receiver.received[0].event["created"]


def test_a_seed_repeats_what_happens_to_each_delivery(
    sandbox: Sandbox, hook: Callable[..., Receiver], dials: Callable[..., None]
) -> None:
    receiver = hook("customer.created")
    receiver.answer = checking(receiver)
    emails = [f"d{number}@example.com" for number in range(24)]

    def run(order: list[str], threads: int, seed: int) -> tuple[dict[str, int], Counter[str]]:
        receiver.received.clear()
        before = Counter(settled(sandbox))
        dials(seed=seed, drop=0.3, duplicate=0.3, lose=0.2, unheard=0.2, wrong_signature=0.3)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda email: sandbox.http.api("POST", "/v1/customers", {"email": email}), order))
        after = Counter(settled(sandbox))
        return Counter(got.event["data"]["object"]["email"] for got in receiver.received), after - before

    first = run(emails, 1, seed=5)
    again = run(random.Random(2).sample(emails, len(emails)), 4, seed=5)
    assert again == first
    assert set(first[0].values()) >= {1, 2}
    assert run(emails, 1, seed=6)[0] != first[0]


def test_a_shuffled_burst_is_the_same_for_the_same_seed(
    sandbox: Sandbox, hook: Callable[..., Receiver], dials: Callable[..., None]
) -> None:
    sessions = [sandbox.session() for _ in range(3)]
    types = ("charge.succeeded", "payment_intent.succeeded", "payment_intent.created", "checkout.session.completed")
    receiver = hook(*types)

    def order(session: Any, seed: int) -> list[str]:
        receiver.received.clear()
        dials(shuffle=True, seed=seed)
        sandbox.pay(session)
        settled(sandbox)
        return receiver.types()

    orders = [order(sessions[0], 11), order(sessions[1], 11), order(sessions[2], 12)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(types)
