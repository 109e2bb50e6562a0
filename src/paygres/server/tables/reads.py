"""Apply objects read at Stripe's API; lease the objects that must be read."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("reads")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an object before a read of it is weighed in."""

    head: dict[str, Any] | None
    rivals: list[dict[str, Any]]
    family: list[dict[str, Any]]
    invoice: str | None


@dataclass(frozen=True, slots=True)
class Refetch:
    """An object to read at Stripe; `attempts` counts this one."""

    environment: str
    object_type: str
    object_id: str
    attempts: int


async def take_locks(tx: Tx, locks: list[int]) -> None:
    """Advisory transaction locks, in the order given (sorted)."""
    with translated():
        await tx.execute(Q.take_locks, locks)


async def open_read(
    tx: Tx, environment: str, object_type: str, object_id: str, as_of: int, payment_keys: list[str]
) -> Known:
    """The rivals and the family of an object whose own lock is held; takes the locks of its payments."""
    with translated():
        row = await tx.fetchrow(Q.open_read, environment, object_type, object_id, as_of, payment_keys)
    assert row is not None
    head, rivals, family = (None if v is None else orjson.loads(v) for v in (row["head"], row["rivals"], row["family"]))
    return Known(head, rivals or [], family or [], row["invoice"])


async def close_read(
    tx: Tx,
    environment: str,
    account_id: str,
    object_type: str,
    object_id: str,
    as_of: int,
    payload: str,
    rows: dict[str, Any],
) -> None:
    """Keep the snapshot and apply what all snapshots say now."""
    with translated():
        await tx.execute(
            Q.close_read,
            environment,
            account_id,
            object_type,
            object_id,
            as_of,
            payload,
            orjson.dumps(rows).decode(),
        )


async def lease_refetches(db: Database, limit: int, lease: timedelta) -> list[Refetch]:
    """Objects whose turn has come."""
    with translated():
        rows = await db.fetch(Q.lease_refetches, limit, lease, pool="webhook")
    return [Refetch(r["environment"], r["object_type"], r["object_id"], r["attempts"]) for r in rows]


async def postpone_refetch(db: Database, refetch: Refetch, retry_in: timedelta, error: str) -> None:
    """Try again later."""
    with translated():
        await db.execute(
            Q.postpone_refetch,
            refetch.environment,
            refetch.object_type,
            refetch.object_id,
            retry_in,
            error,
            pool="webhook",
        )


async def drop_refetch(db: Database, refetch: Refetch) -> None:
    """Stripe does not have the object: there is nothing to read."""
    with translated():
        await db.execute(Q.drop_refetch, refetch.environment, refetch.object_type, refetch.object_id, pool="webhook")


async def settle_standing_alone(db: Database, environment: str, payment_intent_id: str) -> None:
    """Stripe was asked, and the intent pays no invoice."""
    with translated():
        await db.execute(Q.settle_standing_alone, environment, payment_intent_id, pool="webhook")
