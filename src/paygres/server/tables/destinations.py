"""payments.destinations: who is told of fulfillments outside the transaction."""

import uuid
from dataclasses import dataclass

import asyncpg

from paygres.server.db.database import Database, Tx
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("destinations")


@dataclass(frozen=True, slots=True)
class Destination:
    """kind: webhook (with `url`) or after_commit (`name` is a function's). `pending`: messages to be delivered."""

    id: uuid.UUID
    kind: str
    name: str
    url: str | None
    types: list[str]
    active: bool
    created_at: str
    updated_at: str
    pending: int


async def select_all(db: Database | Tx, environment: str) -> list[Destination]:
    """Oldest first."""
    with translated():
        return [Destination(*row) for row in await db.fetch(Q.select_all, environment, None)]


async def select_one(db: Database | Tx, environment: str, destination_id: uuid.UUID) -> Destination | None:
    with translated():
        rows = await db.fetch(Q.select_all, environment, destination_id)
    return Destination(*rows[0]) if rows else None


async def insert(tx: Tx, environment: str, name: str, url: str, types: list[str], *, active: bool) -> uuid.UUID | None:
    """A webhook; None when the name is taken."""
    with translated():
        made: uuid.UUID | None = await tx.fetchval(Q.insert, environment, name, url, types, active)
    return made


async def update(
    tx: Tx,
    environment: str,
    destination_id: uuid.UUID,
    *,
    name: str | None = None,
    url: str | None = None,
    types: list[str] | None = None,
    active: bool | None = None,
) -> bool:
    """Change what is given; False when the name is taken."""
    with translated():
        try:
            return await tx.fetchval(Q.update, environment, destination_id, name, url, types, active) is not None
        except asyncpg.UniqueViolationError:
            return False


async def delete(tx: Tx, environment: str, destination_id: uuid.UUID) -> str | None:
    """Its kind; its messages go with it. None when there is none."""
    with translated():
        kind: str | None = await tx.fetchval(Q.delete, environment, destination_id)
    return kind
