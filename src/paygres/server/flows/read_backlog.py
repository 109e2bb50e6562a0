"""What /metrics asks of the database: asked briefly, and never so often that asking is a load."""

import asyncio
import time
from dataclasses import dataclass, field

from paygres.server.db.database import Database
from paygres.server.errors import Unavailable
from paygres.server.tables import invariants, metrics, outbox, sweeps
from paygres.server.tables.invariants import Check
from paygres.server.tables.metrics import Backlog
from paygres.server.tables.outbox import Undelivered
from paygres.server.tables.sweeps import Progress

ANSWER_SECONDS = 2.0
_COUNT_AGAIN_SECONDS = 60.0  # reads every live subscription


@dataclass(slots=True)
class Counted:
    """The last count of subscriptions without a subject, by environment."""

    unmapped: dict[str, int] = field(default_factory=dict[str, int])
    at: float = float("-inf")


async def read_progress(db: Database) -> list[Progress] | None:
    """How far sweeps have come, of the connected accounts; None when the database does not answer."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await sweeps.select_progress(db)
    except (TimeoutError, Unavailable):
        return None


async def read_checks(db: Database) -> list[Check]:
    """The last look at what must always be true; nothing when the database does not answer."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await invariants.select_checks(db)
    except (TimeoutError, Unavailable):
        return []


async def read_undelivered(db: Database) -> list[Undelivered]:
    """Messages on their way; nothing when the database does not answer."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await outbox.count_undelivered(db)
    except (TimeoutError, Unavailable):
        return []


async def read_backlog(db: Database, counted: Counted) -> list[Backlog] | None:
    """Both environments, and `counted` brought up to date now and then; None when the database does not answer."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            found = await metrics.select_backlog(db)
            if time.monotonic() - counted.at > _COUNT_AGAIN_SECONDS:
                counted.at = time.monotonic()  # also when it fails: not again at once
                counted.unmapped = await metrics.count_unmapped(db)
    except (TimeoutError, Unavailable):
        return None
    return found
