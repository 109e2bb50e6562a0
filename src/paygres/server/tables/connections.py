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

CHECK_EVERY = timedelta(minutes=10)
"""How often the managed webhook endpoint is looked at."""

_SETTLE_AT_ONCE = 500


class EnvironmentRow(NamedTuple):
    """One environment with its live secrets, still sealed, by name. `connected_at` is unix seconds."""

    account_id: str | None
    connected_at: int | None
    sealed: dict[str, str]


class EndpointRow(NamedTuple):
    """What is recorded of the managed endpoint; times as people see them. `error`: why there is none, or none new."""

    id: str | None
    url: str | None
    configured_at: str | None
    error: str | None
    checked_for: str | None


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


async def settle_mappings(db: Database, environment: str, account_id: str) -> None:
    """Map subjects to their customers of `account_id` again, which is connected now (once more).

    Batch by batch, a transaction each: every subject costs an advisory lock, and PostgreSQL has not many.
    """
    last = ""
    while True:
        found = await db.fetch(Q.select_customers_to_settle, environment, account_id, last, _SETTLE_AT_ONCE)
        if not found:
            return
        customers = [row["customer_id"] for row in found]
        await db.execute(Q.settle_mappings, environment, account_id, customers)
        last = customers[-1]


async def select_endpoint(db: Database, environment: str) -> EndpointRow:
    """The managed webhook endpoint whose signing secret is stored."""
    row = await db.fetchrow(Q.select_endpoint, environment)
    return EndpointRow(None, None, None, None, None) if row is None else EndpointRow(*row)


async def update_endpoint(
    tx: Tx, environment: str, account_id: str, endpoint_id: str, url: str, checked_for: str
) -> bool:
    """Record the managed endpoint, which is as wanted (`checked_for`: a hash of that).

    False when `account_id` is no longer the connected account.
    """
    done = await tx.fetchval(Q.update_endpoint, environment, account_id, endpoint_id, url, CHECK_EVERY, checked_for)
    return done is not None


async def select_unknown_events(db: Database, environment: str, event_ids: Sequence[str]) -> list[str]:
    """Those of `event_ids` that have not arrived, in their order."""
    return [row["id"] for row in await db.fetch(Q.select_unknown_events, environment, list(event_ids))]


async def forget_endpoint(tx: Tx, environment: str, account_id: str, reason: str) -> None:
    """There is no managed endpoint any more, on purpose; `reason` is shown."""
    await tx.execute(Q.forget_endpoint, environment, account_id, reason, CHECK_EVERY)


async def update_webhook_error(db: Database, environment: str, error: str, *, status: str = "problem") -> None:
    """Record why the managed endpoint could not be set up; `status` is problem or unknown."""
    await db.execute(Q.update_webhook_error, environment, error, status, CHECK_EVERY)


async def claim_webhook_checks(db: Database, wanted: Mapping[str, str], *, now: bool = False) -> dict[str, datetime]:
    """The environments whose endpoint this process is to look at, each with the time its look begins.

    `wanted` is, by environment, a hash of what the endpoint should be: an endpoint last seen for another one is due
    at once, and so is every one with `now`.
    """
    hashes = orjson.dumps(wanted).decode()
    claimed = await db.fetch(Q.claim_webhook_checks, list(wanted), CHECK_EVERY, hashes, now)
    return {row["environment"]: row["began"] for row in claimed}


async def update_webhook_health(
    db: Database, environment: str, began: datetime, status: str, problems: Sequence[str], checked_for: str | None
) -> None:
    """Record a look's result, unless the endpoint was set up, or looked at, after this look began."""
    sentences = orjson.dumps(list(problems)).decode()
    await db.execute(Q.update_webhook_health, environment, began, status, sentences, checked_for)


async def disconnect(tx: Tx, environment: str, reason: str) -> str | None:
    """The environment has no key any more; account (which is returned) and mirrored rows stay."""
    account_id: str | None = await tx.fetchval(Q.disconnect, environment, reason)
    return account_id


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
