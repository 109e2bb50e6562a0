"""Pages of payments.transactions, for operators."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from paygres.server.db.database import Database
from paygres.server.tables.keyset import Page, Place, fetch_page
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("transactions")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which transactions; None means any. Times are of creation at Stripe: at or after `since`, before `until`.

    `object_ids`: Stripe ids, one of which the row has for its own. `email`: of the receipt, in any case.
    """

    status: str | None = None
    type: str | None = None
    subject: tuple[str, str] | None = None
    customer_id: str | None = None
    currency: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    object_ids: tuple[str, ...] | None = None
    email: str | None = None


async def page(
    db: Database, environment: str, wanted: Wanted, after: Place | None, limit: int, *, oldest_first: bool = False
) -> Page[dict[str, Any]]:
    """`{object, extras}`: the contract's transaction, and what we add to it."""
    filters = (
        oldest_first,
        wanted.status,
        wanted.type,
        *(wanted.subject or (None, None)),
        wanted.customer_id,
        wanted.currency,
        wanted.since,
        wanted.until,
        wanted.object_ids,
        wanted.email,
    )
    return await fetch_page(db, Q.page, environment, after, limit, filters, entry)


async def same_payment(db: Database, environment: str, object_id: str) -> tuple[str, ...]:
    """The ids of everything about the payment that this object is about; its own when we do not know it."""
    with translated():
        rows = await db.fetch(Q.same_payment, environment, object_id)
    return tuple(row[0] for row in rows)


def entry(row: asyncpg.Record) -> dict[str, Any]:
    """A row of any list as `{object, extras}`."""
    return {"object": orjson.loads(row["object"]), "extras": orjson.loads(row["extras"])}
