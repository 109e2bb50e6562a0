"""The worker's: open checkouts of a plan that their subject has bought by another session meanwhile.

A lease is taken before Stripe is asked and is the pause before the next try; expiring twice is harmless, so a
process that dies in between loses nothing.
"""

import structlog

from paygres.server.errors import PaygresError
from paygres.server.flows.expire_checkout_session import expire_at_stripe
from paygres.server.flows.parts import Parts
from paygres.server.tables import listed_checkout_sessions

log = structlog.get_logger()

BATCH = 10


async def expire_superseded_sessions(parts: Parts) -> int:
    """Expire them at Stripe and apply what Stripe says; returns how many are expired or paid now."""
    ended = 0
    for found in await listed_checkout_sessions.lease_superseded(parts.db, BATCH):
        try:
            connection = await parts.connections.current(found.environment)
            if found.checkout_session_id is None or found.account_id != connection.account_id:
                continue  # of another account: it expires by itself within a day
            await expire_at_stripe(parts, connection, found.checkout_session_id)
            ended += 1
        except PaygresError as error:
            log.warning("superseded checkout not expired", checkout_session=str(found.id), reason=error.message)
    return ended
