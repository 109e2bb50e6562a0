"""Nothing is lost: whatever share of the deliveries never comes, one sweep finds it, and no published time lies."""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from paygres.server.db.embedded import Urls
from paygres.server.flows import sweep_events as sweeping_flow
from paygres.server.flows.check_secrets import SecretsCheck
from paygres.server.flows.parts import Parts
from paygres.server.flows.refetch_objects import refetch_objects
from paygres.server.flows.sweep_events import sweep_events, sweep_window
from paygres.server.flows.sweep_windows import KEPT_SECONDS, LAG_SECONDS
from paygres.server.http.health import Vitals
from paygres.server.tables import sweeps
from tests.flows.canned_stripe import Said, canned
from tests.flows.running_parts import Sandbox, parts_on, rows
from tests.flows.sweeping import (
    HOUR,
    connect_at,
    deliver_all,
    history,
    holes,
    make_due,
    missing,
    now,
    progress,
    sandbox_with,
    swept_once,
    watch_for_holes,
)
from tests.fresh_database import FreshDatabase, cloned
from tests.histories import Event, event, intent
from tests.mirror import digest

BEYOND = """
select message, details::text from payments.attention where reason = 'events_beyond_horizon' and closed_at is null"""

Kept = Callable[[random.Random, Event, int], bool]


@dataclass(frozen=True)
class Past:
    """An account with a history of six hours, and what the mirror says when all of it was delivered."""

    sandbox: Sandbox
    key: str
    events: list[Event]
    began: int
    undisturbed: dict[str, list[object]]


@pytest.fixture(scope="module")
def past(postgres: Urls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    account, key = Sandbox.new_account()
    ended = now() - 300
    events = history(6, 16, until=ended)
    with sandbox_with(tmp_path_factory.mktemp("sandbox"), account, events) as sandbox, cloned(postgres) as database:

        async def all_delivered() -> dict[str, list[object]]:
            async with parts_on(database, sandbox.url, limits=False) as parts:
                await connect_at(parts, database, key, ended - 7 * HOUR)
                await deliver_all(parts, events)
            return await digest(database.superuser_url)

        yield Past(sandbox, key, events, ended - 7 * HOUR, asyncio.run(all_delivered()))


def _every_second(rng: random.Random, event: Event, began: int) -> bool:
    return rng.random() < 0.5


def _one_in_ten(rng: random.Random, event: Event, began: int) -> bool:
    return rng.random() < 0.1


def _nothing(rng: random.Random, event: Event, began: int) -> bool:
    return False


def _not_two_hours(rng: random.Random, event: Event, began: int) -> bool:
    return not began + 3 * HOUR <= event["created"] < began + 5 * HOUR and rng.random() < 0.9


def _only_the_newest(rng: random.Random, event: Event, began: int) -> bool:
    return event["created"] > began + 6 * HOUR


@pytest.mark.parametrize("kept", [_every_second, _one_in_ten, _nothing, _not_two_hours, _only_the_newest])
async def test_after_one_sweep_nothing_is_missing_and_no_published_time_had_a_hole_behind_it(
    database: FreshDatabase, past: Past, kept: Kept
) -> None:
    rng = random.Random(kept.__name__)
    delivered = [event for event in past.events if kept(rng, event, past.began)]
    rng.shuffle(delivered)
    seen: list[int | None] = []
    async with parts_on(database, past.sandbox.url, limits=False) as parts:
        await connect_at(parts, database, past.key, past.began)
        await deliver_all(parts, delivered)
        watching = asyncio.create_task(watch_for_holes(database, past.events, seen))
        swept = await swept_once(parts)
        watching.cancel()
        assert isinstance((await asyncio.gather(watching, return_exceptions=True))[0], asyncio.CancelledError)
        reached = await progress(parts)
    assert (swept.listed, swept.missing) == (len(past.events), len(past.events) - len(delivered))
    assert await missing(database, past.events) == []
    assert await rows(database, "select * from payments.event_queue") == []
    assert await digest(database.superuser_url) == past.undisturbed
    assert seen == sorted(seen, key=lambda t: t or 0)
    assert reached.complete_from == past.began
    assert now() - LAG_SECONDS - 15 <= (reached.complete_through or 0) <= now() - LAG_SECONDS
    assert await holes(database, past.events) == []


async def test_a_late_event_is_never_behind_a_published_time(database: FreshDatabase, sandbox: Sandbox) -> None:
    """What happened in the last minute may be listed later: the sweep finds it, and calls none of it complete."""
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await connect_at(parts, database, key, now() - HOUR)
        await parts.gateway.request(key, "post", "/v1/customers", {"email": "ada@example.com"})
        first = await swept_once(parts)
        reached = (await progress(parts)).complete_through or 0
        await parts.gateway.request(key, "post", "/v1/customers", {"email": "bob@example.com"})
        await make_due(database)
        second = await swept_once(parts)
    assert (first.missing, second.missing) == (1, 1)
    assert second.listed == 2  # seconds that are not complete are listed again
    assert reached <= now() - LAG_SECONDS
    assert len(await rows(database, "select from payments.customers")) == 2


async def test_two_workers_do_not_sweep_twice(database: FreshDatabase, past: Past) -> None:
    async with (
        parts_on(database, past.sandbox.url, limits=False) as one,
        parts_on(database, past.sandbox.url, limits=False) as other,
    ):
        await connect_at(one, database, past.key, past.began)
        for _ in range(3):
            await asyncio.gather(sweep_events(one), sweep_events(other))
        await _until(database, "select from payments.sweeps where swept_at is not null")
        (told,) = await rows(database, "select listed, missing, error from payments.sweeps")
    assert told == {"listed": len(past.events), "missing": len(past.events), "error": None}


async def test_a_run_that_lost_its_lease_publishes_nothing(database: FreshDatabase, sandbox: Sandbox) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_at(parts, database, key, now() - HOUR)
        connection = await parts.connections.current("test")
        stale = await sweeps.claim(parts.db, "test", connection.account_id, 0, sweeping_flow.LEASE)
        assert stale is not None
        assert await sweeps.claim(parts.db, "test", connection.account_id, 0, sweeping_flow.LEASE) is None
        await make_due(database)  # its process seemed dead
        await swept_once(parts)
        before = await rows(database, "select * from payments.sweeps")
        assert await sweeping_flow.sweep(parts, connection, stale) is None
        assert await rows(database, "select * from payments.sweeps") == before


async def test_a_refused_list_is_shown_and_nothing_is_called_complete(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_at(parts, database, key, now() - HOUR)
        connection = await parts.connections.current("test")
    async with parts_on(database, "http://127.0.0.1:9") as parts:
        claimed = await sweeps.claim(parts.db, "test", connection.account_id, 0, sweeping_flow.LEASE)
        assert claimed is not None
        assert await sweeping_flow.sweep(parts, connection, claimed) is None
        told = await progress(parts)
    (row,) = await rows(
        database, "select error, swept_at, short_due > now() + interval '50 s' as later from payments.sweeps"
    )
    assert told.complete_through is None
    assert row["error"]
    assert (row["swept_at"], row["later"]) == (None, True)


async def test_a_month_without_sweeps_leaves_an_item_for_an_operator(database: FreshDatabase, past: Past) -> None:
    async with parts_on(database, past.sandbox.url, limits=False) as parts:
        await connect_at(parts, database, past.key, past.began)
        long_ago = now() - 40 * 86400
        await rows(
            database, "update payments.sweeps set complete_from = $1, complete_through = $1 returning 1", long_ago
        )
        swept = await swept_once(parts)
        reached = await progress(parts)
        (item,) = await rows(database, BEYOND)
        await sweeps.close_horizon(parts.db, "test")
    assert swept.missing == len(past.events)
    assert now() - 30 * 86400 < reached.complete_from <= now() - KEPT_SECONDS
    assert (reached.complete_through or 0) > now() - LAG_SECONDS - 15
    assert "reconcile" in item["message"]
    assert str(long_ago) in item["details"]
    assert await rows(database, BEYOND) == []


async def test_an_event_of_another_api_version_has_its_object_read_in_ours(
    database: FreshDatabase, tmp_path: Any
) -> None:
    account, key = Sandbox.new_account()
    old = event("payment_intent.succeeded", now() - 600, intent("old", status="succeeded", amount_received=2500))
    old["api_version"] = "2022-11-15"
    ours = intent("old", status="succeeded", amount_received=2500, description="as our version tells it")
    with sandbox_with(tmp_path, account, [old], [ours]) as sandbox:
        async with parts_on(database, sandbox.url, limits=False) as parts:
            await connect_at(parts, database, key, now() - HOUR)
            await rows(database, "delete from payments.stripe_objects where source = 'api' returning 1")
            await rows(database, "truncate payments.stripe_snapshots, payments.refetch_queue")
            await swept_once(parts)
            (queued,) = await rows(database, "select object_id, reason from payments.refetch_queue")
            await refetch_objects(parts)
    assert queued == {"object_id": "pi_old", "reason": "told by an event of API version 2022-11-15"}
    (known,) = await rows(database, "select source, raw ->> 'description' as text from payments.stripe_objects")
    assert known == {"source": "api", "text": "as our version tells it"}


async def test_a_listed_event_that_is_none_is_told_and_stops_nobody(database: FreshDatabase, sandbox: Sandbox) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_at(parts, database, key, now() - HOUR)
    odd = {"id": "evt_odd", "object": "event", "type": "customer.created", "created": now() - 700, "data": {}}
    named = {"id": "cus_1", "object": "customer", "name": "a\x00b\\u0000"}
    listed = {"object": "list", "data": [event("customer.created", now() - 600, named), odd], "has_more": False}
    async with canned(Said(listed)) as stripe, parts_on(database, stripe.url) as parts:
        swept = await sweep_window(parts, "test", now() - HOUR, types=["customer.created"])
    assert swept.outcomes == {"unreadable": 1, "processed": 1}
    names = await rows(database, "select raw ->> 'name' as name from payments.customers")
    assert names == [{"name": "a\ufffdb\\u0000"}]  # PostgreSQL has no NUL
    items = await rows(database, "select reason, object_id from payments.attention where closed_at is null")
    assert items == [{"reason": "unreadable_event", "object_id": "evt_odd"}]


async def test_a_look_on_demand_stores_what_is_missing_and_publishes_nothing(
    database: FreshDatabase, past: Past
) -> None:
    async with parts_on(database, past.sandbox.url, limits=False) as parts:
        await connect_at(parts, database, past.key, past.began)
        wanted = [e for e in past.events if e["type"] == "checkout.session.completed"]
        counted = await sweep_window(
            parts, "test", past.began, types=["checkout.session.completed"], store=False, priority="backfill"
        )
        assert (counted.listed, counted.missing, counted.outcomes) == (len(wanted), len(wanted), {})
        assert len(await missing(database, past.events)) == len(past.events)
        found = await sweep_window(parts, "test", past.began, types=["checkout.session.completed"])
        assert found.outcomes == {"processed": len(wanted)}
        assert await missing(database, wanted) == []
        assert (await progress(parts)).complete_through is None


async def test_readiness_and_status_tell_how_far_it_is_complete(database: FreshDatabase, past: Past) -> None:
    async with parts_on(database, past.sandbox.url, limits=False) as parts:
        await connect_at(parts, database, past.key, past.began)
        assert await _events_check(parts) == {"ok": True, "state": "not swept yet"}
        await swept_once(parts)
        told = await _events_check(parts)
    assert told["ok"]
    assert told["state"].startswith("test complete through 20")


async def _events_check(parts: Parts) -> dict[str, Any]:
    async def current() -> str:
        return "current"

    async def how_far() -> list[sweeps.Progress]:
        return await sweeps.select_progress(parts.db)

    answer = await Vitals(current, SecretsCheck(parts), parts.pulse, how_far).ready()
    return orjson.loads(bytes(answer.body))["checks"]["events"]


async def _until(database: FreshDatabase, statement: str) -> None:
    for _ in range(1000):
        if await rows(database, statement):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"never: {statement}")


@pytest.fixture(scope="module")
def sandbox(past: Past) -> Sandbox:
    return past.sandbox
