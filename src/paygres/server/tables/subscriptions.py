"""Subscriptions with their items, for operators."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from paygres.server.db.database import Database
from paygres.server.tables.keyset import PLANNED_ANEW, Page, Place, fetch_page
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated
from paygres.server.tables.transactions import entry

Q = queries("subscriptions")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which subscriptions; None means any. Times are of the start: at or after `since`, before `until`.

    With `price_id` the order and the times are those of the item that has the price.
    """

    status: str | None = None
    subject: tuple[str, str] | None = None
    customer_id: str | None = None
    price_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def recent(
    db: Database, environment: str, limit: int, subject: tuple[str, str] | None = None
) -> list[dict[str, Any]]:
    """The contract's subscriptions, those that changed last first."""
    with translated():
        async with db.as_service(settings=PLANNED_ANEW) as tx:
            rows = await tx.fetch(Q.recent, environment, limit, *(subject or (None, None)))
    return [orjson.loads(row[0]) for row in rows]


async def page(
    db: Database, environment: str, wanted: Wanted, after: Place | None, limit: int, *, oldest_first: bool
) -> Page[dict[str, Any]]:
    """`{object, extras}`: the contract's subscription, and what we add to it."""
    filters = (
        oldest_first,
        wanted.status,
        *(wanted.subject or (None, None)),
        wanted.customer_id,
        wanted.since,
        wanted.until,
    )
    if wanted.price_id is None:
        return await fetch_page(db, Q.page, environment, after, limit, filters, entry)
    return await fetch_page(db, Q.page_of_price, environment, after, limit, (*filters, wanted.price_id), entry)
