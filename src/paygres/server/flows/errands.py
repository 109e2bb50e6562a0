"""Work that goes on when the request that asked for it has gone: held here, stopped with the application."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

from paygres.server.errors import PaygresError

log = structlog.get_logger()
_T = TypeVar("_T")


class Errands:
    """Running tasks. Whoever waits for one has to shield it, or takes it along when it leaves."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Run it to its end, whoever stops waiting. A failure is the waiter's; one that nobody waits for is logged."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Cancel what is still running and wait until it has ended."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            reason = error.message if isinstance(error, PaygresError) else type(error).__name__
            log.warning("background work ended early", reason=reason)
