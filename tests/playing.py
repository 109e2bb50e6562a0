"""Histories played into a mirror by the roads of the server, in any order, and what the mirror says then."""

import asyncio
import os
import re
import uuid
from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson
from hypothesis import HealthCheck, settings

from paygres.server.db.database import Database
from paygres.server.flows.apply_event import Applied, Road, apply_event
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connections import Connection
from paygres.server.projections.events import read_event
from tests.fresh_database import FreshDatabase
from tests.histories import Event
from tests.mirror import Digest, digest, digests_of_copies

CONNECTION = Connection("test", "acct_1", "sk_test_x", (), 0)
ROAD = Road("test", "acct_1", 0, "11111111-1111-4111-8111-111111111111", seconds=10.0)
# Written by installing and connecting, not by histories.
_KEPT = ("provider_connections", "webhook_endpoints")

# An event, or an object as Stripe's API told it at a second.
Step = Event | tuple[dict[str, Any], int]


def times(count: int) -> int:
    """So many of something, or PAYGRES_ORDER_EXAMPLES times as many for a long run."""
    return count * int(os.environ.get("PAYGRES_ORDER_EXAMPLES", "1"))


def examples(count: int) -> Any:
    """So many examples of a property, or more for a long run."""
    return settings(
        max_examples=times(count),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


class Mirror:
    """One database that histories are played into; it stays connected, for there are many of them."""

    def __init__(self, database: FreshDatabase) -> None:
        self.database = database
        self._runner = asyncio.Runner()
        self._doors: dict[int, Database] = {}
        self._superuser: asyncpg.Connection | None = None

    def close(self) -> None:
        async def end() -> None:
            for door in self._doors.values():
                await door.close()
            if self._superuser is not None:
                await self._superuser.close()

        self._runner.run(end())
        self._runner.close()

    def state_after(self, steps: Sequence[Step], workers: int = 1) -> Digest:
        """The digest after playing the steps into the emptied mirror, so many of them at once."""
        self.fill(steps, workers)
        return self._runner.run(digest(self.database.superuser_url))

    def fill(self, steps: Sequence[Step], workers: int = 1) -> None:
        """Empty it, then play the steps."""
        self._runner.run(self._fill(steps, workers))

    def states_of_orders(self, orders: Sequence[Sequence[Step]]) -> list[Digest]:
        """The digest after each of some orders of one history, played side by side: every name in it must hold Q0Q,
        the mark that tells the copies apart."""
        copies = [_copy(order, number) for number, order in enumerate(orders)]

        async def play() -> list[Digest]:
            await self._fill([step for steps, _ in copies for step in steps], 1)
            return await digests_of_copies(await self._connected(), [names for _, names in copies])

        return self._runner.run(play())

    def refetches(self, steps: Sequence[Step]) -> "Refetches":
        """Play the steps into the emptied mirror and count what would be asked of Stripe."""
        return self._runner.run(self._count(steps))

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """As the superuser."""

        async def fetch() -> list[dict[str, Any]]:
            return [dict(row) for row in await (await self._connected()).fetch(statement)]

        return self._runner.run(fetch())

    async def _fill(self, steps: Sequence[Step], workers: int) -> None:
        superuser = await self._connected()
        await self._empty(superuser)
        await superuser.executemany(_CHECKOUT, [_checkout(raw) for raw in _sessions(steps).values()])
        if workers not in self._doors:
            self._doors[workers] = await Database.connect(
                self.database.server_url, webhook_pool=workers, checkout_pool=workers
            )
        door, waiting = self._doors[workers], list(reversed(steps))

        async def work() -> None:
            while waiting:
                await play(door, waiting.pop())

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())

    async def _count(self, steps: Sequence[Step]) -> "Refetches":
        await self._fill([], 1)
        superuser = await self._connected()
        await superuser.executemany(_CHECKOUT, [_checkout(raw) for raw in _sessions(steps).values()])
        events = queued = undecided = in_queue = 0
        for step in steps:
            await play(self._doors[1], step)
            if isinstance(step, tuple):
                continue
            events += 1
            before, in_queue = in_queue, await superuser.fetchval("select count(*) from payments.refetch_queue")
            queued += in_queue > before
            undecided += await superuser.fetchval(
                "select coalesce(bool_or(undecided), false)::int from payments.stripe_objects where object_id = $1",
                step["data"]["object"]["id"],
            )
        return Refetches(events, queued, undecided, await superuser.fetchval(_STILL_NEEDED))

    async def _empty(self, superuser: asyncpg.Connection) -> None:
        names = await superuser.fetch("select tablename from pg_tables where schemaname = 'payments'")
        tables = [row["tablename"] for row in names if row["tablename"] not in _KEPT]
        filled = await superuser.fetch(
            " union all ".join(f"select '{t}' as name where exists (select from payments.{t})" for t in tables)
        )
        if filled:
            await superuser.execute("truncate " + ", ".join(f"payments.{row['name']}" for row in filled) + " cascade")

    async def _connected(self) -> asyncpg.Connection:
        if self._superuser is None:
            self._superuser = await asyncpg.connect(self.database.superuser_url)
        return self._superuser


class Refetches:
    """Of so many events: after how many something was queued to be read at Stripe, after how many the object was
    undecided, and how many objects would really have been read once everything had arrived."""

    def __init__(self, events: int, queued: int, undecided: int, made: int) -> None:
        self.events, self.queued, self.undecided, self.made = events, queued, undecided, made

    @classmethod
    def none(cls) -> "Refetches":
        return cls(0, 0, 0, 0)

    def __add__(self, other: "Refetches") -> "Refetches":
        return Refetches(
            self.events + other.events,
            self.queued + other.queued,
            self.undecided + other.undecided,
            self.made + other.made,
        )

    @property
    def rate(self) -> float:
        """Requests to Stripe an event."""
        return self.made / self.events if self.events else 0.0

    def __str__(self) -> str:
        return (
            f"{self.events} events: {self.undecided} undecided, {self.queued} queued something,"
            f" {self.made} reads = {self.rate:.1%}"
        )


# Some refetches are put off for half a minute, and the worker drops them unasked when the rest has arrived by then.
_STILL_NEEDED = """
    select count(*) from payments.refetch_queue a
    where case when not a.only_if_unknown then exists (
                   select from payments.stripe_objects o
                   where o.object_id = a.object_id and o.object_type = a.object_type and o.undecided)
               when a.object_type = 'payment_intent.invoice' then not exists (
                   select from payments.payment_invoices i where i.payment_intent_id = a.object_id)
               else not exists (
                   select from payments.stripe_objects o
                   where o.object_id = a.object_id and o.object_type = a.object_type) end
"""

_CHECKOUT = """
    insert into payments.stripe_checkout_sessions (
        id, environment, account_id, mode, status, subject_type, subject_id, line_items, success_url, cancel_url,
        checkout_session_id, created_at)
    values ($1, 'test', 'acct_1', $2, 'open', $3, $4, $5, 'https://example.com/ok', 'https://example.com/no', $6,
            to_timestamp($7))
"""


async def play(db: Database, step: Step) -> None:
    """One step by its road; an event must end as done, or parked when no version that we read rendered it."""
    if isinstance(step, tuple):
        await apply_reads(db, CONNECTION, [step[0]], step[1])
        return
    applied = await deliver(db, step)
    fine = applied.status in ("processed", "done") or "parked" in str(applied.event["lastError"])
    assert fine, applied.event["lastError"]


async def deliver(db: Database, body: Event) -> Applied:
    """As the webhook route does after verification."""
    return await apply_event(db, ROAD, read_event(body), orjson.dumps(body).decode())


def _sessions(steps: Sequence[Step]) -> dict[str, dict[str, Any]]:
    """The checkouts of a history by the id of our row: that exists before Stripe has heard of them."""
    raws = [step[0] if isinstance(step, tuple) else step["data"]["object"] for step in steps]
    return {
        row_id: raw
        for raw in raws
        if raw.get("object") == "checkout.session"
        and (row_id := raw.get("metadata", {}).get("insforge_checkout_session_id"))
    }


def _checkout(raw: dict[str, Any]) -> tuple[Any, ...]:
    stamped = raw["metadata"]
    bought = [{"priceId": stamped.get("bought", "price_once"), "quantity": 1}]
    return (
        stamped["insforge_checkout_session_id"],
        raw["mode"],
        stamped.get("insforge_subject_type"),
        stamped.get("insforge_subject_id"),
        orjson.dumps(bought).decode(),
        raw["id"],
        raw["created"],
    )


_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _copy(steps: Sequence[Step], number: int) -> tuple[list[Step], dict[str, str]]:
    """A history under names of its own, event ids and row ids included, that sort as before; and those names."""
    mark = f"Q{number:06d}Q"
    names = {mark: "Q0Q"}

    def renamed(found: re.Match[str]) -> str:
        own = str(uuid.uuid5(uuid.NAMESPACE_OID, found.group() + mark))
        names[own] = found.group()
        return own

    def copied(value: Any) -> Any:
        text = orjson.dumps(value).decode().replace("Q0Q", mark)
        return orjson.loads(_UUID.sub(renamed, text))

    found: list[Step] = []
    for step in steps:
        if isinstance(step, tuple):
            found.append((copied(step[0]), step[1]))
        else:
            found.append(copied({**step, "id": step["id"] + "Q0Q"}))
    return found, names
