"""Read the record of who did what, page by page."""

import uuid
from collections.abc import Sequence
from typing import Any

from paygres.server.db.database import Database
from paygres.server.tables.keyset import Page, Place
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("audit_log")


async def page(db: Database, after: Place | None, limit: int, filters: Sequence[Any]) -> Page[dict[str, Any]]:
    """Records older than the place, whose id is a record's number.

    `filters`: actor, action, beginning of actions, environment, target, from, to; None for any.
    """
    place = (None, None) if after is None else (after.at, after.id.int % 2**63)
    with translated():
        rows = await db.fetch(Q.page, *place, limit + 1, *filters)
    shown = [dict(row) for row in rows[:limit]]
    more = Place(shown[-1]["at"], uuid.UUID(int=shown[-1]["seq"])) if len(rows) > limit else None
    return Page(shown, more)
