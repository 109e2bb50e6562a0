"""Who waits for a checkout in this process: one look at the database for all of them, 25 times a second while anybody
waits, and at once for a session whose event was just committed here. Nobody who waits holds a connection."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

import structlog

from paygres.server.db.database import Database
from paygres.server.errors import Unavailable
from paygres.server.metrics import waiters_now
from paygres.server.tables import settled_checkouts

log = structlog.get_logger()

MOST_WAITERS = 1000
LOOK_SECONDS = 0.04  # other processes commit events too, and NOTIFY would serialize their commits
BLIND_SECONDS = 0.5  # between two looks while the database does not answer
TURN_SECONDS = 1.0  # from one question to Stripe to the next, of an environment
ASKED_AGAIN_SECONDS = 5.0  # and of a session, however often somebody waits for it
_REMEMBERED = 1000


@dataclass(slots=True)
class Waited:
    """A checkout that somebody waits for: `ended` is set when waiting is over. `asking` is the question to Stripe on
    behalf of all who wait; it is cancelled when the last of them has gone."""

    ended: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0
    checkout_session_id: str | None = None
    asking: asyncio.Task[None] | None = None


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next: float = 0.0


class Waiters:
    """At most `most` at a time; `close` ends the waiting of all, and there will be no more."""

    def __init__(self, most: int = MOST_WAITERS) -> None:
        self.most = most
        self.count = 0
        self._closed = False
        self._waited: dict[uuid.UUID, Waited] = {}
        self._rows: dict[str, uuid.UUID] = {}
        self._rung: set[uuid.UUID] = set()
        self._bell = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._turns: dict[str, _Turn] = {}
        self._asked: dict[uuid.UUID, float] = {}

    @contextmanager
    def one(self, db: Database, row_id: uuid.UUID, checkout_session_id: str | None) -> Iterator[Waited]:
        """The place of one who waits. Raises Unavailable (503) when all are taken or the server stops."""
        if self.count >= self.most or self._closed:
            raise Unavailable(
                f"All {self.most} places for waiting at this server are taken; read without `wait`", retry_after=2
            )
        waited = self._waited.setdefault(row_id, Waited())
        if checkout_session_id is not None:
            waited.checkout_session_id = checkout_session_id
            self._rows[checkout_session_id] = row_id
        waited.waiting += 1
        self._counted(1)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(db))
        try:
            yield waited
        finally:
            self._counted(-1)
            waited.waiting -= 1
            if not waited.waiting:
                self._waited.pop(row_id, None)
                self._rows.pop(waited.checkout_session_id or "", None)
                if waited.asking is not None:
                    waited.asking.cancel()
            if not self._waited:
                self._bell.set()

    def ring(self, object_id: str) -> None:
        """An event about this object was committed by this process. Costs nothing when nobody waits for it."""
        row_id = self._rows.get(object_id)
        if row_id is not None:
            self._rung.add(row_id)
            self._bell.set()

    def close(self) -> None:
        """The server stops."""
        self._closed = True
        for waited in self._waited.values():
            waited.ended.set()

    @asynccontextmanager
    async def turn(self, environment: str, row_id: uuid.UUID) -> AsyncIterator[None]:
        """The turn to ask Stripe about a checkout: one question at a time, one a second."""
        if (asked := self._asked.get(row_id)) is not None:
            await asyncio.sleep(asked + ASKED_AGAIN_SECONDS - time.monotonic())
        turn = self._turns.setdefault(environment, _Turn())
        async with turn.lock:
            await asyncio.sleep(turn.next - time.monotonic())
            while len(self._asked) >= _REMEMBERED:
                del self._asked[next(iter(self._asked))]
            self._asked[row_id] = time.monotonic()
            try:
                yield
            finally:
                turn.next = time.monotonic() + TURN_SECONDS

    async def _look(self, db: Database) -> None:
        """Until nobody waits: everybody's checkout now and then, those that were rung for at once."""
        due = 0.0
        try:
            while self._waited:
                everybody = time.monotonic() >= due
                asked = [row_id for row_id in (self._waited if everybody else self._rung) if row_id in self._waited]
                self._rung.clear()
                self._bell.clear()
                pause = LOOK_SECONDS
                try:
                    for row_id in await settled_checkouts.ended(db, asked) if asked else ():
                        if (waited := self._waited.get(row_id)) is not None:
                            waited.ended.set()
                except Unavailable:
                    pause = BLIND_SECONDS
                except Exception:
                    log.exception("checkouts could not be looked at")
                    pause = BLIND_SECONDS
                if everybody or pause > LOOK_SECONDS:
                    due = time.monotonic() + pause
                with suppress(TimeoutError):
                    async with asyncio.timeout(due - time.monotonic()):
                        await self._bell.wait()
        finally:
            self._looking = None

    def _counted(self, by: int) -> None:
        self.count += by
        waiters_now(self.count)
