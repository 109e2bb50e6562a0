"""Read the event log for operators, page by page, and put events back into the queue."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from paygres.server.db.database import Database, Tx
from paygres.server.tables.keyset import Page, Place
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("event_log")

QUEUED = ("pending", "failed", "parked", "dead")  # the events of these are in the queue, which is small
_PLANNED_ANEW = "SET LOCAL plan_cache_mode = force_custom_plan"  # as for every list: absent filters fold away
MOST_OBJECTS = 2000
MOST_ATTEMPTS = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events. `status`: the contract's four words, or parked or dead. `event_type` is one type, `family` the
    beginning of several (`invoice.`). `objects`: ids of Stripe objects, None for all. Times are of reception."""

    status: str | None = None
    event_type: str | None = None
    family: str | None = None
    object_type: str | None = None
    objects: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An event of a page; the place's id is its number in the ledger."""

    event_id: str
    place: Place


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reader of changes stands: sequence numbers of the ledger and of the attempts."""

    ledger: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Change:
    """An event that came (`ledger`) or was tried again (`attempts`), with the number of that row."""

    event_id: str
    ledger: int | None
    attempts: int | None


@dataclass(frozen=True, slots=True)
class QueuedAgain:
    """`was_done`: it had no row in the queue. `ours`: nobody else is at it, and nobody will be for the lease."""

    was_done: bool
    ours: bool


async def page(db: Database, environment: str, wanted: Wanted, after: Place | None, limit: int) -> Page[Found]:
    """The newest events that are wanted and came before the place.

    A status of the done (processed, ignored) counts only together with objects: see `list_events`.
    """
    filters = [
        environment,
        wanted.event_type,
        wanted.family,
        wanted.object_type,
        None if wanted.objects is None else list(wanted.objects),
        wanted.since,
        wanted.until,
        None if after is None else after.at,
        None if after is None else after.id.int % 2**63,
        limit + 1,
    ]
    if wanted.status in QUEUED:
        statement = Q.page_of_queue
        filters.append(wanted.status)
    elif wanted.objects is not None:
        statement = Q.page_of_objects
        filters.append(wanted.status)
    else:
        statement = Q.page_of_types
    with translated():
        async with db.as_service(settings=_PLANNED_ANEW) as tx:
            rows = await tx.fetch(statement, *filters)
    found = [Found(row["event_id"], Place(row["received_at"], uuid.UUID(int=row["seq"]))) for row in rows[:limit]]
    return Page(found, found[-1].place if len(rows) > limit else None)


async def objects_of_subject(db: Database, environment: str, subject_type: str, subject_id: str) -> list[str]:
    """Ids of the Stripe objects that concern a subject, at most two thousand."""
    with translated():
        rows = await db.fetch(Q.objects_of_subject, environment, subject_type, subject_id, MOST_OBJECTS)
    return [row["object_id"] for row in rows]


async def show(db: Database | Tx, environment: str, event_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of show_events, in the order asked for; unknown ids are left out."""
    with translated():
        return [dict(row) for row in await db.fetch(Q.show_events, environment, list(event_ids))]


async def payload(db: Database | Tx, environment: str, event_id: str) -> tuple[str, str] | None:
    """(JSON text, account) of an event as it came, None for an unknown one."""
    with translated():
        row = await db.fetchrow(Q.select_payload, environment, event_id)
    return None if row is None else (row["payload"], row["account_id"])


async def attempts(db: Database, environment: str, event_id: str) -> list[dict[str, Any]]:
    """The attempts on record, oldest first; the newest two hundred of them."""
    with translated():
        rows = await db.fetch(Q.select_attempts, environment, event_id, MOST_ATTEMPTS)
    return [dict(row) for row in reversed(rows)]


async def previous(db: Database, environment: str, event_id: str) -> dict[str, Any] | None:
    """The snapshot of the same object just before this event's: source, event_id, event_type, at, payload (text)."""
    with translated():
        row = await db.fetchrow(Q.select_previous, environment, event_id)
    return None if row is None else dict(row)


async def queue_again(tx: Tx, environment: str, event_id: str, lease: timedelta) -> QueuedAgain | None:
    """Make an event due at once, leased to the caller, marked as replayed; None for an unknown one."""
    with translated():
        row = await tx.fetchrow(Q.queue_again, environment, event_id, lease)
        if row is None:
            return None
        if row["was_done"]:
            await tx.execute(Q.keep_first_attempt, environment, event_id)
    return QueuedAgain(row["was_done"], row["ours"])


async def give_back(db: Database, environment: str, event_id: str) -> None:
    """End a lease: whoever comes next may have the event."""
    with translated():
        await db.execute(Q.give_back, environment, event_id)


async def retry_queued(tx: Tx, environment: str, wanted: Wanted, limit: int) -> list[str]:
    """Make unfinished events due at once, the oldest first; returns their ids. `objects` are not looked at."""
    with translated():
        rows = await tx.fetch(
            Q.retry_queued,
            environment,
            wanted.status,
            wanted.event_type,
            wanted.family,
            wanted.since,
            wanted.until,
            limit,
        )
    return [row["event_id"] for row in rows]


async def newest_position(db: Database) -> Position:
    """After everything that is there now."""
    with translated():
        row = await db.fetchrow(Q.newest_position)
    assert row is not None
    return Position(row["ledger"], row["attempts"])


async def changes_since(db: Database, environment: str, position: Position, limit: int) -> list[Change]:
    """What came and what was tried again after the position, at most `limit` of each."""
    with translated():
        rows = await db.fetch(Q.changes_since, environment, position.ledger, position.attempts, limit)
    return [Change(row["event_id"], row["ledger"], row["attempts"]) for row in rows]
