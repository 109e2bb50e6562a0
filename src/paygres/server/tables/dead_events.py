"""Dead events on the operators' list, payments.attention."""

from dataclasses import dataclass

from paygres.server.db.database import Database
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("dead_events")


@dataclass(frozen=True, slots=True)
class Dead:
    """An event that has just been put on the list."""

    environment: str
    event_id: str
    event_type: str
    last_error: str | None


async def watch(db: Database) -> list[Dead]:
    """Put newly dead events on the list, take those off that are not dead any more."""
    with translated():
        rows = await db.fetch(Q.watch_dead)
    return [Dead(row["environment"], row["object_id"], row["event_type"], row["last_error"]) for row in rows]
