"""What /metrics asks of the database: asked briefly, and never so often that asking is a load."""

import asyncio
import time
from dataclasses import dataclass, field

from paygres.server.db.database import Database
from paygres.server.errors import Unavailable
from paygres.server.tables import metrics
from paygres.server.tables.metrics import Backlog

ANSWER_SECONDS = 2.0
_COUNT_AGAIN_SECONDS = 60.0  # reads every live subscription


@dataclass(slots=True)
class Counted:
    """The last count of subscriptions without a subject, by environment."""

    unmapped: dict[str, int] = field(default_factory=dict[str, int])
    at: float = float("-inf")


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
