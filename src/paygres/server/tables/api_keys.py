"""Rows of system.api_keys: read the live ones, add one and let the earlier ones of its kind run out."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from paygres.server.db.database import Database
from paygres.server.tables import named

Q = named.queries("api_keys")

GRACE = {"api": timedelta(hours=24), "anon": timedelta(hours=168)}
"""How long an earlier key of that kind still holds after a new one was added."""


class ApiKeyRow(NamedTuple):
    """`hash` is the hex SHA-256 of the key; `value` its text for anonymous keys only."""

    kind: str
    hash: str
    value: str | None
    expires_at: datetime | None


async def select_live(db: Database) -> list[ApiKeyRow]:
    """Every key that has not run out, newest first."""
    return [ApiKeyRow(*row) for row in await db.fetch(Q.select_live)]


async def insert_key(db: Database, kind: Literal["api", "anon"], key_hash: str, value: str | None = None) -> bool:
    """Store a key unless its hash is known; a new one starts the grace period of the others.

    Returns whether it was new. A known key that has run out is not revived.
    """
    async with db.as_service() as tx:
        if await tx.fetchval(Q.insert_key, kind, key_hash, value) is None:
            return False
        await tx.execute(Q.expire_others, kind, key_hash, GRACE[kind])
        return True
