"""State is a function of the set of events: any order, any duplicates, any interleaving with API reads."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.histories import START, Event, charge, customer, event, intent, purchase, session
from tests.playing import Mirror, examples


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """One or two purchases of one subject, with declines, authentication and refunds."""
    count = draw(st.integers(1, 2))
    found: list[Event] = []
    for number in range(count):
        found += purchase(
            f"o{number}",
            subject=draw(st.sampled_from([None, ("user", "u1"), ("team", "t1")])),
            at=START + number * draw(st.integers(0, 30)),
            declines=draw(st.integers(0, 2)),
            authenticates=draw(st.booleans()),
            refunded=draw(st.sampled_from([0, 0, 1000, 2500])),
        )
    return found


@examples(12)
@given(history=histories(), seed=st.integers(0, 2**32), workers=st.sampled_from([1, 4]))
def test_any_order_any_duplicates_and_api_reads_end_in_one_state(
    mirror: Mirror, history: list[Event], seed: int, workers: int
) -> None:
    rng = random.Random(seed)
    reads = [
        (e["data"]["object"], e["created"] - rng.choice([0, 1]))
        for e in history
        if rng.random() < 0.3 and e["type"] != "payment_intent.created"
    ]
    in_order = mirror.state_after([*history, *reads])

    shuffled = [*history, *reads, *(e for e in history if rng.random() < 0.4)]
    rng.shuffle(shuffled)
    assert mirror.state_after(shuffled, workers) == in_order


@examples(12)
@given(history=histories(), seed=st.integers(0, 2**32))
def test_the_end_state_is_the_true_one(mirror: Mirror, history: list[Event], seed: int) -> None:
    shuffled = list(history)
    random.Random(seed).shuffle(shuffled)
    state = mirror.state_after(shuffled)
    truth = {e["data"]["object"]["id"]: e["data"]["object"] for e in history if e["type"] != "payment_intent.created"}
    assert {o["object_id"]: o["raw"] for o in state["stripe_objects"]} == truth  # type: ignore[index]
    assert not any(o["undecided"] for o in state["stripe_objects"])  # type: ignore[index]


@pytest.mark.parametrize("seed", range(8))
def test_the_recorded_burst_of_an_ordinary_purchase_needs_no_refetch(mirror: Mirror, seed: int) -> None:
    burst = purchase("o1", subject=("user", "u1"))
    random.Random(seed).shuffle(burst)
    state = mirror.state_after(burst)
    assert [t["status"] for t in state["transactions"]] == ["succeeded"]  # type: ignore[index]
    assert not any(o["undecided"] for o in state["stripe_objects"])  # type: ignore[index]


def test_an_order_that_cannot_be_known_is_left_to_a_refetch(mirror: Mirror) -> None:
    waiting = intent("o1", status="requires_action")
    declined = intent("o1", last_payment_error={"code": "card_declined"})
    both = [
        event("payment_intent.requires_action", START, waiting, ident="evt_a"),
        event("payment_intent.payment_failed", START, declined, ident="evt_b"),
    ]
    forwards = mirror.state_after(both)
    assert mirror.state_after(both[::-1]) == forwards
    assert forwards["stripe_objects"][0]["undecided"]  # type: ignore[index]
    # Stripe's answer, read a second later, decides.
    decided = mirror.state_after([*both, (waiting, START + 1)])
    assert not decided["stripe_objects"][0]["undecided"]  # type: ignore[index]


def test_a_late_unpaid_completion_does_not_undo_a_delayed_payment(mirror: Mirror) -> None:
    unpaid = session("o1", status="complete", payment_intent="pi_o1", url=None)
    paid = {**unpaid, "payment_status": "paid"}
    state = mirror.state_after(
        [
            event("checkout.session.async_payment_succeeded", START + 500, paid),
            event("checkout.session.completed", START, unpaid),
        ],
    )
    assert [t["status"] for t in state["transactions"]] == ["succeeded"]  # type: ignore[index]


def test_redelivered_success_after_a_refund_keeps_the_refund(mirror: Mirror) -> None:
    bought = purchase("o1", refunded=1000)
    completed = next(e for e in bought if e["type"] == "checkout.session.completed")
    succeeded = next(e for e in bought if e["type"] == "payment_intent.succeeded")
    again = [{**e, "id": f"{e['id']}_again"} for e in (completed, succeeded)]
    row = mirror.state_after([*bought, *again])["transactions"][0]
    assert (row["status"], row["amount_refunded"]) == ("partially_refunded", 1000)  # type: ignore[index]


def test_a_zero_total_checkout_succeeds(mirror: Mirror) -> None:
    free = session("o1", status="complete", payment_status="no_payment_required", amount_total=0, url=None)
    row = mirror.state_after([event("checkout.session.completed", START, free)])["transactions"][0]
    assert (row["status"], row["amount"], row["provider_object_type"]) == ("succeeded", 0, "checkout_session")  # type: ignore[index]


def test_a_declined_then_paid_purchase_is_one_row_and_paid(mirror: Mirror) -> None:
    (row,) = mirror.state_after(purchase("o1", declines=2))["transactions"]
    assert (row["status"], row["type"], row["amount"]) == ("succeeded", "one_time_payment", 2500)  # type: ignore[index]
    assert row["failed_at"] < row["paid_at"]  # type: ignore[index]


def test_a_refund_known_before_its_payment_is_not_dropped(mirror: Mirror) -> None:
    back = charge("o1", amount_refunded=2500, refunded=True)
    (row,) = mirror.state_after([event("charge.refunded", START + 60, back)])["transactions"]
    assert (row["status"], row["amount_refunded"]) == ("refunded", 2500)  # type: ignore[index]


def test_a_deleted_customer_keeps_its_details_and_is_not_revived(mirror: Mirror) -> None:
    person = customer("1", email="ada@example.com", name="Ada")
    late = event("customer.updated", START + 1, {**person, "name": "Ada L."}, {"name": "Ada"})
    gone = event("customer.deleted", START + 5, {**person, "name": "Ada L."})
    (row,) = mirror.state_after([event("customer.created", START, person), gone, late])["customers"]
    assert (row["deleted"], row["email"], row["name"]) == (True, "ada@example.com", "Ada L.")  # type: ignore[index]


def test_a_bare_tombstone_wipes_nothing(mirror: Mirror) -> None:
    person = customer("1", email="ada@example.com", name="Ada")
    bare = ({"id": "cus_1", "object": "customer", "deleted": True}, START + 9)
    created = event("customer.created", START, person)
    (row,) = mirror.state_after([created, bare])["customers"]
    assert (row["deleted"], row["email"]) == (True, "ada@example.com")  # type: ignore[index]
    assert mirror.state_after([bare, created])["customers"] == [row]


def test_the_earliest_completed_session_names_the_subjects_customer_in_any_order(mirror: Mirror) -> None:
    first = purchase("early", subject=("team", "t1"), at=START)
    second = purchase("late", subject=("team", "t1"), at=START + 100)
    for order in ([*first, *second], [*second, *first]):
        state = mirror.state_after(order)
        assert [m["provider_customer_id"] for m in state["customer_mappings"]] == ["cus_early"]  # type: ignore[index]
        assert len(state["subject_customers"]) == 2


def test_a_delayed_payment_that_failed_is_failed_in_any_order(mirror: Mirror) -> None:
    unpaid = session("o1", status="complete", payment_intent="pi_o1", url=None)
    events = [
        event("checkout.session.completed", START, unpaid),
        event("payment_intent.processing", START, intent("o1", status="processing")),
        event("checkout.session.async_payment_failed", START + 500, unpaid),
    ]
    for order in (events, events[::-1]):
        (row,) = mirror.state_after(order)["transactions"]
        assert (row["status"], row["type"]) == ("failed", "one_time_payment")  # type: ignore[index]
