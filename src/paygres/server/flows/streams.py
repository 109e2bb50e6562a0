"""How many answers without an end this process gives, and how all of them end when the server stops."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from paygres.server.errors import Unavailable

MOST_STREAMS = 20


@dataclass(slots=True)
class Streams:
    """How many are open in this process; `close` ends them all, and there will be no more."""

    most: int = MOST_STREAMS
    open: int = 0
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    def require_room(self) -> None:
        """Raises Unavailable (503) when all places are taken or the server stops."""
        if self.open >= self.most or self._closing.is_set():
            raise Unavailable(f"All {self.most} event streams of this server are taken", retry_after=30)

    @contextmanager
    def one(self) -> Iterator[None]:
        """The place of a stream that has begun."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    def close(self) -> None:
        """The server stops."""
        self._closing.set()

    async def pause(self, seconds: float) -> bool:
        """Wait; False when the server stops meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        return not self._closing.is_set()
