"""Numbers for /metrics, each with a time limit of its own."""

from dataclasses import dataclass

from paygres.server.db.database import Database
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("metrics")
_BRIEFLY = "SET LOCAL statement_timeout = '1500ms'"


@dataclass(frozen=True, slots=True)
class Backlog:
    """Events by the state of their queue row; `oldest` in seconds; `synced_at` in Unix seconds, None for never."""

    environment: str
    pending: int
    parked: int
    failed: int
    dead: int
    oldest: float
    attention: int
    synced_at: float | None


async def select_backlog(db: Database) -> list[Backlog]:
    """Of both environments."""
    with translated():
        async with db.as_service(settings=_BRIEFLY) as tx:
            return [Backlog(*row) for row in await tx.fetch(Q.select_backlog)]


async def count_unmapped(db: Database) -> dict[str, int]:
    """Live subscriptions that belong to no subject, by environment. Reads every live subscription."""
    with translated():
        async with db.as_service(settings=_BRIEFLY) as tx:
            return {row["environment"]: row["subscriptions"] for row in await tx.fetch(Q.count_unmapped)}
