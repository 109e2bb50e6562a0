"""Tasks that end with the block that began them: lanes that share one work, and a beat while something lasts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager


async def in_lanes(count: int, lane: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run so many lanes until all have ended; the first failure ends the others, and is raised."""
    lanes = [asyncio.create_task(lane()) for _ in range(count)]
    try:
        await asyncio.gather(*lanes)
    finally:
        for one in lanes:
            one.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


@asynccontextmanager
async def meanwhile(beat: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run `beat` until the block ends. What it raises is nobody's: it says that we live, or keeps a lease."""
    beating = asyncio.create_task(beat)
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
