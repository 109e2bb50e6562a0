"""Rows of payments.chain_gaps: updates that do not follow from what was known, until what is missing comes."""

from dataclasses import dataclass
from typing import Any

import orjson

from paygres.server.db.database import Database
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("chain_gaps")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something is missing between the second `before_as_of` and the event of the second `as_of`.

    `looks` counts this one.
    """

    environment: str
    object_type: str
    object_id: str
    event_id: str
    as_of: int
    before_as_of: int
    looks: int


@dataclass(frozen=True, slots=True)
class Around:
    """The ledger around a gap: the update (None: not there), what may be before it, as whole events.

    `read_since`: the object was read at Stripe in or after the second of the update.
    """

    update: dict[str, Any] | None
    before: list[dict[str, Any]]
    read_since: bool


async def lease(db: Database, limit: int) -> list[Gap]:
    """Gaps whose turn has come; their next turn is set."""
    with translated():
        return [Gap(**row) for row in await db.fetch(Q.lease_gaps, limit)]


async def select_around(db: Database, gap: Gap) -> Around:
    """What the ledger says now."""
    with translated():
        rows = await db.fetch(Q.select_around_gap, gap.environment, gap.object_type, gap.object_id, gap.as_of)
    told = {row["event_id"]: orjson.loads(row["payload"]) for row in rows}
    update = told.pop(gap.event_id, None)
    return Around(update, list(told.values()), any(row["read_since"] for row in rows))


async def delete(db: Database, gap: Gap) -> None:
    """It is closed, or handed on."""
    with translated():
        await db.execute(Q.delete_gap, gap.environment, gap.event_id)
