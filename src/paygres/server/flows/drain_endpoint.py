"""Wait until an endpoint that is about to be deleted has delivered what it owes: Stripe drops the rest with it."""

import asyncio
import time

import structlog

from paygres.server import errors
from paygres.server.flows.connections import Connection
from paygres.server.flows.parts import Parts
from paygres.server.projections.events import EVENT_TYPES
from paygres.server.tables import connections, sweeps

log = structlog.get_logger()

_LOOK_BACK_SECONDS = 3600
_WAIT_SECONDS = 5.0  # somebody waits for the answer; what is older than this is being retried for hours
_PAUSE_SECONDS = 0.3


async def drain_endpoint(parts: Parts, connection: Connection) -> list[str]:
    """Wait, at most five seconds, until we know every event of the last hour that Stripe lists as undelivered; a sweep
    is to fetch the rest.

    A new endpoint must exist already, which takes what happens from now on. Returns the ids of those that have not
    arrived (the first 100 are looked at); never raises for what Stripe does.
    """
    since, deadline = int(time.time()) - _LOOK_BACK_SECONDS, time.monotonic() + _WAIT_SECONDS
    query = {"limit": 100, "delivery_success": False, "created": {"gte": since}}
    try:
        answer = await parts.gateway.request(connection.stripe_key, "get", "/v1/events", query, priority="portal")
    except errors.PaygresError as error:
        log.warning("undelivered events not known", environment=connection.environment, reason=error.message)
        return []
    owed = [event["id"] for event in answer.object.get("data") or () if event.get("type") in EVENT_TYPES]
    while owed:
        owed = await connections.select_unknown_events(parts.db, connection.environment, owed)
        if not owed or time.monotonic() > deadline:
            break
        await asyncio.sleep(_PAUSE_SECONDS)
    if owed:
        log.warning("endpoint deleted before it delivered", environment=connection.environment, events=owed)
        await sweeps.want(parts.db, connection.environment, connection.account_id, since)
    return owed
