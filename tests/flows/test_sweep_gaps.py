"""A gap in an object's history: one that was only late costs nothing, a real one asks Stripe."""

import itertools
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from paygres.server.flows.follow_chain_gaps import follow_chain_gaps
from paygres.server.flows.parts import Parts
from paygres.server.flows.refetch_objects import refetch_objects
from tests.flows.running_parts import Sandbox, parts_on, rows, sandbox_process
from tests.flows.sweeping import connect_at, deliver_all, missing, now, progress, sandbox_with, swept_once
from tests.fresh_database import FreshDatabase
from tests.histories import Event, event, purchase

GAPS = "select event_id, looks from payments.chain_gaps order by event_id"
REFETCHES = "select object_id, reason from payments.refetch_queue order by object_id"
NAMES = ("Ada", "Bob", "Cy", None, "Eve")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_process() as running:
        yield running


def renamings(at: int) -> list[Event]:
    """A customer that is renamed four times, at most once a second."""
    person: dict[str, Any] = {"id": "cus_1", "object": "customer", "email": "a@example.com", "metadata": {}}
    found = [event("customer.created", at, {**person, "name": NAMES[0]})]
    for number, (old, new) in enumerate(itertools.pairwise(NAMES), 1):
        found.append(event("customer.updated", at + number, {**person, "name": new}, {"name": old}))
    return found


@asynccontextmanager
async def connected(database: FreshDatabase, sandbox: Sandbox, key: str | None = None) -> AsyncIterator[Parts]:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await connect_at(parts, database, key or sandbox.new_account()[1], now() - 3600)
        yield parts


async def look(parts: Parts, database: FreshDatabase) -> None:
    """As if the pause were over."""
    await rows(database, "update payments.chain_gaps set look_at = now() - interval '1 second' returning 1")
    await follow_chain_gaps(parts)


async def test_events_in_order_leave_no_gap(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with connected(database, sandbox) as parts:
        await deliver_all(parts, [*renamings(now() - 600), *purchase("o1", subject=("user", "u1"), at=now() - 500)])
    assert await rows(database, GAPS) == []


@pytest.mark.parametrize("seed", range(4))
async def test_a_burst_in_another_order_ends_without_a_question_to_stripe(
    database: FreshDatabase, sandbox: Sandbox, seed: int
) -> None:
    events = [
        *renamings(now() - 600),
        *purchase("o1", subject=("user", "u1"), at=now() - 500, declines=1, refunded=1000),
    ]
    random.Random(seed).shuffle(events)
    async with connected(database, sandbox) as parts:
        await deliver_all(parts, events)
        await rows(database, "delete from payments.refetch_queue returning 1")
        wanted = await rows(database, "select wanted_since from payments.sweeps")
        await look(parts, database)
        assert await rows(database, "select wanted_since from payments.sweeps") == wanted == [{"wanted_since": None}]
    assert await rows(database, GAPS) == await rows(database, REFETCHES) == []


async def test_a_missing_event_is_noticed_swept_for_and_the_object_read(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    events = renamings(now() - 600)
    lost, last = events[2], events[3]
    async with connected(database, sandbox) as parts:
        await deliver_all(parts, [e for e in events if e is not lost])
        assert await rows(database, GAPS) == [{"event_id": last["id"], "looks": 0}]
        await follow_chain_gaps(parts)  # not yet: it may be on its way
        assert await rows(database, GAPS) == [{"event_id": last["id"], "looks": 0}]
        await look(parts, database)
        (sweep,) = await rows(database, "select wanted_since, short_due <= now() as due from payments.sweeps")
        assert sweep == {"wanted_since": events[1]["created"], "due": True}
        assert await rows(database, REFETCHES) == []
        await look(parts, database)
    assert await rows(database, GAPS) == []
    assert await rows(database, REFETCHES) == [{"object_id": "cus_1", "reason": "an event before this one is missing"}]


async def test_the_sweep_a_gap_asks_for_brings_what_is_missing_and_nothing_is_read(
    database: FreshDatabase, tmp_path: Path
) -> None:
    account, key = Sandbox.new_account()
    events = renamings(now() - 600)
    with sandbox_with(tmp_path, account, events) as sandbox:
        async with connected(database, sandbox, key) as parts:
            await rows(database, "update payments.sweeps set complete_through = $1 returning 1", now() - 60)
            await deliver_all(parts, [e for e in events if e is not events[2]])
            await look(parts, database)
            swept = await swept_once(parts)
            await look(parts, database)
            assert (await progress(parts)).gaps == 0
    assert swept.missing == 1
    assert await missing(database, events) == []
    assert await rows(database, REFETCHES) == []
    assert await rows(database, "select from payments.sweeps where wanted_since is not null") == []


async def test_an_object_that_was_read_since_is_not_read_again(database: FreshDatabase, tmp_path: Path) -> None:
    account, key = Sandbox.new_account()
    events = renamings(now() - 600)
    newest = {**events[4]["data"]["object"], "created": now() - 700, "livemode": False}
    with sandbox_with(tmp_path, account, [], [newest]) as sandbox:
        async with connected(database, sandbox, key) as parts:
            await rows(database, "truncate payments.stripe_snapshots, payments.stripe_objects, payments.customers")
            await deliver_all(parts, [e for e in events if e is not events[2]])
            await rows(
                database,
                "insert into payments.refetch_queue (environment, object_type, object_id, reason)"
                " values ('test', 'customer', 'cus_1', 'a test') returning 1",
            )
            await refetch_objects(parts)
            await look(parts, database)
    assert await rows(database, GAPS) == await rows(database, REFETCHES) == []
