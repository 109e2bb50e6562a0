"""payments.fulfillments: what was given for which money; and payments whose fulfillments must follow it."""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import asyncpg
import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.tables.keyset import Page, Place, fetch_page
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("fulfillments")
PATIENT = "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '10s'"


class AsksOneValue(Protocol):
    """A transaction, or a listener's face of one."""

    async def fetchval(self, statement: str, /, *args: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which fulfillments; None means any. `payment` is any Stripe id of it; created from `since`, before `until`."""

    status: str | None = None
    rule: str | None = None
    key: str | None = None
    subject: tuple[str, str] | None = None
    payment: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reversal:
    """A payment whose fulfillments keep another amount than its row says."""

    environment: str
    payment_key: str
    attempts: int


async def fulfill_event(
    tx: AsksOneValue,
    environment: str,
    account_id: str,
    payload: str,
    rule: str,
    key: str | None,
    amount: int | None,
    currency: str | None,
    items: dict[str, int] | None,
) -> bool:
    """payments.fulfill_event, with whatever it raises: the listener's transaction is at stake, not an answer."""
    expected = None if items is None else json.dumps(items)
    return bool(
        await tx.fetchval(Q.fulfill_event, environment, account_id, payload, rule, key, amount, currency, expected)
    )


async def page(
    db: Database, environment: str, wanted: Wanted, after: Place | None, limit: int, *, oldest_first: bool = False
) -> Page[dict[str, Any]]:
    """As the routes answer them."""
    filters = (
        oldest_first,
        wanted.status,
        wanted.rule,
        wanted.key,
        *(wanted.subject or (None, None)),
        wanted.payment,
        wanted.since,
        wanted.until,
    )
    return await fetch_page(
        db, Q.page, environment, after, limit, filters, lambda row: orjson.loads(row["fulfillment"])
    )


async def select_one(db: Database | Tx, environment: str, fulfillment_id: uuid.UUID) -> dict[str, Any] | None:
    """As the routes answer it."""
    with translated():
        found = await db.fetchval(Q.select_one, environment, fulfillment_id)
    return None if found is None else orjson.loads(found)


async def release(tx: Tx, environment: str, fulfillment_id: uuid.UUID) -> str | None:
    """Let a quarantined one pass when its event, whose id this is, runs again; None when it is not quarantined."""
    with translated():
        released: str | None = await tx.fetchval(Q.release, environment, fulfillment_id)
    return released


async def grant_again(tx: Tx, environment: str, fulfillment_id: uuid.UUID) -> bool:
    """Grant one that was taken back and quarantined since; False while another payment of its key stands."""
    with translated():
        return bool(await tx.fetchval(Q.grant_again, environment, fulfillment_id))


async def lease_reversals(db: Database, limit: int, lease: timedelta) -> list[Reversal]:
    """Those that are due, leased so that no other worker takes them."""
    with translated():
        rows = await db.fetch(Q.lease_reversals, limit, lease, pool="webhook")
    return [Reversal(*row) for row in rows]


async def settle_reversal(db: Database, one: Reversal) -> str | None:
    """Make the payment's fulfillments follow it, in one transaction; what a developer's trigger said against it."""
    try:
        async with db.as_service("webhook", settings=PATIENT) as tx:
            await tx.execute(Q.lock_payment, one.environment, one.payment_key)
            await tx.execute(Q.settle_reversal, one.environment, one.payment_key)
    except asyncpg.PostgresConnectionError:
        raise
    except asyncpg.PostgresError as error:
        return f"{error} ({getattr(error, 'sqlstate', None)})"
    return None


async def put_off_reversal(db: Database, one: Reversal, error: str, retry_in: timedelta) -> None:
    """It failed; when it is tried again."""
    with translated():
        await db.execute(Q.put_off_reversal, one.environment, one.payment_key, error[:1000], retry_in)
