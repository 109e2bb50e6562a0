"""Pages of a list by keyset: a page begins behind the last row of the one before, found through an index, so the
thousandth page costs what the first does, and a row that is added meanwhile moves no other."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import asyncpg

from paygres.server.db.database import Database
from paygres.server.tables.sqlstates import translated

T = TypeVar("T")
# Every filter of a list may be absent (`$5::text is null or …`): planned with the values at hand, those fold away
# and the index of the filters that are there is used. A plan made for any values would walk the whole table.
PLANNED_ANEW = "SET LOCAL plan_cache_mode = force_custom_plan"


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which row to go on: what it is sorted by (a time, in few lists a text) and, among equals, its row id."""

    at: datetime | str
    id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows in order; `next` is None on the last page."""

    rows: list[T]
    next: Place | None


async def fetch_page(
    db: Database,
    statement: str,
    environment: str,
    after: Place | None,
    limit: int,
    filters: Iterable[Any],
    read: Callable[[asyncpg.Record], T],
) -> Page[T]:
    """One page of a named query.

    Its parameters: $1 environment, $2 and $3 the place's time or text and its id (null on the first page), $4 how many
    rows, then the filters. Its columns: `at` and `id` (what it is sorted by) beside what `read` reads.
    """
    place = (after.at, after.id) if after is not None else (None, None)
    with translated():
        async with db.as_service(settings=PLANNED_ANEW) as tx:
            found = await tx.fetch(statement, environment, *place, limit + 1, *filters)
    rows = found[:limit]
    more = len(found) > limit
    return Page([read(row) for row in rows], Place(rows[-1]["at"], rows[-1]["id"]) if more else None)
