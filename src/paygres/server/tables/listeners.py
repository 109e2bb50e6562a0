"""payments.listeners: which functions in developers' Python must run before which events are marked."""

from collections.abc import Iterable
from dataclasses import dataclass

from paygres.server.db.database import Database, Tx
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("listeners")


@dataclass(frozen=True, slots=True)
class Known:
    """A listener of any process. `environment` None: both. `waiting`: events that wait for it."""

    name: str
    environment: str | None
    event_types: list[str]
    last_seen_at: str
    created_at: str
    waiting: int


async def register(tx: Tx, name: str, environment: str | None, event_types: Iterable[str]) -> None:
    """From now on such events are marked by processes only that have it."""
    with translated():
        await tx.execute(Q.register_listener, name, environment, list(event_types))


async def register_after_commit(tx: Tx, name: str, environments: Iterable[str], types: Iterable[str]) -> None:
    """From now on such messages are kept for it."""
    with translated():
        await tx.execute(Q.register_after_commit, name, list(environments), list(types))


async def seen(db: Database, names: list[str]) -> None:
    """A process that has them runs."""
    with translated():
        await db.execute(Q.seen, names)


async def select_all(db: Database) -> list[Known]:
    """By name."""
    with translated():
        return [Known(*row) for row in await db.fetch(Q.select_all)]


async def forget(tx: Tx, name: str) -> bool:
    """No process will have it again: what waits for it goes on without it. False when it is not known."""
    with translated():
        return bool(await tx.fetchval(Q.forget, name))
