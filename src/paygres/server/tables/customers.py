"""Customers with what they paid, for operators."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from paygres.server.db.database import Database
from paygres.server.tables.keyset import PLANNED_ANEW, Page, Place, fetch_page
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated
from paygres.server.tables.transactions import entry

Q = queries("customers")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which customers; None means any. Times are of creation: at or after `since`, before `until`.

    `email` is a whole address, `email_begins` the beginning of one; both in any case.
    """

    email: str | None = None
    email_begins: str | None = None
    deleted: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


async def alphabetical(db: Database, environment: str, limit: int) -> list[dict[str, Any]]:
    """The contract's customers in its order: living before deleted ones, by e-mail, name or id."""
    with translated():
        async with db.as_service(settings=PLANNED_ANEW) as tx:
            rows = await tx.fetch(Q.alphabetical, environment, limit)
    return [orjson.loads(row[0]) for row in rows]


async def page(
    db: Database, environment: str, wanted: Wanted, after: Place | None, limit: int, *, oldest_first: bool
) -> Page[dict[str, Any]]:
    """`{object, extras}`: the contract's customer, and what we add to it. With `email_begins` they come by address,
    and the place is an address too."""
    filters = (wanted.deleted, wanted.since, wanted.until)
    if wanted.email_begins is not None:
        pattern = f"{_literal(wanted.email_begins)}%"
        return await fetch_page(db, Q.page_of_addresses, environment, after, limit, (*filters, pattern), entry)
    return await fetch_page(db, Q.page, environment, after, limit, (oldest_first, *filters, wanted.email), entry)


def _literal(text: str) -> str:
    """`text` for LIKE, where it means itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
