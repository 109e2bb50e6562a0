"""The worker: woken by the doorbell or every two seconds, it finishes what was left."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from paygres.server.errors import Unavailable
from paygres.server.flows.check_invariants import EVERY_SECONDS, check_invariants
from paygres.server.flows.check_webhook_endpoint import check_webhook_endpoints
from paygres.server.flows.create_portal_session import give_up_portal_sessions
from paygres.server.flows.deliver_messages import deliver_messages
from paygres.server.flows.expire_superseded_sessions import expire_superseded_sessions
from paygres.server.flows.follow_chain_gaps import follow_chain_gaps
from paygres.server.flows.parts import Parts
from paygres.server.flows.refetch_objects import refetch_objects
from paygres.server.flows.register_listeners import show_listeners_alive
from paygres.server.flows.resume_checkout_sessions import resume_checkout_sessions
from paygres.server.flows.retry_events import retry_events
from paygres.server.flows.settle_reversals import settle_reversals
from paygres.server.flows.sign_out import forget_sign_ins
from paygres.server.flows.sweep_events import sweep_events
from paygres.server.flows.sync_environment import resume_syncs
from paygres.server.flows.watch_dead_events import watch_dead_events

log = structlog.get_logger()

POLL_SECONDS = 2.0
Duty = Callable[[Parts], Awaitable[int]]
# At every round; each returns how many it found, and a round that found something is followed by another at once.
AT_ONCE: tuple[Duty, ...] = (
    retry_events,
    settle_reversals,
    deliver_messages,
    refetch_objects,
    expire_superseded_sessions,
)
# (duty, seconds between two runs)
NOW_AND_THEN: tuple[tuple[Duty, float], ...] = (
    (resume_checkout_sessions, 10.0),
    (sweep_events, 5.0),
    (follow_chain_gaps, 5.0),
    (watch_dead_events, 15.0),
    (resume_syncs, 30.0),
    (give_up_portal_sessions, 60.0),
    (check_webhook_endpoints, 60.0),
    (show_listeners_alive, 60.0),
    (forget_sign_ins, 60.0),
    (check_invariants, EVERY_SECONDS),
)


async def work(parts: Parts) -> None:
    """Run until cancelled. A failing duty is logged and tried again; it never stops the others."""
    last_run = dict.fromkeys((duty for duty, _ in NOW_AND_THEN), float("-inf"))
    while True:
        busy = sum([await _duty(duty, parts) for duty in AT_ONCE])
        for duty, seconds in NOW_AND_THEN:
            if time.monotonic() - last_run[duty] > seconds:
                await _duty(duty, parts)
                last_run[duty] = time.monotonic()
        if not busy:
            await parts.wake.wait(POLL_SECONDS)


async def _duty(duty: Duty, parts: Parts) -> int:
    parts.pulse.beat()
    try:
        return await duty(parts)
    except Unavailable as error:
        log.warning("worker waits for the database", reason=error.message)
    except Exception:
        log.exception("worker duty failed", duty=duty.__name__)
    await asyncio.sleep(1.0)
    return 0
