"""Which rows an event concerns, and which tables the transaction at hand has written."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("event_effects")


class Concerned(NamedTuple):
    """A row: its table, what names it, and the columns that say what is so."""

    table: str
    key: dict[str, Any]
    summary: dict[str, Any]


async def concerned(
    db: Database | Tx, environment: str, ids: Sequence[str], session_rows: Sequence[str]
) -> list[Concerned]:
    """Rows about the objects named `ids` and their payments, and the rows of checkout sessions (uuids)."""
    with translated():
        rows = await db.fetch(Q.select_concerned, environment, list(ids), list(session_rows))
    return [Concerned(r["table"], orjson.loads(r["key"]), orjson.loads(r["summary"])) for r in rows]


async def written(tx: Tx) -> dict[str, tuple[int, int, int]]:
    """Table to (inserted, updated, deleted) rows; a difference of two calls is what happened in between.

    Counts what was tried, also inside savepoints that were rolled back.
    """
    with translated():
        rows = await tx.fetch(Q.select_written)
    return {r["table"]: (r["inserted"], r["updated"], r["deleted"]) for r in rows}
