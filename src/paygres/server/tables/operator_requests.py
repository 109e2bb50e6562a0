"""What operators asked of Stripe: begun before the call, finished after it."""

import uuid
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("operator_requests")


@dataclass(frozen=True, slots=True)
class Begun:
    """`answer` is there when the request was answered before. `attempt` counts from 1."""

    id: uuid.UUID
    attempt: int
    is_new: bool
    request_hash: str
    account_id: str
    answer: dict[str, Any] | None


async def begin(
    tx: Tx, environment: str, account_id: str, key: str, action: str, target: str, request_hash: str, actor: str
) -> Begun:
    """The request with this key: a new row, or the one that is there."""
    with translated():
        row = await tx.fetchrow(Q.begin_request, environment, account_id, key, action, target, request_hash, actor)
    assert row is not None
    return _begun(row)


async def find(db: Database, environment: str, key: str) -> Begun | None:
    """The request with this key, if there is one."""
    with translated():
        row = await db.fetchrow(Q.find_request, environment, key)
    return None if row is None else _begun(row)


def _begun(row: asyncpg.Record) -> Begun:
    answer = None if row["answer"] is None else orjson.loads(row["answer"])
    return Begun(row["id"], row["attempt"], row["is_new"], row["request_hash"], row["account_id"], answer)


async def finish(db: Database, request_id: uuid.UUID, answer: dict[str, Any]) -> None:
    """Stripe did it; `answer` is what a repetition is told."""
    with translated():
        await db.execute(Q.finish_request, request_id, orjson.dumps(answer).decode())


async def fail(db: Database, request_id: uuid.UUID, error: str) -> None:
    """Stripe surely did not do it."""
    with translated():
        await db.execute(Q.fail_request, request_id, error)
