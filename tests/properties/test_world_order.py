"""Everything at once, everybody at once: any order, doubles, interleaved reads, truncated and bare tellings, one second
for all, two API versions, four workers. The rows and the access they give are a function of the set."""

import random
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.mirror import Digest, differing_rows
from tests.playing import Mirror, Refetches, Step, examples, times
from tests.worlds import generated, in_two_versions, squeezed, worlds

GOAL = 0.05  # reads at Stripe an event


def shuffled(steps: list[Step], seed: int) -> list[Step]:
    """Another order, a third of it twice; and redelivered under another id, as Stripe's own doubles come."""
    rng = random.Random(seed)
    found: list[Step] = [*steps, *(step for step in steps if rng.random() < 0.3)]
    rng.shuffle(found)
    return found


@examples(16)
@given(world=worlds(), seed=st.integers(0, 2**32), workers=st.sampled_from([1, 4]))
def test_any_order_of_a_world_ends_in_one_state(mirror: Mirror, world: list[Step], seed: int, workers: int) -> None:
    in_order = mirror.state_after(world)
    assert differing_rows(in_order, mirror.state_after(shuffled(world, seed), workers)) == []


@examples(12)
@given(world=worlds(), seed=st.integers(0, 2**32), workers=st.sampled_from([1, 4]))
def test_a_world_in_one_second_ends_in_one_state(mirror: Mirror, world: list[Step], seed: int, workers: int) -> None:
    burst = squeezed(world)
    in_order = mirror.state_after(burst)
    assert differing_rows(in_order, mirror.state_after(shuffled(burst, seed), workers)) == []


@examples(12)
@given(world=worlds(), seed=st.integers(0, 2**32), of=st.randoms(use_true_random=False))
def test_the_api_version_of_an_event_changes_no_row(
    mirror: Mirror, world: list[Step], seed: int, of: random.Random
) -> None:
    """Half of the events come from an endpoint of an older version; only the raw JSON may show it."""
    older = {step["id"] for step in world if isinstance(step, dict) and of.random() < 0.5}
    in_one = without_raw(mirror.state_after(world))
    mixed = in_two_versions(world, older)
    assert differing_rows(in_one, without_raw(mirror.state_after(mixed))) == []
    assert differing_rows(in_one, without_raw(mirror.state_after(shuffled(mixed, seed)))) == []


def test_generated_worlds_need_fewer_reads_than_the_goal_in_any_order(
    mirror: Mirror, record_property: Callable[[str, object], None]
) -> None:
    in_order, any_order = Refetches.none(), Refetches.none()
    for seed in range(times(6)):
        events = generated(seed)
        in_order += mirror.refetches(events)
        any_order += mirror.refetches(random.Random(seed).sample(events, len(events)))
    record_property("generated histories, in order", str(in_order))
    record_property("generated histories, shuffled", str(any_order))
    assert in_order.rate < GOAL, in_order
    assert any_order.rate < GOAL, any_order


def without_raw(state: Digest) -> Digest:
    def cut(row: dict[str, Any]) -> dict[str, Any]:
        # `event_id` too: of two renderings that say the same, the newer one is kept
        return {key: value for key, value in row.items() if key not in ("raw", "event_id")}

    return {table: sorted(map(cut, rows), key=repr) for table, rows in state.items()}
