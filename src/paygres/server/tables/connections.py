"""Rows of payments.provider_connections, one per Stripe environment."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.tables import named

Q = named.queries("connections")

LEASE = timedelta(seconds=15)
"""How long a sync's claim outlives the process that made it."""


class EnvironmentRow(NamedTuple):
    """One environment with its live secrets, still sealed, by name. `connected_at` is unix seconds."""

    account_id: str | None
    connected_at: int | None
    sealed: dict[str, str]


async def select_environment(db: Database, environment: str, names: Sequence[str]) -> EnvironmentRow:
    """What a request needs to know of an environment, in one query."""
    row = await db.fetchrow(Q.select_environment, environment, list(names))
    assert row is not None  # the query always yields one row
    return EnvironmentRow(row["account_id"], row["connected_at"], orjson.loads(row["sealed"]))


async def select_shown(db: Database, masks: Mapping[str, str]) -> list[dict[str, Any]]:
    """What people see, one row per environment of `masks` (environment -> name of its key's mask)."""
    return [dict(row) for row in await db.fetch(Q.select_shown, list(masks), list(masks.values()))]


async def upsert_account(tx: Tx, environment: str, account: Mapping[str, Any], as_of: int) -> bool:
    """Connect `account` (Stripe's object, read at `as_of`); returns whether it replaces another account.

    `connected_at`, the watermark, moves only for another account. Then the endpoint and the outcome of the
    last sync, which were the other account's, are forgotten; no mirrored row is.
    """
    before = await tx.fetchval(Q.select_account_for_update, environment)
    raw = orjson.dumps(account).decode()
    await tx.execute(Q.upsert_account, environment, account["id"], account.get("email"), raw, as_of)
    switched = before is not None and before != account["id"]
    if switched:
        await tx.execute(Q.forget_endpoint_and_sync, environment)
    return switched


async def select_endpoint(db: Database, environment: str) -> str | None:
    """The id of the managed webhook endpoint whose signing secret is stored."""
    endpoint_id: str | None = await db.fetchval(Q.select_endpoint, environment)
    return endpoint_id


async def update_endpoint(tx: Tx, environment: str, account_id: str, endpoint_id: str, url: str) -> bool:
    """Record the managed endpoint; False when `account_id` is no longer the connected account."""
    return await tx.fetchval(Q.update_endpoint, environment, account_id, endpoint_id, url) is not None


async def update_webhook_error(db: Database, environment: str, error: str) -> None:
    """Record why the managed endpoint could not be set up."""
    await db.execute(Q.update_webhook_error, environment, error)


async def disconnect(tx: Tx, environment: str, reason: str) -> None:
    """The environment has no key any more; account and mirrored rows stay."""
    await tx.execute(Q.disconnect, environment, reason)


async def update_sync_succeeded(
    db: Database, environment: str, account: Mapping[str, Any], counts: Mapping[str, int]
) -> None:
    """A whole sync of `account` (Stripe's object) is stored; a no-op when it was disconnected meanwhile."""
    raw, numbers = orjson.dumps(account).decode(), orjson.dumps(counts).decode()
    await db.execute(Q.update_sync_succeeded, environment, account["id"], account.get("email"), raw, numbers)


async def update_sync_failed(db: Database, environment: str, error: str) -> None:
    """A sync did not finish: counts and time of the last good one stay."""
    await db.execute(Q.update_sync_failed, environment, error)


async def claim_lease(db: Database, environment: str) -> datetime | None:
    """Until when this sync may run alone, or None when another one does."""
    until: datetime | None = await db.fetchval(Q.claim_lease, environment, LEASE)
    return until


async def extend_lease(db: Database, environment: str, until: datetime) -> datetime | None:
    """The new end of the lease that ends at `until`, or None when it was lost."""
    later: datetime | None = await db.fetchval(Q.extend_lease, environment, until, LEASE)
    return later


async def release_lease(db: Database, environment: str, until: datetime) -> None:
    """Let the next sync begin at once."""
    await db.execute(Q.release_lease, environment, until)
