"""Rows of system.api_keys: read the live ones, add one and let the earlier ones of its kind run out."""

import uuid
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from paygres.server.db.database import Database, Tx
from paygres.server.tables import named
from paygres.server.tables.sqlstates import translated

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


class ListedKey(NamedTuple):
    """A key as admins see it. `fingerprint` begins its hash; `value` is the text of anonymous keys, which are public;
    times are ISO-8601."""

    id: str
    kind: str
    fingerprint: str
    value: str | None
    created_at: str
    expires_at: str | None
    expired: bool


async def select_all(db: Database) -> list[ListedKey]:
    """Every key, also those that have run out, newest first within a kind; a thousand at most."""
    with translated():
        return [ListedKey(*row) for row in await db.fetch(Q.select_all, 1000)]


async def add_key(
    tx: Tx, kind: Literal["api", "anon"], key_hash: str, value: str | None, lasts: timedelta | None
) -> ListedKey:
    """Store a new key beside the others; it runs out after `lasts`, or never."""
    with translated():
        row = await tx.fetchrow(Q.add_key, kind, key_hash, value, lasts)
    assert row is not None
    return ListedKey(*row)


async def shorten_others(tx: Tx, kind: str, key_hash: str, grace: timedelta) -> int:
    """Let every other live key of the kind run out after `grace` at the latest; returns how many there are."""
    with translated():
        return len(await tx.fetch(Q.shorten_others, kind, key_hash, grace))


async def lock_live(tx: Tx) -> list[tuple[str, str]]:
    """(id, kind) of every live key, locked until the transaction ends."""
    with translated():
        return [(row["id"], row["kind"]) for row in await tx.fetch(Q.lock_live)]


async def revoke_key(tx: Tx, key_id: str) -> ListedKey | None:
    """Let a key run out now; None for an unknown one."""
    with translated():
        row = await tx.fetchrow(Q.revoke_key, uuid.UUID(key_id))
    return None if row is None else ListedKey(*row)
