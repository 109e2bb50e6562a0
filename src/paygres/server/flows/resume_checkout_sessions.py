"""The worker's third duty: checkouts whose process died between reserving and finishing (contract F24)."""

from datetime import timedelta

import structlog

from paygres.server.errors import NotConfigured, PaygresError
from paygres.server.flows.parts import Parts
from paygres.server.flows.send_checkout_session import NOT_RESERVED, send
from paygres.server.tables import checkout_sessions

log = structlog.get_logger()

LEASE = timedelta(seconds=35)
BATCH = 10


async def resume_checkout_sessions(parts: Parts) -> int:
    """Send abandoned rows again with their own parameters and Stripe key; Stripe replays what it had created."""
    resumed = 0
    for environment in ("test", "live"):
        try:
            connection = await parts.connections.current(environment)
        except NotConfigured:
            continue
        for row_id in await checkout_sessions.abandoned(parts.db, [environment], BATCH):
            taken = await checkout_sessions.lease(parts.db, row_id, LEASE)
            if taken is None:
                continue
            if taken["params"] is None:
                await checkout_sessions.fail(parts.db, row_id, NOT_RESERVED)
                continue
            if taken["account_id"] != connection.account_id:
                await checkout_sessions.fail(parts.db, row_id, "Made for a Stripe account that is not connected now")
                continue
            try:
                await send(parts, connection, row_id, taken["params"], guest=False, resumed=True)
                resumed += 1
            except PaygresError as error:
                log.warning("checkout not resumed", checkout_session=str(row_id), reason=error.message)
    return resumed
