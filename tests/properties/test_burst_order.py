"""Recorded bursts: short ones in every order there is, with and without doubles; long ones in many. One state."""

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.bursts.recorded import RECORDED, Burst
from tests.histories import Event
from tests.mirror import Digest
from tests.playing import Mirror, Refetches, Step, times

SHORT = [burst for burst in RECORDED if len(burst.events()) <= 5]
LONG = [burst for burst in RECORDED if len(burst.events()) > 5]
GOAL = 0.05  # reads at Stripe an event


def ids(burst: Burst) -> str:
    return burst.name


def differing(states: list[Digest], orders: list[list[Step]]) -> list[Any]:
    """The event types, in their order, of what did not end as the first one."""
    return [
        [step["type"] for step in order if isinstance(step, dict)]
        for state, order in zip(states, orders, strict=True)
        if state != states[0]
    ]


@pytest.mark.parametrize("burst", SHORT, ids=ids)
def test_every_order_of_a_short_burst_ends_in_one_state_with_and_without_doubles(mirror: Mirror, burst: Burst) -> None:
    orders: list[list[Step]] = []
    for number, order in enumerate(itertools.permutations(burst.events())):
        orders += [list(order), doubled(order, number)]
    states = mirror.states_of_orders(orders)
    assert differing(states, orders) == []
    assert_settled(states[0])


@pytest.mark.parametrize("burst", SHORT, ids=ids)
def test_any_one_event_of_a_short_burst_may_come_twice_at_any_place(mirror: Mirror, burst: Burst) -> None:
    events = burst.events()
    orders: list[list[Step]] = [list(events)]
    for twice, place in itertools.product(events, range(len(events) + 1)):
        orders += [[*order[:place], twice, *order[place:]] for order in (events, events[::-1])]
    assert differing(mirror.states_of_orders(orders), orders) == []


@pytest.mark.parametrize("burst", LONG, ids=ids)
def test_many_orders_of_a_long_burst_end_in_one_state(mirror: Mirror, burst: Burst) -> None:
    rng = random.Random(burst.name)
    events = burst.events()
    orders: list[list[Step]] = [list(events), events[::-1]]
    for _ in range(times(30)):
        shuffled = [*events, *(e for e in events if rng.random() < 0.3)]
        rng.shuffle(shuffled)
        orders.append(list(shuffled))
    states = mirror.states_of_orders(orders)
    assert differing(states, orders) == []
    assert_settled(states[0])


@pytest.mark.parametrize("burst", RECORDED, ids=ids)
def test_reads_between_the_events_of_a_burst_do_not_change_its_end(mirror: Mirror, burst: Burst) -> None:
    """Every object read in the second of its last event and in the one before it, anywhere among the events."""
    rng = random.Random(burst.name)
    events = burst.events()
    reads = [(e["data"]["object"], e["created"] - before) for e in events for before in (0, 1)]
    orders: list[list[Step]] = [[*events, *reads], [*reads, *events]]
    for _ in range(times(8)):
        shuffled: list[Step] = [*events, *reads]
        rng.shuffle(shuffled)
        orders.append(shuffled)
    assert differing(mirror.states_of_orders(orders), orders) == []


def test_recorded_bursts_need_fewer_reads_than_the_goal_in_any_order(
    mirror: Mirror, record_property: Callable[[str, object], None]
) -> None:
    in_order, shuffled = Refetches.none(), Refetches.none()
    for burst in RECORDED:
        in_order += mirror.refetches(burst.events())
        for seed in range(times(2)):
            events = burst.events()
            random.Random(f"{burst.name} {seed}").shuffle(events)
            shuffled += mirror.refetches(events)
    record_property("recorded bursts, in order", str(in_order))
    record_property("recorded bursts, shuffled", str(shuffled))
    assert in_order.rate < GOAL, in_order
    assert shuffled.rate < GOAL, shuffled


def doubled(order: tuple[Event, ...], seed: int) -> list[Step]:
    """Every event twice, the second time anywhere after the first."""
    found: list[Step] = list(order)
    rng = random.Random(seed)
    for one in order:
        found.insert(rng.randint(found.index(one) + 1, len(found)), one)
    return found


def assert_settled(state: Digest) -> None:
    """Nothing is left to ask, except what Stripe tells nowhere in the burst."""
    assert [o["object_id"] for o in state.get("stripe_objects", []) if o["undecided"]] == []
