"""Events and reads that wait: what they were taken on under holds, what came meanwhile counts, none stands in another's
way."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from paygres.server.flows import retry_events as retries
from paygres.server.flows.apply_event import Road, apply_event
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.connections import Connection
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.rebuild_projections import Wanted, rebuild_projections
from paygres.server.flows.refetch_objects import refetch_objects
from paygres.server.flows.replay_event import replay_event
from paygres.server.flows.requests.events import ReplayRequest
from paygres.server.projections.events import read_event
from paygres.server.tables import events, sweeps
from tests.flows.canned_stripe import Said, canned
from tests.flows.running_parts import Sandbox, parts_on, rows, sandbox_process
from tests.flows.sweeping import HOUR, connect_at, now, sandbox_with, swept_once
from tests.flows.webhooks import script
from tests.fresh_database import FreshDatabase
from tests.histories import Event, customer, event, intent
from tests.mirror import digest
from tests.subscription_histories import invoice

NOWHERE = "http://127.0.0.1:9"
ME = Operator("tester", None, None)
PRICE = {
    "id": "price_g",
    "object": "price",
    "active": True,
    "currency": "usd",
    "type": "recurring",
    "recurring": {"interval": "month", "interval_count": 1},
    "product": "prod_1",
    "unit_amount": 100,
    "metadata": {},
}
GIVING = """
create table public.given (id text);
grant insert on public.given to payments_trigger;
create function public.give() returns trigger language plpgsql set search_path = '' as $$
begin insert into public.given values (new.provider_event_id); return new; end $$;
create trigger give after update on payments.webhook_events for each row
    when (new.processing_status = 'processed') execute function public.give();
"""
DUE = "update payments.event_queue set next_attempt_at = now() - interval '1 s', leased_until = null returning event_id"
QUEUED = "select object_id, last_error from payments.refetch_queue order by object_id"


async def connected(database: FreshDatabase) -> None:
    with sandbox_process() as sandbox:
        _, key = sandbox.new_account()
        async with parts_on(database, sandbox.url) as parts:
            await connect_at(parts, database, key, now() - HOUR)
            await rows(database, "truncate payments.refetch_queue")


async def put(parts: Parts, told: Event, connected_at: int = 0, account_id: str = "") -> str:
    payload = orjson.dumps(told).decode()
    road = Road("test", account_id, connected_at, parts.installation_id)
    return (await apply_event(parts.db, road, read_event(orjson.loads(payload)), payload)).status


async def kept(parts: Parts, told: Event) -> None:
    payload = orjson.dumps(told).decode()
    await events.keep_event(parts.db, "test", "", read_event(orjson.loads(payload)), payload, "slow", timedelta(0))


async def given(database: FreshDatabase) -> list[str]:
    return [row["id"] for row in await rows(database, "select id from public.given")]


async def test_a_read_that_cannot_be_applied_stands_in_no_other_ones_way(database: FreshDatabase) -> None:
    await connected(database)
    bad = {**PRICE, "id": "price_bad", "recurring": "month"}
    async with canned(Said(bad), Said(PRICE)) as stripe, parts_on(database, stripe.url) as parts:
        await sweeps.queue_refetch(parts.db, "test", "price", "price_bad", "first")
        await asyncio.sleep(0.05)
        await sweeps.queue_refetch(parts.db, "test", "price", "price_g", "second")
        assert await refetch_objects(parts) == 2
    assert await rows(database, QUEUED) == [{"object_id": "price_bad", "last_error": "not applied: AttributeError"}]


async def test_what_is_asked_about_while_it_is_being_read_is_read_again(database: FreshDatabase) -> None:
    await connected(database)
    async with canned(Said(PRICE, after=0.5)) as stripe, parts_on(database, stripe.url) as parts:
        await sweeps.queue_refetch(parts.db, "test", "price", "price_g", "first")
        reading = asyncio.create_task(refetch_objects(parts))
        await asyncio.sleep(0.25)
        assert len(stripe.asked) == 1
        await sweeps.queue_refetch(parts.db, "test", "price", "price_g", "an event before this one is missing")
        await reading
        assert [row["object_id"] for row in await rows(database, QUEUED)] == ["price_g"]
        await asyncio.sleep(2.1)
        assert await refetch_objects(parts) == 1
    assert await rows(database, QUEUED) == []
    assert len(stripe.asked) == 2


def in_old_and_in_ours(at: int) -> tuple[Event, Event, Event]:
    """A payment's beginning, and its success as a sweep lists it and as Stripe delivers it afterwards."""
    begun = event("payment_intent.created", at, intent("x", status="requires_payment_method"), ident="evt_1")
    poor = {"id": "pi_x", "object": "payment_intent", "status": "succeeded"}
    old = event("payment_intent.succeeded", at + 10, poor, ident="evt_2", version="2010-01-01")
    paid = intent("x", status="succeeded", amount_received=2500)
    return begun, old, event("payment_intent.succeeded", at + 10, paid, ident="evt_2")


@pytest.mark.parametrize("read", [False, True], ids=["never read", "read later"])
async def test_an_event_that_was_listed_in_an_old_version_and_delivered_in_ours_stays_known(
    database: FreshDatabase, read: bool
) -> None:
    at = now() - 600
    async with parts_on(database, NOWHERE) as parts:
        assert [await put(parts, one) for one in in_old_and_in_ours(at)] == ["processed", "pending", "processed"]
        if read:
            paid = intent("x", status="succeeded", amount_received=2500)
            await apply_reads(parts.db, Connection("test", "", "sk", (), 0), [paid], at + 100)
        before = await digest(database.superuser_url)
        assert [row["status"] for row in before["transactions"]] == ["succeeded"]
        await rebuild_projections(parts.db, "test", parts.installation_id, Wanted(), ME)
        assert await digest(database.superuser_url) == before
        answer = await replay_event(parts, "test", "evt_2", ReplayRequest(reason="again"), ME)
        assert (answer["outcome"], answer["error"]) == ("processed", None)
        assert await digest(database.superuser_url) == before


async def test_an_event_that_cannot_be_read_is_done_once_its_object_was_read(
    database: FreshDatabase, tmp_path: Path
) -> None:
    """An account whose version is old: its invoice.paid was not delivered, and is listed without `parent`."""
    account, key = Sandbox.new_account()
    at = now() - 600
    told: dict[str, Any] = {"status": "paid", "amount_paid": 900, "created": at, "number": "N-1"}
    ours = invoice("a", **told, status_transitions={"finalized_at": at, "paid_at": at})
    theirs = {name: value for name, value in ours.items() if name != "parent"} | {"subscription": "sub_a"}
    old = event("invoice.paid", at, theirs, ident="evt_old", version="2023-10-16")
    script(database, GIVING)
    with sandbox_with(tmp_path, account, [old], [ours]) as sandbox:
        async with parts_on(database, sandbox.url, limits=False) as parts:
            await connect_at(parts, database, key, now() - HOUR)
            await rows(database, "truncate payments.stripe_snapshots, payments.stripe_objects, payments.refetch_queue")
            swept = await swept_once(parts)
            assert swept.outcomes["pending"] == 1
            assert await given(database) == []
            assert await refetch_objects(parts) >= 1
            assert await retries.retry_events(parts) == 1  # due at once, not in an hour
    assert await given(database) == ["evt_old"]
    assert await rows(database, "select from payments.event_queue") == []


async def test_an_event_keeps_the_connection_it_was_taken_on_under(database: FreshDatabase) -> None:
    """Its trigger failed; the operator saved another account's key by mistake, and then the right one again."""
    script(
        database,
        GIVING + "create function public.closed() returns trigger language plpgsql as $$"
        " begin raise exception 'the shop is closed'; end $$;"
        "create trigger closed before update on payments.webhook_events for each row"
        " when (new.processing_status = 'processed') execute function public.closed();",
    )
    with sandbox_process() as sandbox:
        (_, ours), (_, other) = sandbox.new_account(), sandbox.new_account()
        async with parts_on(database, sandbox.url) as parts:
            await connect_at(parts, database, ours, now() - HOUR)
            connection = await parts.connections.current("test")
            told = event("customer.created", now() - 600, customer("u1"), ident="evt_paid")
            assert await put(parts, told, connection.connected_at, connection.account_id) == "failed"
            await connect_account(parts, "test", other, actor="tester")
            await connect_account(parts, "test", ours, actor="tester")
            script(database, "drop trigger closed on payments.webhook_events")
            await rows(database, DUE)
            await retries.retry_events(parts)
    assert await given(database) == ["evt_paid"]


async def test_a_replay_asked_for_while_a_worker_holds_the_event_counts(database: FreshDatabase) -> None:
    script(database, GIVING)
    since = (
        "insert into payments.provider_connections (environment, provider, status, connected_at)"
        " values ('test', 'stripe', 'connected', now()) on conflict (environment, provider)"
        " do update set connected_at = now() returning 1"
    )
    async with parts_on(database, NOWHERE) as parts:
        await rows(database, since)
        parts.connections.forget("test")
        await kept(parts, event("customer.updated", now() - 600, customer("u1"), {"name": None}, ident="evt_older"))
        (leased,) = await events.lease_events(parts.db, 20, timedelta(seconds=60), [])
        answer = await replay_event(parts, "test", "evt_older", ReplayRequest(reason="again"), ME)
        assert answer["outcome"] == "queued"
        assert (await retries.retry_event(parts, leased)).status == "processed"
    assert await given(database) == ["evt_older"]


async def test_a_worker_that_ran_out_of_time_gives_the_rest_back(
    database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "ROUND_SECONDS", 0.2)
    script(
        database,
        "create function public.slow() returns trigger language plpgsql as $$ begin perform pg_catalog.pg_sleep(0.3);"
        " return new; end $$; create trigger slow before insert on payments.webhook_events for each row"
        " execute function public.slow();",
    )
    async with parts_on(database, NOWHERE) as parts:
        for name in ("a", "b", "c"):
            await kept(
                parts, event("customer.updated", now() - 60, customer(name), {"name": None}, ident=f"evt_{name}")
            )
        began = time.monotonic()
        assert await retries.retry_events(parts) == 3
        assert time.monotonic() - began < 2
        left = await rows(database, "select leased_until from payments.event_queue")
        assert [row["leased_until"] for row in left] == [None, None]
