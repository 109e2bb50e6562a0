"""`settle` against generated and recorded bursts: the newest snapshot for every order, or an honest `undecided`."""

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from paygres.server.projections.latest import canonical, settle, undo
from paygres.server.projections.objects import KINDS
from paygres.server.projections.snapshots import Snapshot
from tests.histories import charge, intent, session

numbers = itertools.count(1)


def told(
    kind: str, raw: dict[str, Any], at: int = 0, *, event_type: str = "", previous: Any = None, ident: str | None = None
) -> Snapshot:
    """A snapshot by event."""
    return Snapshot(kind, raw["id"], at, "event", raw, ident or f"evt_{next(numbers)}", event_type, previous)


def ends(kind: str, snapshots: list[Snapshot]) -> set[tuple[str, bool]]:
    """(what wins, is it undecided) over every order of arrival."""
    found = set()
    for order in itertools.permutations(snapshots):
        settled = settle(order, KINDS[kind].lifecycle)
        found.add((repr(sorted(settled.snapshot.raw.items(), key=str)), settled.undecided))
    return found


def newest(raw: dict[str, Any]) -> set[tuple[str, bool]]:
    """Only `raw` wins, and it is decided."""
    return {(repr(sorted(raw.items(), key=str)), False)}


def test_a_final_state_wins_inside_its_second() -> None:
    processing, done = intent("a", status="processing"), intent("a", status="succeeded", amount_received=2500)
    burst = [
        told("payment_intent", processing, event_type="payment_intent.processing", ident="evt_z"),
        told("payment_intent", done, event_type="payment_intent.succeeded", ident="evt_a"),
    ]
    assert ends("payment_intent", burst) == newest(done)


def test_created_precedes_everything_of_its_second() -> None:
    new, waiting = intent("a"), intent("a", status="requires_action")
    burst = [
        told("payment_intent", new, event_type="payment_intent.created", ident="evt_z"),
        told("payment_intent", waiting, event_type="payment_intent.requires_action", ident="evt_a"),
    ]
    assert ends("payment_intent", burst) == newest(waiting)


def test_refunded_amounts_only_grow_inside_a_second() -> None:
    states = [charge("a", amount_refunded=amount) for amount in (0, 1000, 2500)]
    burst = [told("charge", raw, ident=f"evt_{9 - n}") for n, raw in enumerate(states)]
    assert ends("charge", burst) == newest(states[-1])


def test_a_newer_second_beats_a_further_stage() -> None:
    done, late = session("a", status="complete", payment_status="paid"), session("a", status="expired")
    assert ends("checkout.session", [told("checkout.session", done, 5), told("checkout.session", late, 6)]) == newest(
        late
    )


def test_siblings_that_tell_the_same_snapshot_count_once() -> None:
    raw = charge("a", balance_transaction="txn_1")
    burst = [
        told("charge", raw, event_type="charge.updated", previous={"balance_transaction": None}, ident="evt_2"),
        told("charge", dict(raw), event_type="charge.succeeded", ident="evt_1"),
    ]
    assert ends("charge", burst) == newest(raw)


def test_a_read_loses_a_tie_and_wins_a_later_second() -> None:
    old, new = {"id": "cus_1", "name": "old"}, {"id": "cus_1", "name": "new"}
    by_event = told("customer", new, 10)
    tied, later = (Snapshot("customer", "cus_1", at, "api", old) for at in (10, 11))
    assert ends("customer", [by_event, tied]) == newest(new)
    assert ends("customer", [by_event, later]) == newest(old)


def test_two_changes_without_a_link_are_undecided_but_the_same_everywhere() -> None:
    a, b = {"id": "cus_1", "name": "a", "phone": "1"}, {"id": "cus_1", "name": "b", "phone": "2"}
    burst = [
        told("customer", a, previous={"name": "x"}, ident="evt_1"),
        told("customer", b, previous={"phone": "9"}, ident="evt_2"),
    ]
    found = ends("customer", burst)
    assert len(found) == 1
    assert {undecided for _, undecided in found} == {True}


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("name"), st.sampled_from(["a", "b", "c", None])),
        st.tuples(st.just("plan"), st.sampled_from(["free", "pro", None])),
        st.tuples(st.just("city"), st.sampled_from(["Rome", "Oslo", None])),
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None, max_examples=300)
@given(changes=CHANGES, per_second=st.integers(1, 6), order=st.randoms(use_true_random=False))
def test_a_chain_of_updates_ends_in_the_true_state_or_says_that_it_cannot_tell(
    changes: list[tuple[str, Any]], per_second: int, order: Any
) -> None:
    state: dict[str, Any] = {"id": "cus_1", "name": None, "metadata": {}, "address": {"city": None, "zip": "1"}}
    history = [told("customer", state, 0, event_type="customer.created", ident="evt_0")]
    for number, (what, value) in enumerate(changes, start=1):
        before = state
        if what == "plan":
            state = {**state, "metadata": {"plan": value} if value else {}}
            previous: Any = {"metadata": {"plan": before["metadata"].get("plan")}}
        elif what == "city":
            state = {**state, "address": {**state["address"], "city": value}}
            previous = {"address": {"city": before["address"]["city"]}}
        else:
            state, previous = {**state, "name": value}, {"name": before["name"]}
        if canonical(state) == canonical(before):
            continue
        assert canonical(undo(state, previous)) == canonical(before)
        history.append(
            told(
                "customer",
                state,
                number // per_second,
                event_type="customer.updated",
                previous=previous,
                ident=f"evt_{order.randrange(10**9)}_{number}",
            )
        )
    in_order = settle(history, KINDS["customer"].lifecycle)
    order.shuffle(history)
    settled = settle([*history, *history[:2]], KINDS["customer"].lifecycle)
    assert settled.snapshot.raw == in_order.snapshot.raw
    assert settled.undecided == in_order.undecided
    if not settled.undecided:
        assert canonical(settled.snapshot.raw) == canonical(state)
