"""Events as they come and change, for people who watch: a look at the ledger's numbers each second, no NOTIFY
(which would serialize the commits of events). At least once: after a break a few may be told again."""

import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from paygres.server.db.database import Database
from paygres.server.errors import Unavailable
from paygres.server.flows.list_events import entry
from paygres.server.flows.streams import Streams
from paygres.server.tables import event_log
from paygres.server.tables.event_log import Change, Position

POLL_SECONDS = 1.0
LONGEST_SECONDS = 600.0  # then the client comes again, and with it its credential
# A number is taken before its row can be seen: no transaction of an event stays open longer.
SETTLED_SECONDS = 15.0
_AT_ONCE = 2000
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class News:
    """Entries of events that came or changed, oldest first; behind `position` a reader may go on."""

    position: Position
    events: list[dict[str, Any]]


async def stream_events(
    db: Database, streams: Streams, environment: str, after: Position | None
) -> AsyncIterator[News]:
    """News once a second, often without events, until the server stops or ten minutes are over.

    Starts with what comes from now on, or behind `after`. While the
    database is away there are no news.
    """
    began = time.monotonic()
    with streams.one():
        watch = _Watch(after if after is not None else await event_log.newest_position(db))
        while True:
            try:
                news = await watch.look(db, environment)
            except Unavailable:
                news = News(watch.settled, [])
            yield news
            if time.monotonic() - began > LONGEST_SECONDS or not await streams.pause(POLL_SECONDS):
                return


async def news_since(db: Database, environment: str, after: Position | None) -> News:
    """What a stream would tell first, for those who ask now and then instead."""
    return await _Watch(after if after is not None else await event_log.newest_position(db)).look(db, environment)


class _Watch:
    """What one reader has been told. Below `settled` nothing can appear any more; what is above is looked at again."""

    def __init__(self, start: Position) -> None:
        self.settled = start
        self._ends: deque[tuple[float, Position]] = deque()
        self._told: OrderedDict[str, tuple[Any, ...]] = OrderedDict()
        self._rows: OrderedDict[tuple[str, int], None] = OrderedDict()

    async def look(self, db: Database, environment: str) -> News:
        """What is new since the last look."""
        end = await event_log.newest_position(db)
        changes = await event_log.changes_since(db, environment, self.settled, _AT_ONCE)
        found = [change for change in changes if _row(change) not in self._rows]
        ids = list(dict.fromkeys(change.event_id for change in found))
        news: list[dict[str, Any]] = []
        for row in await event_log.show(db, environment, ids) if ids else []:
            state = (row["status"], row["attempts"], row["state"], row["next_attempt_at"], row["updated_at"])
            if self._told.get(row["event_id"]) != state:
                self._told[row["event_id"]] = state
                news.append(entry(environment, row))
        self._rows.update((_row(change), None) for change in found)
        for known in (self._told, self._rows):
            while len(known) > _REMEMBERED:
                known.popitem(last=False)
        self._settle(end, changes)
        return News(self.settled, news)

    def _settle(self, end: Position, changes: list[Change]) -> None:
        if len(changes) >= _AT_ONCE:  # far behind: go on from here, or the same changes would come again and again
            ledger = max((c.ledger for c in changes if c.ledger is not None), default=self.settled.ledger)
            attempts = max((c.attempts for c in changes if c.attempts is not None), default=self.settled.attempts)
            self.settled = Position(ledger, attempts)
            self._ends.clear()
            return
        now = time.monotonic()
        self._ends.append((now, end))
        while self._ends[0][0] < now - SETTLED_SECONDS:
            self.settled = self._ends.popleft()[1]


def _row(change: Change) -> tuple[str, int]:
    return ("ledger", change.ledger) if change.ledger is not None else ("attempt", change.attempts or 0)
