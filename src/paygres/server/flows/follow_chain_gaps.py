"""An update that does not follow from what we knew says that an event before it is missing. Most are only late.

After some seconds the list of events is looked at; after a minute the object itself is read at Stripe.
"""

import structlog

from paygres.server.errors import NotConfigured
from paygres.server.flows.parts import Parts
from paygres.server.flows.refetch_objects import PATHS
from paygres.server.metrics import gap_ended
from paygres.server.projections.chain_gaps import follows
from paygres.server.projections.events import read_event
from paygres.server.tables import chain_gaps, sweeps
from paygres.server.tables.chain_gaps import Gap

log = structlog.get_logger()

BATCH = 50
MISSING = "an event before this one is missing"


async def follow_chain_gaps(parts: Parts) -> int:
    """The worker's duty; returns how many were due."""
    due = await chain_gaps.lease(parts.db, BATCH)
    for gap in due:
        if await _is_closed(parts, gap):
            await _end(parts, gap, "arrived")
        elif gap.looks == 1:
            await _want_sweep(parts, gap)
        elif gap.object_type in PATHS:
            await sweeps.queue_refetch(parts.db, gap.environment, gap.object_type, gap.object_id, MISSING)
            await _end(parts, gap, "refetched")
            parts.wake.set()
        else:
            await _end(parts, gap, "left")
    return len(due)


async def _is_closed(parts: Parts, gap: Gap) -> bool:
    """What was missing has come, or the object was read at Stripe after all of it."""
    around = await chain_gaps.select_around(parts.db, gap)
    if around.update is None or around.read_since:
        return True
    said = read_event(around.update).previous_attributes or {}
    return any(follows(read_event(event).raw, said) for event in around.before)


async def _want_sweep(parts: Parts, gap: Gap) -> None:
    log.info("a gap in an object's history", object_id=gap.object_id, stripe_event_id=gap.event_id)
    try:
        connection = await parts.connections.current(gap.environment)
    except NotConfigured:
        return  # without a key nobody can look
    await sweeps.want(parts.db, gap.environment, connection.account_id, gap.before_as_of)


async def _end(parts: Parts, gap: Gap, outcome: str) -> None:
    await chain_gaps.delete(parts.db, gap)
    gap_ended(gap.environment, outcome)
