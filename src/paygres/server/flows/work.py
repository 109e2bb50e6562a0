"""The worker: woken by the doorbell or every two seconds, it finishes what was left."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from paygres.server.errors import Unavailable
from paygres.server.flows.parts import Parts
from paygres.server.flows.refetch_objects import refetch_objects
from paygres.server.flows.resume_checkout_sessions import resume_checkout_sessions
from paygres.server.flows.retry_events import retry_events

log = structlog.get_logger()

POLL_SECONDS = 2.0
RESUME_EVERY = 10.0


async def work(parts: Parts) -> None:
    """Run until cancelled. A failing duty is logged and tried again; it never stops the others."""
    last_resume = 0.0
    while True:
        busy = await _duty(retry_events, parts) + await _duty(refetch_objects, parts)
        if time.monotonic() - last_resume > RESUME_EVERY:
            await _duty(resume_checkout_sessions, parts)
            last_resume = time.monotonic()
        if not busy:
            await parts.wake.wait(POLL_SECONDS)


async def _duty(duty: Callable[[Parts], Awaitable[int]], parts: Parts) -> int:
    try:
        return await duty(parts)
    except Unavailable as error:
        log.warning("worker waits for the database", reason=error.message)
    except Exception:
        log.exception("worker duty failed", duty=duty.__name__)
    await asyncio.sleep(1.0)
    return 0
