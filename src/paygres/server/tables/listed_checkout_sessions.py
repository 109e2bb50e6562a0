"""Checkout sessions as operators see them: all of an environment, one by any id, and those to be expired."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from paygres.server.db.database import Database
from paygres.server.tables.checkout_sessions import row_id_of
from paygres.server.tables.keyset import Page, Place, fetch_page
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("listed_checkout_sessions")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions; None means any. Times are of creation: at or after `since`, before `until`."""

    status: str | None = None
    mode: str | None = None
    subject: tuple[str, str] | None = None
    customer_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What expiring a session needs of its row; `checkout_session_id` is None before Stripe knows of it."""

    id: uuid.UUID
    status: str
    environment: str
    account_id: str
    checkout_session_id: str | None


async def page(
    db: Database, environment: str, wanted: Wanted, after: Place | None, limit: int, *, oldest_first: bool
) -> Page[dict[str, Any]]:
    """A page of sessions: the contract's object with what operators ask for beside it."""
    statement = Q.list_oldest if oldest_first else Q.list_newest
    filters = (
        wanted.status,
        wanted.mode,
        *(wanted.subject or (None, None)),
        wanted.customer_id,
        wanted.since,
        wanted.until,
    )
    return await fetch_page(db, statement, environment, after, limit, filters, _entry)


def _entry(row: asyncpg.Record) -> dict[str, Any]:
    return orjson.loads(row["session"])


async def find(db: Database, environment: str, wanted: str) -> Found | None:
    """A session by row id or cs_ id, as the service."""
    with translated():
        row = await db.fetchrow(Q.find, environment, row_id_of(wanted), wanted)
    if row is None:
        return None
    return Found(row["id"], row["status"], environment, row["account_id"], row["checkout_session_id"])


async def lease_superseded(db: Database, limit: int) -> list[Found]:
    """Open sessions to be expired at Stripe; each comes again after a pause that doubles, until it is not open."""
    with translated():
        rows = await db.fetch(Q.lease_superseded, limit)
    return [Found(r["id"], "open", r["environment"], r["account_id"], r["checkout_session_id"]) for r in rows]
