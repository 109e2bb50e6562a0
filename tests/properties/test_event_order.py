"""State is a function of the set of events: any order, any duplicates, any interleaving with API reads."""

import asyncio
import random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paygres.server.db.database import Database
from paygres.server.flows.apply_event import Applied, Road, apply_event
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connections import Connection
from paygres.server.projections.events import read_event
from tests.fresh_database import FreshDatabase
from tests.histories import START, Event, charge, event, intent, purchase, session
from tests.mirror import digest

CONNECTION = Connection("test", "acct_1", "sk_test_x", (), 0)
ROAD = Road("test", "acct_1", 0, "11111111-1111-4111-8111-111111111111", seconds=10.0)


async def deliver(db: Database, body: Event) -> Applied:
    """As the webhook route does after verification."""
    return await apply_event(db, ROAD, read_event(body), orjson.dumps(body).decode())


async def play(url: str, steps: list[Any], workers: int = 1) -> None:
    """Apply events, and reads as (object, as_of), with so many of them at once."""
    db = await Database.connect(url, webhook_pool=workers, checkout_pool=workers)
    waiting = list(reversed(steps))

    async def work() -> None:
        while waiting:
            step = waiting.pop()
            if isinstance(step, tuple):
                await apply_reads(db, CONNECTION, [step[0]], step[1])
            else:
                applied = await deliver(db, step)
                assert applied.status in ("processed", "done"), applied.event["lastError"]

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())
    finally:
        await db.close()


async def empty(url: str) -> None:
    """Truncate what the last example wrote."""
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute(
        "truncate payments.stripe_snapshots, payments.stripe_objects, payments.event_queue, payments.refetch_queue,"
        " payments.subject_customers, payments.transactions, payments.customers, payments.customer_mappings,"
        " payments.webhook_events, payments.stripe_checkout_sessions, payments.stripe_products, payments.stripe_prices,"
        " payments.stripe_subscriptions, payments.stripe_subscription_items, payments.payment_invoices,"
        " payments.attention"
    )
    await connection.close()


def state_after(database: FreshDatabase, steps: list[Any], workers: int = 1) -> dict[str, list[object]]:
    """The digest after playing the steps into an empty mirror."""
    asyncio.run(empty(database.owner_url))
    asyncio.run(play(database.server_url, steps, workers))
    return asyncio.run(digest(database.superuser_url))


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


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), seed=st.integers(0, 2**32), workers=st.sampled_from([1, 4]))
def test_any_order_any_duplicates_and_api_reads_end_in_one_state(
    database: FreshDatabase, history: list[Event], seed: int, workers: int
) -> None:
    rng = random.Random(seed)
    reads = [
        (e["data"]["object"], e["created"] - rng.choice([0, 1]))
        for e in history
        if rng.random() < 0.3 and e["type"] != "payment_intent.created"
    ]
    in_order = state_after(database, [*history, *reads])

    shuffled = [*history, *reads, *(e for e in history if rng.random() < 0.4)]
    rng.shuffle(shuffled)
    assert state_after(database, shuffled, workers) == in_order


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), seed=st.integers(0, 2**32))
def test_the_end_state_is_the_true_one(database: FreshDatabase, history: list[Event], seed: int) -> None:
    shuffled = list(history)
    random.Random(seed).shuffle(shuffled)
    state = state_after(database, shuffled)
    truth = {e["data"]["object"]["id"]: e["data"]["object"] for e in history if e["type"] != "payment_intent.created"}
    assert {o["object_id"]: o["raw"] for o in state["stripe_objects"]} == truth  # type: ignore[index]
    assert not any(o["undecided"] for o in state["stripe_objects"])  # type: ignore[index]


@pytest.mark.parametrize("seed", range(8))
def test_the_recorded_burst_of_an_ordinary_purchase_needs_no_refetch(database: FreshDatabase, seed: int) -> None:
    burst = purchase("o1", subject=("user", "u1"))
    random.Random(seed).shuffle(burst)
    state = state_after(database, burst)
    assert [t["status"] for t in state["transactions"]] == ["succeeded"]  # type: ignore[index]
    assert not any(o["undecided"] for o in state["stripe_objects"])  # type: ignore[index]


def test_an_order_that_cannot_be_known_is_left_to_a_refetch(database: FreshDatabase) -> None:
    waiting = intent("o1", status="requires_action")
    declined = intent("o1", last_payment_error={"code": "card_declined"})
    both = [
        event("payment_intent.requires_action", START, waiting, ident="evt_a"),
        event("payment_intent.payment_failed", START, declined, ident="evt_b"),
    ]
    forwards = state_after(database, both)
    assert state_after(database, both[::-1]) == forwards
    assert forwards["stripe_objects"][0]["undecided"]  # type: ignore[index]
    # Stripe's answer, read a second later, decides.
    decided = state_after(database, [*both, (waiting, START + 1)])
    assert not decided["stripe_objects"][0]["undecided"]  # type: ignore[index]


def test_a_late_unpaid_completion_does_not_undo_a_delayed_payment(database: FreshDatabase) -> None:
    unpaid = session("o1", status="complete", payment_intent="pi_o1", url=None)
    paid = {**unpaid, "payment_status": "paid"}
    state = state_after(
        database,
        [
            event("checkout.session.async_payment_succeeded", START + 500, paid),
            event("checkout.session.completed", START, unpaid),
        ],
    )
    assert [t["status"] for t in state["transactions"]] == ["succeeded"]  # type: ignore[index]


def test_redelivered_success_after_a_refund_keeps_the_refund(database: FreshDatabase) -> None:
    bought = purchase("o1", refunded=1000)
    completed = next(e for e in bought if e["type"] == "checkout.session.completed")
    succeeded = next(e for e in bought if e["type"] == "payment_intent.succeeded")
    again = [{**e, "id": f"{e['id']}_again"} for e in (completed, succeeded)]
    row = state_after(database, [*bought, *again])["transactions"][0]
    assert (row["status"], row["amount_refunded"]) == ("partially_refunded", 1000)  # type: ignore[index]


def test_a_zero_total_checkout_succeeds(database: FreshDatabase) -> None:
    free = session("o1", status="complete", payment_status="no_payment_required", amount_total=0, url=None)
    row = state_after(database, [event("checkout.session.completed", START, free)])["transactions"][0]
    assert (row["status"], row["amount"], row["provider_object_type"]) == ("succeeded", 0, "checkout_session")  # type: ignore[index]


def test_a_declined_then_paid_purchase_is_one_row_and_paid(database: FreshDatabase) -> None:
    (row,) = state_after(database, purchase("o1", declines=2))["transactions"]
    assert (row["status"], row["type"], row["amount"]) == ("succeeded", "one_time_payment", 2500)  # type: ignore[index]
    assert row["failed_at"] < row["paid_at"]  # type: ignore[index]


def test_a_refund_known_before_its_payment_is_not_dropped(database: FreshDatabase) -> None:
    back = charge("o1", amount_refunded=2500, refunded=True)
    (row,) = state_after(database, [event("charge.refunded", START + 60, back)])["transactions"]
    assert (row["status"], row["amount_refunded"]) == ("refunded", 2500)  # type: ignore[index]


def test_a_deleted_customer_keeps_its_details_and_is_not_revived(database: FreshDatabase) -> None:
    person = {
        "id": "cus_1",
        "object": "customer",
        "email": "ada@example.com",
        "name": "Ada",
        "phone": None,
        "metadata": {},
        "created": START,
        "livemode": False,
    }
    late = event("customer.updated", START + 1, {**person, "name": "Ada L."}, {"name": "Ada"})
    gone = event("customer.deleted", START + 5, {**person, "name": "Ada L."})
    (row,) = state_after(database, [event("customer.created", START, person), gone, late])["customers"]
    assert (row["deleted"], row["email"], row["name"]) == (True, "ada@example.com", "Ada L.")  # type: ignore[index]


def test_a_bare_tombstone_wipes_nothing(database: FreshDatabase) -> None:
    person = {
        "id": "cus_1",
        "object": "customer",
        "email": "ada@example.com",
        "name": "Ada",
        "phone": None,
        "metadata": {},
        "created": START,
        "livemode": False,
    }
    bare = ({"id": "cus_1", "object": "customer", "deleted": True}, START + 9)
    created = event("customer.created", START, person)
    (row,) = state_after(database, [created, bare])["customers"]
    assert (row["deleted"], row["email"]) == (True, "ada@example.com")  # type: ignore[index]
    assert state_after(database, [bare, created])["customers"] == [row]


def test_the_earliest_completed_session_names_the_subjects_customer_in_any_order(database: FreshDatabase) -> None:
    first = purchase("early", subject=("team", "t1"), at=START)
    second = purchase("late", subject=("team", "t1"), at=START + 100)
    for order in ([*first, *second], [*second, *first]):
        state = state_after(database, order)
        assert [m["provider_customer_id"] for m in state["customer_mappings"]] == ["cus_early"]  # type: ignore[index]
        assert len(state["subject_customers"]) == 2


def test_a_delayed_payment_that_failed_is_failed_in_any_order(database: FreshDatabase) -> None:
    unpaid = session("o1", status="complete", payment_intent="pi_o1", url=None)
    events = [
        event("checkout.session.completed", START, unpaid),
        event("payment_intent.processing", START, intent("o1", status="processing")),
        event("checkout.session.async_payment_failed", START + 500, unpaid),
    ]
    for order in (events, events[::-1]):
        (row,) = state_after(database, order)["transactions"]
        assert (row["status"], row["type"]) == ("failed", "one_time_payment")  # type: ignore[index]
