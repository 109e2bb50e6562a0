"""Read a stage of a sync: several windows side by side, a page at a time, each applied with its checkpoint.

A list's one window is divided while it is being read, whenever a lane has nothing to do: nobody knows beforehand how
an account's objects are spread over the years. Memory is a page for each lane.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from paygres.server import errors
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connections import Connection
from paygres.server.flows.parts import Parts
from paygres.server.flows.side_by_side import in_lanes
from paygres.server.flows.sync_plan import BY_KEY, NAMES, Listing
from paygres.server.stripe_gateway.gateway import Page
from paygres.server.tables import syncs
from paygres.server.tables.syncs import Sync, Window

LANES = 4  # requests to Stripe under way
APPLYING = 3  # pages being written: checkouts and lists need the other connections
STRIPE_BEGAN = 1_293_840_000  # 2011-01-01: no object is older
# A window this short or this young is not worth dividing: the new half would cost a request to find little.
_SHORTEST_SECONDS = 10
_FEWEST_PAGES = 2
_TRIES = 15  # a minute each, when buyers need all that Stripe allows
_TELLING_PAGES = 2  # as many of a list say enough about what its tables will hold


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of one noun has been read."""

    environment: str
    name: str
    done: int
    pages: int


@dataclass(slots=True)
class _Reading:
    """A window and who may change it: the lane that reads it, or one that takes a part of it."""

    window: Window
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    taken: bool = False


class WindowReader:
    """Reads the windows of one sync. `oldest` (Unix seconds) is about when the account's first object was made.

    `refused` are the nouns that Stripe does not let this key list, with Stripe's words, and those of which something
    could not be applied; the others are read all the same.
    """

    def __init__(
        self,
        parts: Parts,
        sync: Sync,
        windows: Collection[Window],
        *,
        oldest: int = STRIPE_BEGAN,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._parts = parts
        self._sync = sync
        self._readings = [_Reading(window) for window in windows]
        self._oldest = oldest
        self._on_progress = on_progress
        self._applying = asyncio.Semaphore(APPLYING)
        self._moved = asyncio.Condition()
        self.refused: dict[str, str] = {}
        self._left: dict[str, int] = {}

    @property
    def counts(self) -> dict[str, int]:
        """Objects listed so far, by noun, in the plan's order."""
        return {name: sum(w.seen for w in self.windows(name)) for name in NAMES if name in self._sync.objects}

    def windows(self, name: str) -> list[Window]:
        """The windows of a noun."""
        return [one.window for one in self._readings if BY_KEY[one.window.listing].name == name]

    async def connection(self) -> Connection:
        """The connection as it is now; raises when another account, or none, was connected meanwhile."""
        now = await self._parts.connections.current(self._sync.environment)
        if now.account_id != self._sync.account_id:
            raise errors.Unavailable("The sync stopped: another Stripe account was connected meanwhile")
        return now

    async def read(self, stage: int) -> None:
        """Read every window of this stage to its end."""
        await in_lanes(LANES, lambda: self._lane(stage))
        for name, number in self._left.items():  # not before: what is refused is not read on
            self.refused[name] = f"{number} could not be applied (the log tells which) and will be read again"

    async def _lane(self, stage: int) -> None:
        while (reading := await self._next(stage)) is not None:
            try:
                await self._read(reading)
            finally:
                reading.taken = False
                async with self._moved:
                    self._moved.notify_all()

    async def _next(self, stage: int) -> _Reading | None:
        """A window nobody reads, else a part of one that is being read, else (all are done) nothing."""
        while True:
            open_ones = [one for one in self._of_stage(stage) if not one.window.done]
            if not open_ones:
                return None
            for one in open_ones:
                if not one.taken:
                    one.taken = True
                    return one
            widest = max(open_ones, key=lambda one: self._seconds_left(one.window))
            part = await self._divide(widest)
            if part is not None:
                return part
            async with self._moved:
                if any(not one.window.done for one in self._of_stage(stage)):
                    await self._moved.wait()

    def _of_stage(self, stage: int) -> list[_Reading]:
        return [
            one
            for one in self._readings
            if BY_KEY[one.window.listing].stage == stage and BY_KEY[one.window.listing].name not in self.refused
        ]

    def _seconds_left(self, window: Window) -> int:
        """How much time lies between the last object read and the window's end."""
        if window.reached is None or window.pages < _FEWEST_PAGES:
            return 0
        guess = self._oldest if self._oldest < window.reached else STRIPE_BEGAN
        return window.reached - (guess if window.created_from is None else window.created_from)

    async def _divide(self, reading: _Reading) -> _Reading | None:
        """Take the older half of what is left of a window; None when that is too little."""
        async with reading.lock:
            upper = reading.window
            left = self._seconds_left(upper)
            if upper.done or left < _SHORTEST_SECONDS:
                return None
            assert upper.reached is not None
            middle = upper.reached - left // 2
            nth = 1 + max(one.window.nth for one in self._readings if one.window.listing == upper.listing)
            lower = Window(upper.listing, nth, created_from=upper.created_from, created_to=middle)
            half = replace(upper, created_from=middle)
            part = _Reading(lower, taken=True)
            self._readings.append(part)  # before anybody else can take the same number
            async with self._parts.db.as_service() as tx:
                await syncs.split_window(tx, self._sync, half, lower)
            reading.window = half
        return part

    async def _read(self, reading: _Reading) -> None:
        listing = BY_KEY[reading.window.listing]
        while not reading.window.done:
            connection = await self.connection()
            try:
                page = await next_page(self._parts, connection, listing, reading.window)
            except errors.Upstream as error:
                if not error.definite or error.code != "PAYMENT_CONFIG_INVALID":
                    raise
                self.refused[listing.name] = error.message
                return
            if page is None:
                reading.window = from_its_last_second(reading.window)
                continue
            async with reading.lock, self._applying:
                rows, moved = advance(reading.window, page)
                checkpoint = partial(syncs.update_window, sync=self._sync, window=moved)
                left = await apply_reads(self._parts.db, connection, rows, page.as_of, also=checkpoint)
                reading.window = moved
            if left:
                self._left[listing.name] = self._left.get(listing.name, 0) + left
            if moved.pages == _TELLING_PAGES:
                await syncs.analyze_new_tables(self._parts.db)
            self._tell(listing)
            async with self._moved:
                self._moved.notify_all()

    def _tell(self, listing: Listing) -> None:
        if self._on_progress is not None:
            windows = self.windows(listing.name)
            done, pages = sum(w.seen for w in windows), sum(w.pages for w in windows)
            self._on_progress(Progress(self._sync.environment, listing.name, done, pages))


async def next_page(parts: Parts, connection: Connection, listing: Listing, window: Window) -> Page | None:
    """The next page; None when the object it begins after is gone since the page before."""
    tries = 0
    while True:
        try:
            return await parts.gateway.page(connection.stripe_key, listing.path, query(listing, window))
        except errors.RateLimit:
            tries += 1
            if tries == _TRIES:
                raise
        except errors.Upstream as error:
            gone = error.definite and error.status in (400, 404) and "No such" in error.message
            if gone and window.last_id and window.last_id in error.message and window.reached is not None:
                return None
            raise


def query(listing: Listing, window: Window) -> Mapping[str, Any]:
    """The parameters of a window's next page."""
    created = {
        name: bound for name, bound in (("gte", window.created_from), ("lt", window.created_to)) if bound is not None
    }
    return {
        **listing.params,
        **({"created": created} if created else {}),
        **({"starting_after": window.last_id} if window.last_id else {}),
    }


def advance(window: Window, page: Page) -> tuple[list[dict[str, Any]], Window]:
    """What of a page belongs to the window (it may have been cut short meanwhile), and the window after it."""
    least = window.created_from
    rows = page.rows if least is None else [row for row in page.rows if row.get("created", least) >= least]
    last = page.rows[-1] if page.rows else {}
    return rows, replace(
        window,
        last_id=last.get("id", window.last_id),
        reached=last.get("created", window.reached),
        seen=window.seen + len(rows),
        pages=window.pages + 1,
        done=not page.has_more or len(rows) < len(page.rows),
        as_of=window.as_of if window.as_of is not None else page.as_of,
    )


def from_its_last_second(window: Window) -> Window:
    """Where to go on when the last object read is gone: once more through the second it was made in."""
    assert window.reached is not None
    return replace(window, created_to=window.reached + 1, last_id=None)
