"""Apply objects read at Stripe's API; lease the objects that must be read."""

from collections.abc import Mapping, Sequence
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
class PageMember:
    """What is known of one object of a page. `same`: a read that said exactly this is what was settled last."""

    same: bool
    head: dict[str, Any] | None
    rivals: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Refetch:
    """An object to read at Stripe; `attempts` counts this one. `account_id` is whose it is, when it is known."""

    environment: str
    object_type: str
    object_id: str
    attempts: int
    account_id: str | None


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
    head, rivals, family = (_json(row[name]) for name in ("head", "rivals", "family"))
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


async def open_page(
    tx: Tx,
    environment: str,
    account_id: str,
    object_type: str,
    as_of: int,
    *,
    plain: bool,
    payloads: Mapping[str, str],
) -> dict[str, PageMember]:
    """What is known of objects of one kind (`payloads`: JSON by id) whose locks are held; the others are new here.

    Keeps their snapshots when they are `plain`, about no payment.
    """
    ids = list(payloads)
    with translated():
        rows = await tx.fetch(
            Q.open_page, environment, account_id, object_type, as_of, plain, ids, list(payloads.values())
        )
    return {
        ids[row["nth"] - 1]: PageMember(row["same"], _json(row["head"]), _json(row["rivals"]) or []) for row in rows
    }


async def close_page(
    tx: Tx,
    environment: str,
    account_id: str,
    object_type: str,
    rows: Mapping[str, Any],
    raws: Mapping[str, str],
    seen: Sequence[str],
) -> None:
    """Apply what plain objects of one kind changed. `raws`: JSON by id, of the rows; `seen`: those as we know them."""
    by_id = "{" + ",".join([f"{orjson.dumps(name).decode()}:{raw}" for name, raw in raws.items()]) + "}"
    with translated():
        await tx.execute(
            Q.close_page, environment, account_id, object_type, orjson.dumps(rows).decode(), by_id, list(raws), seen
        )


def _json(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


async def lease_refetches(db: Database, limit: int, lease: timedelta) -> list[Refetch]:
    """Objects whose turn has come."""
    with translated():
        rows = await db.fetch(Q.lease_refetches, limit, lease, pool="webhook")
    return [Refetch(**row) for row in rows]


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


async def wake_parked(db: Database, refetch: Refetch) -> int:
    """Events about the object that could not be read are due now: what they told is known. How many there are."""
    with translated():
        rows = await db.fetch(Q.wake_parked, refetch.environment, refetch.object_type, refetch.object_id)
    return len(rows)


async def settle_standing_alone(db: Database, environment: str, payment_intent_id: str) -> None:
    """Stripe was asked, and the intent pays no invoice."""
    with translated():
        await db.execute(Q.settle_standing_alone, environment, payment_intent_id, pool="webhook")
