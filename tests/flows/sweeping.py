"""What tests of sweeps share: a sandbox whose account has a long history of events that were never delivered."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from paygres.sandbox.objects import account as accounts
from paygres.sandbox.settings import Settings
from paygres.sandbox.world import World
from paygres.server.flows.apply_event import Road, apply_event
from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.parts import Parts
from paygres.server.flows.sweep_events import LEASE, Swept, sweep
from paygres.server.projections.events import read_event
from paygres.server.tables import sweeps
from tests.flows.running_parts import Sandbox, rows
from tests.fresh_database import FreshDatabase
from tests.histories import Event, purchase

HOUR = 3600


def history(hours: int, purchases: int, *, until: int) -> list[Event]:
    """Purchases, some declined, some refunded, spread over the hours before `until`; oldest event first."""
    found: list[Event] = []
    for number in range(purchases):
        at = until - hours * HOUR + number * hours * HOUR // purchases
        subject = ("team", f"t{number % 5}") if number % 3 else None
        found += purchase(
            f"p{number}", subject=subject, at=at, declines=number % 4 == 1, refunded=(0, 1000, 2500)[number % 3]
        )
    return sorted((event for event in found if event["created"] < until), key=lambda event: event["created"])


@contextmanager
def sandbox_with(folder: Path, account: str, events: Iterable[Event], objects: Sequence[Any] = ()) -> Iterator[Sandbox]:
    """`python -m paygres.sandbox` whose account has these events, and objects, from the beginning."""
    state = folder / "sandbox.sqlite"
    world = World(Settings(state=state))
    with world.work(account) as work:
        accounts.ensure(work)
        for item in (*events, *objects):
            world.store.insert(account, item, orjson.dumps(item), None)
    world.store.close()
    command = [sys.executable, "-m", "paygres.sandbox", "--port", "0", "--state", str(state)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Sandbox(json.loads(process.stdout.readline())["url"])
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


async def connect_at(parts: Parts, database: FreshDatabase, key: str, at: int) -> None:
    """Connect the account, as if that had happened at `at`; its first sweep is due."""
    await connect_account(parts, "test", key, actor="test")
    await rows(database, "update payments.provider_connections set connected_at = to_timestamp($1) returning 1", at)
    parts.connections.forget("test")
    connection = await parts.connections.current("test")
    assert await sweeps.claim(parts.db, "test", connection.account_id, at, LEASE) is None
    await make_due(database)


async def make_due(database: FreshDatabase) -> None:
    """As if a minute had gone by, and whoever swept had been dead for a while."""
    await rows(database, "update payments.sweeps set short_due = now(), leased_until = null returning 1")


async def deliver_all(parts: Parts, events: Iterable[Event]) -> None:
    """They arrive one by one, as webhooks do."""
    connection = await parts.connections.current("test")
    road = Road("test", connection.account_id, connection.connected_at, parts.installation_id)
    for one in events:
        payload = orjson.dumps(one).decode()
        await apply_event(parts.db, road, read_event(orjson.loads(payload)), payload)


async def swept_once(parts: Parts) -> Swept:
    """One run of a sweep that is due."""
    connection = await parts.connections.current("test")
    claimed = await sweeps.claim(parts.db, "test", connection.account_id, 0, LEASE)
    assert claimed is not None
    done = await sweep(parts, connection, claimed)
    assert done is not None, await progress(parts)
    return done


async def progress(parts: Parts) -> sweeps.Progress:
    """How far the test environment's sweeps have come."""
    (only,) = await sweeps.select_progress(parts.db)
    return only


async def missing(database: FreshDatabase, events: Sequence[Event]) -> list[str]:
    """Ids that are not in the ledger."""
    known = {row["event_id"] for row in await rows(database, "select event_id from payments.stripe_snapshots")}
    return [event["id"] for event in events if event["id"] not in known]


async def holes(database: FreshDatabase, events: Sequence[Event]) -> list[dict[str, Any]]:
    """Events inside the stretch that is called complete, and not in the ledger; read in one snapshot."""
    return await rows(
        database,
        "select e.id, w.complete_through from payments.sweeps w,"
        " unnest($1::text[], $2::bigint[]) as e (id, created)"
        " where e.created between w.complete_from and w.complete_through"
        " and not exists (select from payments.stripe_snapshots s where s.event_id = e.id)",
        [event["id"] for event in events],
        [event["created"] for event in events],
    )


async def watch_for_holes(database: FreshDatabase, events: Sequence[Event], seen: list[int | None]) -> None:
    """Until cancelled: no moment at which a published time has a hole behind it. `seen`: the published times."""
    while True:
        assert await holes(database, events) == []
        (row,) = await rows(database, "select complete_through as t from payments.sweeps")
        seen.append(row["t"])
        await asyncio.sleep(0.005)


def now() -> int:
    return int(time.time())
