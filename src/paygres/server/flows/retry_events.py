"""The worker's first duty: events that are stored but not finished, when their turn comes."""

import time
from datetime import timedelta

import orjson
import structlog

from paygres.server.flows.apply_event import Applied, Road, apply_event
from paygres.server.flows.count_event import count_event
from paygres.server.flows.parts import Parts
from paygres.server.projections.events import read_event
from paygres.server.tables import events
from paygres.server.tables.sqlstates import Contended

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
BATCH = 20
PATIENT = "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '10s'"


async def retry_events(parts: Parts) -> int:
    """Lease what is due and apply it by the same road, with more patience than a webhook has; returns how many."""
    leased = await events.lease_events(parts.db, BATCH, LEASE)
    for one in leased:
        try:
            await retry_event(parts, one)
        except Contended:
            continue  # its lease runs out; somebody else is at its objects
    return len(leased)


async def retry_event(parts: Parts, one: events.Leased) -> Applied:
    """Apply an event that is leased to us; raises Contended when others stay at its objects."""
    side = await parts.connections.webhook(one.environment)
    road = Road(
        one.environment,
        one.account_id,
        0 if one.replayed else side.connected_at,
        parts.installation_id,
        seconds=12.0,
        limits=PATIENT,
    )
    event = read_event(orjson.loads(one.payload))
    began = time.perf_counter()
    applied = await apply_event(parts.db, road, event, one.payload)
    count_event(one.environment, event, applied.status, began, first=False)
    log.info(
        "event retried",
        stripe_event_id=event.id,
        event_type=event.type,
        status=applied.status,
        reason=applied.event.get("lastError"),
    )
    return applied
