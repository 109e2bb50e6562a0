"""Run the checks of what must always be true, and read what they found."""

from dataclasses import dataclass
from typing import Any

import orjson

from paygres.server.db.database import Database
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("invariants")
_LIMITS = "SET LOCAL statement_timeout = '60s'"


@dataclass(frozen=True, slots=True)
class Check:
    """The last look at one invariant. `samples` are at most five of the violations; `since` is null without any."""

    environment: str
    name: str
    violations: int
    samples: list[dict[str, Any]]
    since: str | None
    checked_at: str


async def check_all(db: Database) -> None:
    """Look at all of them, after whoever looks right now.

    Raises TooLong when the tables are too large to be read within a minute.
    """
    with translated():
        async with db.as_service(settings=_LIMITS) as tx:
            await tx.execute(Q.wait_for_turn)
            await tx.execute(Q.look)


async def check_when_due(db: Database, older_than: float) -> bool:
    """Look at all of them; False when somebody else does right now, or did less than `older_than` seconds ago.

    Raises TooLong as check_all does.
    """
    with translated():
        async with db.as_service(settings=_LIMITS) as tx:
            if not await tx.fetchval(Q.turn):
                return False
            age = await tx.fetchval(Q.oldest_look)
            if age is not None and age < older_than:
                return False
            await tx.execute(Q.look)
            return True


async def select_checks(db: Database, environment: str | None = None) -> list[Check]:
    """What the last look found, violations first."""
    with translated():
        rows = await db.fetch(Q.select_checks, environment)
    return [
        Check(r["environment"], r["name"], r["violations"], orjson.loads(r["samples"]), r["since"], r["checked_at"])
        for r in rows
    ]
