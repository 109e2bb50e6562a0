"""Record, close and lease events."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import asyncpg
import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.projections.events import Event
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("events")


class Opened(NamedTuple):
    """state: new, retry or done. The rest is what projections need to settle the object (see project.project).
    `before` ({as_of, told}): what an update's attributes were in the newest state, told by an older event.
    `listeners`: names of those in developers' Python that this event must not be marked without. Of one that waited:
    whether it was `parked`, whether an operator wants it `replayed`, and the `watermark` (unix s) it was taken on
    under."""

    state: str
    attempts: int
    head: dict[str, Any] | None
    rivals: list[dict[str, Any]]
    family: list[dict[str, Any]]
    invoice: str | None
    event: dict[str, Any] | None
    before: dict[str, Any] | None = None
    listeners: list[str] | None = None
    parked: bool = False
    replayed: bool = False
    watermark: int | None = None


class Closed(NamedTuple):
    """status: processed, ignored, failed or pending (parked). `event` is the contract's shape, None while unmarked."""

    status: str
    error: str | None
    event: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Leased:
    """An event whose turn has come. `attempts`: those that ended."""

    environment: str
    account_id: str
    payload: str
    attempts: int = 0


def _decoded(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


async def open_event(
    tx: Tx,
    environment: str,
    account_id: str,
    event: Event,
    payload: str,
    object_lock: int | None,
    payment_keys: list[str],
    *,
    left_out: bool,
) -> Opened:
    """Store the event and take its locks, one statement; Contended when another delivery is in the way.

    `left_out`: it is stored, and decides nothing.
    """
    with translated():
        row = await tx.fetchval(
            Q.open_event,
            environment,
            account_id,
            event.id,
            event.type,
            event.object_type,
            event.object_id,
            event.created,
            payload,
            left_out,
            object_lock,
            payment_keys,
            None if event.previous_attributes is None else list(event.previous_attributes),
        )
    assert row is not None
    state, tried, head, rivals, family, invoice, marked, before, listeners, parked, replayed, watermark = row
    return Opened(
        state,
        tried or 0,
        _decoded(head),
        _decoded(rivals) or [],
        _decoded(family) or [],
        invoice,
        _decoded(marked),
        _decoded(before),
        listeners,
        bool(parked),
        bool(replayed),
        watermark,
    )


async def close_event(
    tx: Tx,
    environment: str,
    account_id: str,
    payload: str,
    rows: dict[str, Any] | None,
    status: str,
    reason: str | None,
    attempts: int,
    waited: bool,
    retry_in: timedelta | None,
) -> Closed:
    """Apply the rows and mark the event, each in its own savepoint; `waited`: it has been in the queue."""
    encoded = None if rows is None else orjson.dumps(rows).decode()
    with translated():
        row = await tx.fetchval(
            Q.close_event, environment, account_id, payload, encoded, status, reason, attempts, waited, retry_in
        )
    assert row is not None
    now_is, error, marked = row
    return Closed(now_is, error, _decoded(marked))


async def project_event(
    tx: Tx, environment: str, account_id: str, payload: str, rows: dict[str, Any]
) -> tuple[str, str | None]:
    """Apply the rows in their savepoint, and no more: (processed or failed, error)."""
    with translated():
        row = await tx.fetchrow(Q.project_event, environment, account_id, payload, orjson.dumps(rows).decode())
    assert row is not None
    return row["status"], row["error"]


async def keep_rendering(tx: Tx, environment: str, event_id: str, payload: str) -> None:
    """The event in words that are read here, beside those of the ledger that are not."""
    with translated():
        await tx.execute(Q.keep_rendering, environment, event_id, payload)


async def wait_for(tx: Tx, environment: str, event_id: str, listeners: list[str]) -> None:
    """Leave a queued event to a process that has these listeners."""
    with translated():
        await tx.execute(Q.wait_for, environment, event_id, listeners)


async def mark_unfinished(
    tx: Tx, environment: str, account_id: str, payload: str, closed: Closed, attempts: int
) -> dict[str, Any] | None:
    """Show a failed or parked event in payments.webhook_events, in a savepoint with its own time limit:
    None when developers' triggers refuse even that (the ledger and the queue have the event)."""
    await tx.execute("SAVEPOINT unfinished; SET LOCAL statement_timeout = '500ms'")
    try:
        marked = await tx.fetchval(
            Q.mark_event, environment, account_id, payload, closed.status, attempts, closed.error
        )
    except asyncpg.PostgresError:
        await tx.execute("ROLLBACK TO SAVEPOINT unfinished")
        return None
    return _decoded(marked)


async def keep_event(
    db: Database,
    environment: str,
    account_id: str,
    event: Event,
    payload: str,
    error: str,
    retry_in: timedelta,
    *,
    left_out: bool = False,
) -> bool:
    """Store nothing but the event, for the worker; False when it was stored already.

    On the other pool: that of webhooks may be full of the very transactions that are too slow.
    """
    with translated():
        async with db.as_service("checkout", settings="SET LOCAL lock_timeout = '500ms'") as tx:
            return bool(
                await tx.fetchval(
                    Q.keep_event,
                    environment,
                    account_id,
                    event.id,
                    event.type,
                    event.object_type,
                    event.object_id,
                    event.created,
                    payload,
                    left_out,
                    error,
                    retry_in,
                )
            )


async def lease_events(db: Database, limit: int, lease: timedelta, listeners: list[str]) -> list[Leased]:
    """Events that are due and wait for no other than these listeners, leased so that no other worker takes them; a
    dead worker's lease runs out."""
    with translated():
        rows = await db.fetch(Q.lease_events, limit, lease, listeners, pool="webhook")
    return [Leased(r["environment"], r["account_id"], r["payload"], r["attempts"]) for r in rows]


async def put_off(
    db: Database, environment: str, event_id: str, attempts: int, error: str, retry_in: timedelta | None
) -> None:
    """An attempt ended in an error that nobody foresaw, and all it did was rolled back. None: it is dead now."""
    with translated():
        await db.execute(Q.put_off, environment, event_id, attempts, error, retry_in, pool="webhook")
