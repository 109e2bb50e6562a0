"""An event that was answered is never dropped: it is tried again ever more slowly, or waits for something, or is dead
and on the operators' list."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson

from paygres.server.flows.apply_event import MAX_ATTEMPTS, PARKED_RETRY, retry_in
from paygres.server.flows.parts import Parts
from paygres.server.flows.retry_events import retry_events
from paygres.server.flows.watch_dead_events import watch_dead_events
from paygres.server.projections.events import read_event
from paygres.server.tables import events, metrics
from tests.flows.running_parts import parts_on, rows
from tests.flows.sweeping import now
from tests.flows.webhooks import script
from tests.fresh_database import FreshDatabase
from tests.histories import Event, customer, event, intent

QUEUE = """
select status, attempts, reason, next_attempt_at is not null as again, deadline is not null as ends,
       payments.event_state(status, reason, next_attempt_at) as state
from payments.event_queue order by event_id"""
ITEMS = (
    "select object_id, message, details::text from payments.attention where reason = 'dead_event' and closed_at is null"
)
BROKEN = """
create function public.broken() returns trigger language plpgsql set search_path = '' as $$
begin raise exception 'the shop is closed'; end $$;
create trigger broken before update on payments.webhook_events for each row
    when (new.processing_status = 'processed') execute function public.broken();
"""
REPAIRED = "drop trigger broken on payments.webhook_events"


@asynccontextmanager
async def parts_alone(database: FreshDatabase) -> AsyncIterator[Parts]:
    """No Stripe and no worker: the test is the worker."""
    async with parts_on(database, "http://127.0.0.1:9") as parts:
        yield parts


def renamed(ident: str) -> Event:
    return event("customer.updated", now() - 60, customer("u1"), {"name": None}, ident=ident)


async def keep(parts: Parts, one: Event, reason: str = "not finished within the time of the webhook's answer") -> None:
    """Answered 200, and nothing but stored."""
    payload = orjson.dumps(one).decode()
    read = read_event(orjson.loads(payload))
    assert await events.keep_event(parts.db, "test", "", read, payload, reason, timedelta(0))


async def turn(parts: Parts, database: FreshDatabase) -> None:
    """The worker's next look, as if every pause were over."""
    await rows(
        database,
        "update payments.event_queue set next_attempt_at = now() - interval '1 s', leased_until = null"
        " where next_attempt_at is not null returning 1",
    )
    await retry_events(parts)
    await watch_dead_events(parts)


async def test_an_event_that_waits_for_a_slow_database_has_no_deadline(database: FreshDatabase) -> None:
    async with parts_alone(database) as parts:
        await keep(parts, renamed("evt_slow"))
        (queued,) = await rows(database, QUEUE)
        assert (queued["state"], queued["ends"]) == ("pending", False)
        script(database, BROKEN)
        await rows(database, "update payments.event_queue set created_at = now() - interval '30 days' returning 1")
        await turn(parts, database)
        (queued,) = await rows(database, QUEUE)
        assert (queued["state"], queued["again"], queued["ends"]) == ("failed", True, False)
        script(database, REPAIRED)
        await turn(parts, database)
    assert await rows(database, QUEUE) == await rows(database, ITEMS) == []


async def test_a_parked_event_has_a_reason_and_a_deadline_and_then_is_dead_and_listed(database: FreshDatabase) -> None:
    shapeless = {"id": "pi_1", "object": "payment_intent"}
    async with parts_alone(database) as parts:
        await keep(parts, event("payment_intent.succeeded", now() - 60, shapeless, ident="evt_parked"))
        await turn(parts, database)
        (queued,) = await rows(database, QUEUE)
        assert (queued["state"], queued["again"], queued["ends"]) == ("parked", True, True)
        assert queued["reason"].startswith("parked: payment_intent without")
        await rows(database, "update payments.event_queue set deadline = now() - interval '1 s' returning 1")
        await turn(parts, database)
        (queued,) = await rows(database, QUEUE)
        assert (queued["state"], queued["again"]) == ("dead", False)
        (item,) = await rows(database, ITEMS)
        assert item["object_id"] == "evt_parked"
        assert "payment_intent without" in item["details"]
        (counted, _) = sorted(await metrics.select_backlog(parts.db), key=lambda b: b.environment, reverse=True)
        assert (counted.environment, counted.dead) == ("test", 1)
        await watch_dead_events(parts)
        assert len(await rows(database, "select from payments.attention")) == 1  # told once
        # An operator asks for it, and it waits anew.
        await rows(database, "update payments.event_queue set next_attempt_at = now() returning 1")
        await turn(parts, database)
        (queued,) = await rows(database, QUEUE)
        assert (queued["state"], queued["ends"]) == ("parked", True)
        assert await rows(database, ITEMS) == []


async def test_a_failing_event_is_tried_ever_more_slowly_and_then_dead_until_its_cause_is_gone(
    database: FreshDatabase,
) -> None:
    pauses = [retry_in(attempt) for attempt in range(1, MAX_ATTEMPTS)]
    seconds = [pause.total_seconds() for pause in pauses if pause is not None]
    assert len(seconds) == MAX_ATTEMPTS - 1
    assert retry_in(MAX_ATTEMPTS) is None
    assert seconds[0] <= 6
    assert max(seconds) <= 4320
    assert sum(seconds) > 1.5 * 86400
    assert retry_in(MAX_ATTEMPTS, parked=True) == PARKED_RETRY
    async with parts_alone(database) as parts:
        script(database, BROKEN)
        await keep(parts, renamed("evt_unlucky"))
        await turn(parts, database)
        await turn(parts, database)
        (queued,) = await rows(database, QUEUE)
        assert (queued["state"], queued["attempts"]) == ("failed", 3)
        await rows(database, "update payments.event_queue set attempts = $1 returning 1", MAX_ATTEMPTS - 1)
        await turn(parts, database)
        (queued,) = await rows(database, QUEUE)
        assert queued["state"] == "dead"
        (item,) = await rows(database, ITEMS)
        assert "evt_unlucky" in item["message"]
        assert "the shop is closed" in item["details"]
        script(database, REPAIRED)
        await rows(database, "update payments.event_queue set next_attempt_at = now() returning 1")
        await turn(parts, database)
        assert await rows(database, QUEUE) == await rows(database, ITEMS) == []
    (marked,) = await rows(database, "select processing_status from payments.webhook_events")
    assert marked == {"processing_status": "processed"}


async def test_an_event_nobody_foresaw_does_not_stand_in_the_way_of_the_others(database: FreshDatabase) -> None:
    async with parts_alone(database) as parts:
        await keep(parts, renamed("evt_a"))
        await keep(parts, event("customer.created", now() - 60, customer("u2"), ident="evt_b"))
        # Not an event at all: whatever the road does with it, it is no lock and no failing trigger.
        await rows(
            database,
            "update payments.stripe_snapshots set payload = '{\"id\": \"evt_a\"}' where event_id = 'evt_a' returning 1",
        )
        await turn(parts, database)
        (queued,) = await rows(database, QUEUE)
        assert (queued["state"], queued["attempts"], queued["again"]) == ("failed", 2, True)
        attempts = await rows(database, "select outcome, error from payments.event_attempts where event_id = 'evt_a'")
    assert attempts[-1] == {"outcome": "failed", "error": "not applied: Unreadable"}
    done = await rows(database, "select provider_event_id as id from payments.webhook_events")
    assert done == [{"id": "evt_b"}]


async def test_what_belongs_to_others_is_recorded_with_the_reason(database: FreshDatabase) -> None:
    stamped = intent("other", metadata={"insforge_installation_id": "22222222-2222-4222-8222-222222222222"})
    live: dict[str, Any] = {
        **event("payment_intent.created", now(), intent("live"), ident="evt_live"),
        "livemode": True,
    }
    async with parts_alone(database) as parts:
        await keep(parts, event("payment_intent.created", now(), stamped, ident="evt_foreign"))
        await keep(parts, live)
        await turn(parts, database)
    told = await rows(
        database,
        "select provider_event_id as id, processing_status as status, last_error"
        " from payments.webhook_events order by 1",
    )
    assert told == [
        {
            "id": "evt_foreign",
            "status": "ignored",
            "last_error": "foreign: made by another Paygres installation on this Stripe account",
        },
        {"id": "evt_live", "status": "ignored", "last_error": "livemode does not fit this environment"},
    ]
    assert len(await rows(database, "select from payments.stripe_snapshots")) == 2
    assert await rows(database, "select from payments.stripe_objects") == []
