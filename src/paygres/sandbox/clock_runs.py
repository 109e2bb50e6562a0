"""Test clocks on their way: everything that is due up to the new time happens in order, each at its own moment, while
the clock's status is `advancing`."""

import asyncio
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import orjson

from paygres.sandbox.clock import TEST_CLOCK
from paygres.sandbox.objects import test_clocks
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work, World

# So long may a run go on before requests have their turn, in seconds.
SLICE = 0.01

NEXT = "SELECT seq, due, name, subject FROM clock_timers WHERE clock = ? AND due <= ? ORDER BY due, seq LIMIT 1"

Timers = Mapping[str, Callable[[Work, str], None]]


class Runs:
    """The clocks that are advancing. A context manager that stops the runs; a new start goes on with them."""

    def __init__(self, world: World, timers: Timers) -> None:
        self._world = world
        self._timers = timers
        self._running: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def start(self) -> None:
        """Starts a run for every clock that is to advance and has none."""
        for account, clock in self._advancing():
            if clock["id"] not in self._running:
                self._running[clock["id"]] = asyncio.create_task(self._run(account, clock))

    def _advancing(self) -> list[tuple[str, Object]]:
        world = self._world
        if not world.clock.accounts_with_test_clocks():
            return []
        rows = world.store.run(
            "SELECT account, body FROM objects WHERE kind = ? AND deleted = 0", (TEST_CLOCK,)
        ).fetchall()
        found: list[tuple[str, Object]] = [(account, orjson.loads(world.store.unpack(body))) for account, body in rows]
        return [(account, clock) for account, clock in found if clock["status"] == "advancing"]

    async def _run(self, account: str, clock: Object) -> None:
        try:
            await self._advance(account, clock)
        finally:
            # At once, and not when the loop comes around to it: the clock may be told to advance again by then.
            self._running.pop(clock["id"], None)

    async def _advance(self, account: str, clock: Object) -> None:
        world, id = self._world, clock["id"]
        target: int = clock["status_details"]["advancing"]["target_frozen_time"]
        since = time.monotonic()
        while True:
            row = world.store.run(NEXT, (id, target)).fetchone()
            if row is None:
                break
            self._fire(account, clock, *row)
            if time.monotonic() - since > SLICE:
                await asyncio.sleep(0)
                since = time.monotonic()
        with world.work(account) as work:
            test_clocks.arrive(work, id)

    def _fire(self, account: str, clock: Object, seq: int, due: float, name: str, subject: str) -> None:
        now = max(int(due), clock["frozen_time"])
        try:
            with self._world.work(account, clock=clock["id"], now=now) as work:
                work.store.run("DELETE FROM clock_timers WHERE seq = ?", (seq,))
                self._timers[name](work, subject)
        except Exception:
            # One broken timer must not stop the others; it is gone, and the log says why.
            traceback.print_exc(file=sys.stderr)
            self._world.store.run("DELETE FROM clock_timers WHERE seq = ?", (seq,))
