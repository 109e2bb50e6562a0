"""The worker's doorbell inside one process; other processes are found by the worker's slow poll."""

import asyncio


class Wake:
    """Set after a commit that left work behind; many rings before the next look count as one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Ring."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Return at the next ring, or after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()
