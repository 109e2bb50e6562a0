"""Rows of payments.syncs and payments.sync_windows: what a sync has read, and where it goes on."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.errors import Unavailable
from paygres.server.tables.named import queries

Q = queries("syncs")


class Superseded(Unavailable):
    """Another process carries the sync on, because this one seemed dead."""


@dataclass(frozen=True, slots=True)
class Sync:
    """A sync that has not ended. `holder` is the run that carries it on; `age` is in seconds."""

    environment: str
    account_id: str
    objects: tuple[str, ...]
    confirm_missing: bool = False
    requested_by: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    holder: uuid.UUID = field(default_factory=uuid.uuid4)
    age: int = 0


@dataclass(slots=True)
class Window:
    """A stretch of one list, read from `created_to` down to `created_from` (Unix seconds; None: to its end).

    `last_id` is where the next page begins and `reached` that object's created time; `as_of` is when the first page
    was true.
    """

    listing: str
    nth: int
    created_from: int | None = None
    created_to: int | None = None
    last_id: str | None = None
    reached: int | None = None
    seen: int = 0
    pages: int = 0
    done: bool = False
    as_of: int | None = None


async def select_running(db: Database, environment: str) -> Sync | None:
    """The unfinished sync of an environment."""
    row = await db.fetchrow(Q.select_running, environment)
    if row is None:
        return None
    fields: dict[str, Any] = {**row, "objects": tuple(row["objects"])}
    return Sync(**fields)


async def select_abandoned(db: Database) -> list[str]:
    """Environments whose sync nobody carries on."""
    return [row["environment"] for row in await db.fetch(Q.select_abandoned)]


async def insert(tx: Tx, sync: Sync, listings: Sequence[str]) -> None:
    """Begin a sync of these listings. Earlier syncs leave their checkpoints, and their row after 90 days."""
    await tx.execute(Q.forget_old_windows, sync.environment)
    await tx.execute(Q.forget_old_syncs, sync.environment)
    await tx.execute(
        Q.insert_sync,
        sync.id,
        sync.holder,
        sync.environment,
        sync.account_id,
        list(sync.objects),
        sync.confirm_missing,
        sync.requested_by,
    )
    await tx.execute(Q.insert_windows, sync.id, list(listings))


async def take_over(db: Database, sync: Sync) -> Sync:
    """The same sync in other hands: what its former holder still tries to write is refused."""
    mine = replace(sync, holder=uuid.uuid4())
    await db.execute(Q.take_over, mine.id, mine.holder)
    return mine


async def select_windows(db: Database, sync_id: uuid.UUID) -> list[Window]:
    """All windows, done or not."""
    return [Window(**dict(row)) for row in await db.fetch(Q.select_windows, sync_id)]


async def update_window(tx: Tx, *, sync: Sync, window: Window) -> None:
    """The checkpoint, inside the transaction that applied the page; raises Superseded, and the page is not applied."""
    if await tx.fetchval(Q.update_window, sync.id, sync.holder, *asdict(window).values()) is None:
        raise Superseded("Another process carries this sync on")


async def split_window(tx: Tx, sync: Sync, upper: Window, lower: Window) -> None:
    """`upper` ends where the new window `lower` begins."""
    await update_window(tx, sync=sync, window=upper)
    await tx.execute(Q.insert_window, sync.id, lower.listing, lower.nth, lower.created_from, lower.created_to)


async def analyze_new_tables(db: Database) -> None:
    """Let PostgreSQL look at tables that were empty until now, before it makes plans for thousands of rows."""
    await db.execute(Q.analyze_new_tables)


async def finish(
    db: Database,
    sync: Sync,
    *,
    error: str | None = None,
    counts: Mapping[str, int] | None = None,
    missing: Mapping[str, int] | None = None,
) -> bool:
    """The sync has ended: well, or with `error`. False when it is not this holder's to end any more."""
    numbers = (orjson.dumps(dict(given or {})).decode() for given in (counts, missing))
    status = "failed" if error else "succeeded"
    return await db.fetchval(Q.finish_sync, sync.id, sync.holder, status, error, *numbers) is not None


async def update_counts(db: Database, environment: str, account_id: str, counts: Mapping[str, int]) -> None:
    """A sync of some objects only: its counts take the place of theirs, the rest of the last sync stays."""
    await db.execute(Q.update_counts, environment, account_id, orjson.dumps(dict(counts)).decode())


async def count_unmapped(db: Database, environment: str, account_id: str) -> int:
    """Subscriptions of the account that belong to no subject."""
    found: int = await db.fetchval(Q.count_unmapped, environment, account_id)
    return found


async def count_kept(db: Database, sync_id: uuid.UUID, name: str) -> tuple[int, int]:
    """(rows of a kind that are not deleted, those of them that this sync has not seen)."""
    row = await db.fetchrow(Q.count_kept, sync_id, name)
    assert row is not None
    return row["kept"], row["missing"]


async def select_missing(db: Database, sync_id: uuid.UUID, name: str, after: str, limit: int) -> list[str]:
    """Ids of rows that this sync has not seen, in order, after the one given."""
    return [row["id"] for row in await db.fetch(Q.select_missing, sync_id, name, after, limit)]


async def open_attention(db: Database, sync: Sync, name: str, message: str, details: Mapping[str, Any]) -> None:
    """Ask an operator about rows that Stripe did not list."""
    told = orjson.dumps(dict(details)).decode()
    await db.execute(Q.open_attention, sync.environment, sync.account_id, name, message, told)


async def close_attention(db: Database, environment: str, name: str) -> None:
    """Nothing of this kind is missing any more."""
    await db.execute(Q.close_attention, environment, name)
