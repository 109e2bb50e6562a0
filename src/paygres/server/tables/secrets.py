"""Rows of system.secrets. Values arrive sealed and leave sealed: this room knows no key."""

from collections.abc import Sequence
from datetime import timedelta

from paygres.server.db.database import Database, Tx
from paygres.server.tables import named

Q = named.queries("secrets")


def place(name: str, environment: str) -> str:
    """What a sealed value is bound to, so that it cannot be moved to another row."""
    return f"system.secrets/{name}/{environment}"


async def select_live(db: Database | Tx, names: Sequence[str]) -> dict[str, str]:
    """The stored values of `names` that are active and not expired."""
    return {row["key"]: row["value_ciphertext"] for row in await db.fetch(Q.select_live, list(names))}


async def select_any(db: Database | Tx, name: str) -> str | None:
    """The stored value of `name`, active or not."""
    value: str | None = await db.fetchval(Q.select_any, name)
    return value


async def select_expiries(db: Database, names: Sequence[str]) -> dict[str, str | None]:
    """Until when each live one of `names` holds: a time as people see it, or None for ever."""
    return {row["key"]: row["expires_at"] for row in await db.fetch(Q.select_expiries, list(names))}


async def upsert(tx: Database | Tx, name: str, value: str, *, lasts: timedelta | None = None) -> str:
    """Store `value` under `name` and make it active; it runs out after `lasts`, or never. The row's id."""
    return str(await tx.fetchval(Q.upsert, name, value, lasts))


async def deactivate(tx: Database | Tx, names: Sequence[str]) -> set[str]:
    """Switch `names` off; the values stay. Returns those that were active."""
    return {row["key"] for row in await tx.fetch(Q.deactivate, list(names))}


async def insert_missing(db: Database, name: str, value: str) -> None:
    """Store `value` unless there is one under that name."""
    await db.execute(Q.insert_missing, name, value)
