"""Nothing dies unseen: an event that nobody tries any more is an open item of the operators' list and an error in
the log."""

import structlog

from paygres.server.flows.parts import Parts
from paygres.server.tables import dead_events

log = structlog.get_logger()


async def watch_dead_events(parts: Parts) -> int:
    """The worker's duty; items whose event was replayed are closed. Always 0: it leaves no work."""
    for dead in await dead_events.watch(parts.db):
        log.error(
            "event is dead",
            environment=dead.environment,
            stripe_event_id=dead.event_id,
            event_type=dead.event_type,
            reason=dead.last_error,
        )
    return 0
