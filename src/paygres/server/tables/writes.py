"""What a write at Stripe must know of the mirror, before and after."""

from dataclasses import dataclass
from typing import Any

import orjson

from paygres.server.db.database import Database
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("writes")


@dataclass(frozen=True, slots=True)
class KnownObject:
    """An object as it was settled last; `as_of` in Unix seconds."""

    as_of: int
    raw: dict[str, Any]


async def known(db: Database, environment: str, object_type: str, object_id: str) -> KnownObject | None:
    """The settled object, None when we never heard of it."""
    with translated():
        row = await db.fetchrow(Q.known, environment, object_type, object_id)
    return None if row is None else KnownObject(row["as_of"], orjson.loads(row["raw"]))


async def read_again(db: Database, environment: str, object_type: str, object_id: str, not_before: int) -> None:
    """Let the worker read the object at Stripe, not before that Unix second."""
    with translated():
        await db.execute(Q.read_again, environment, object_type, object_id, not_before)
