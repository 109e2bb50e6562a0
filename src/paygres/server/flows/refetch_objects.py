"""The worker's second duty: read at Stripe what events left undecided, with nothing held meanwhile."""

from datetime import timedelta
from urllib.parse import quote

import structlog

from paygres.server.errors import PaygresError, Upstream
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.parts import Parts
from paygres.server.tables import reads

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
BATCH = 20
PATHS = {
    "checkout.session": "/v1/checkout/sessions/",
    "payment_intent": "/v1/payment_intents/",
    "charge": "/v1/charges/",
    "customer": "/v1/customers/",
    "product": "/v1/products/",
    "price": "/v1/prices/",
}


async def refetch_objects(parts: Parts) -> int:
    """Read what is due and apply it as API reads; returns how many were due."""
    due = await reads.lease_refetches(parts.db, BATCH, LEASE)
    for one in due:
        try:
            connection = await parts.connections.current(one.environment)
            answer = await parts.gateway.request(
                connection.stripe_key,
                "get",
                PATHS[one.object_type] + quote(one.object_id, safe=""),
                priority="refetch",
            )
            await apply_reads(parts.db, connection, [answer.object], answer.as_of)
        except Upstream as error:
            if error.definite and error.status == 404:
                await reads.drop_refetch(parts.db, one)
            else:
                await _postpone(parts, one, error.message)
        except PaygresError as error:
            await _postpone(parts, one, str(error))
    return len(due)


async def _postpone(parts: Parts, one: reads.Refetch, error: str) -> None:
    log.warning("refetch postponed", object_id=one.object_id, reason=error)
    pause = timedelta(seconds=min(5 * 2 ** min(one.attempts, 10), 3600))
    await reads.postpone_refetch(parts.db, one, pause, error)
