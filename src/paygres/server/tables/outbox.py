"""payments.outbox: messages about fulfillments on their way to destinations."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.tables.keyset import Page, Place, fetch_page
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("outbox")
_BRIEFLY = "SET LOCAL statement_timeout = '1500ms'"


@dataclass(frozen=True, slots=True)
class Due:
    """A message leased to us. `kind` webhook: POST it to `url`; after_commit: call the function `name`."""

    id: uuid.UUID
    destination_id: uuid.UUID
    environment: str
    kind: str
    name: str
    url: str | None
    type: str
    content: str
    created_at: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Undelivered:
    """`oldest` in seconds; `reversals`: payments whose fulfillments do not follow them yet."""

    environment: str
    undelivered: int
    oldest: float
    reversals: int


async def lease(
    db: Database, of_each: int, lasts: timedelta, busy: Iterable[uuid.UUID], functions: Iterable[str]
) -> list[Due]:
    """Up to `of_each` due messages of every destination that is not `busy`."""
    with translated():
        rows = await db.fetch(Q.lease, of_each, lasts, list(busy), list(functions))
    return [Due(*row) for row in rows]


async def delivered(db: Database, message_id: uuid.UUID) -> None:
    """It stays as a record."""
    with translated():
        await db.execute(Q.delivered, message_id)


async def failed(db: Database, message_id: uuid.UUID, error: str, retry_in: timedelta | None) -> None:
    """Not delivered; None gives it up and tells the operators."""
    with translated():
        await db.execute(Q.failed, message_id, error, retry_in)


async def page(
    db: Database,
    environment: str,
    destination_id: uuid.UUID,
    after: Place | None,
    limit: int,
    status: str | None,
    created: tuple[datetime | None, datetime | None],
) -> Page[dict[str, Any]]:
    """A destination's messages, newest first."""
    return await fetch_page(db, Q.page, environment, after, limit, (destination_id, status, *created), _message)


async def send_again(
    tx: Tx, environment: str, destination_id: uuid.UUID, message_id: uuid.UUID
) -> dict[str, Any] | None:
    """Due at once, with all its attempts before it; None when there is no such message."""
    with translated():
        row = await tx.fetchrow(Q.send_again, environment, destination_id, message_id)
    return None if row is None else _message(row)


async def count_undelivered(db: Database) -> list[Undelivered]:
    """Of both environments."""
    with translated():
        async with db.as_service(settings=_BRIEFLY) as tx:
            return [Undelivered(*row) for row in await tx.fetch(Q.count_undelivered)]


def _message(row: asyncpg.Record) -> dict[str, Any]:
    pending = row["next_attempt_at"] is not None
    return {
        "id": str(row["id"]),
        "type": row["type"],
        "status": "delivered" if row["delivered_at"] else "pending" if pending else "given_up",
        "fulfillmentId": str(row["fulfillment_id"]),
        "attempts": row["attempts"],
        "nextAttemptAt": row["next_attempt_at"],
        "deliveredAt": row["delivered_at"],
        "lastError": row["last_error"],
        "createdAt": row["created_at"],
        "content": orjson.loads(row["content"]),
    }
