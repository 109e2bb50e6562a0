"""Events about one payment wait for each other here: in PostgreSQL each would hold a connection while it waits.

This only saves: who goes first is decided by the locks of the transaction, however many processes there are.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class Turns:
    """Who is at work on what, in this process. One lock for each name, gone with the last who has or wants it."""

    def __init__(self) -> None:
        self._locks = WeakValueDictionary[tuple[str, str], asyncio.Lock]()

    def __len__(self) -> int:
        return len(self._locks)

    @asynccontextmanager
    async def turn(self, environment: str, name: str, patience: float) -> AsyncIterator[None]:
        """First come, first served; whoever has waited `patience` seconds goes on without a turn."""
        lock = self._locks.get((environment, name))
        if lock is None:
            lock = self._locks[environment, name] = asyncio.Lock()
        has_it = await _taken(lock, patience)
        try:
            yield
        finally:
            if has_it:
                lock.release()


async def _taken(lock: asyncio.Lock, patience: float) -> bool:
    if not lock.locked():
        return await lock.acquire()
    try:
        async with asyncio.timeout(patience):
            return await lock.acquire()
    except TimeoutError:
        return False
