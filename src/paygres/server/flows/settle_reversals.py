"""The worker's duty: what was given follows its money where no event's transaction saw to that, because an API read
told of the refund, or a developer's trigger failed."""

import random
from datetime import timedelta

import structlog

from paygres.server.flows.parts import Parts
from paygres.server.tables import fulfillments

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
BATCH = 20


async def settle_reversals(parts: Parts) -> int:
    """Each payment in a transaction of its own; one that fails is tried again, ever later up to an hour. How many."""
    leased = await fulfillments.lease_reversals(parts.db, BATCH, LEASE)
    for one in leased:
        error = await fulfillments.settle_reversal(parts.db, one)
        if error is not None:
            log.warning("reversal failed", payment=one.payment_key, environment=one.environment)  # the queue has why
            seconds = min(5 * 2 ** min(one.attempts, 10), 3600) * random.uniform(0.8, 1.2)
            await fulfillments.put_off_reversal(parts.db, one, error, timedelta(seconds=seconds))
    return len(leased)
