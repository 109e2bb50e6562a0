"""Rows of auth.users, found by id or e-mail; the hash of a password leaves this room only to be compared."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson

from paygres.server.db.database import Database
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("users")


@dataclass(frozen=True, slots=True)
class User:
    """`password` is the hash, only where it was asked for; times are ISO-8601."""

    id: str
    email: str
    email_verified: bool
    created_at: str
    updated_at: str
    has_password: bool
    profile: Any
    metadata: Any
    password: str | None = field(default=None, repr=False)


async def insert(db: Database, email: str, password: str, profile: dict[str, Any], *, verified: bool) -> User | None:
    """A new user; None when there is one with that e-mail."""
    with translated():
        row = await db.fetchrow(Q.insert_user, email, password, verified, orjson.dumps(profile).decode())
    return None if row is None else _user(row)


async def is_known(db: Database, email: str) -> bool:
    """Whether somebody has that e-mail."""
    with translated():
        return await db.fetchval(Q.is_known, email)


async def select(db: Database, user_id: str) -> User | None:
    """None for an unknown id, and for one that is no UUID."""
    try:
        wanted = uuid.UUID(user_id)
    except ValueError:
        return None
    with translated():
        row = await db.fetchrow(Q.select_user, wanted)
    return None if row is None else _user(row)


async def select_by_email(db: Database, email: str) -> User | None:
    """With the hash of the password."""
    with translated():
        row = await db.fetchrow(Q.select_by_email, email)
    return None if row is None else _user(row)


async def replace_hash(db: Database, user_id: str, old: str, new: str) -> None:
    """Store a better hash of the same password, unless it was changed meanwhile."""
    with translated():
        await db.execute(Q.replace_hash, uuid.UUID(user_id), old, new)


def _user(row: asyncpg.Record) -> User:
    fields = dict(row)
    for name in ("profile", "metadata"):
        fields[name] = None if fields[name] is None else orjson.loads(fields[name])
    return User(**fields)
