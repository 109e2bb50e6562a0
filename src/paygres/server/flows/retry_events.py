"""The worker's first duty: events that are stored but not finished, when their turn comes."""

import time
from datetime import timedelta

import orjson
import structlog

from paygres.server.errors import Unavailable
from paygres.server.flows.apply_event import Applied, Road, apply_event, retry_in
from paygres.server.flows.count_event import count_event
from paygres.server.flows.parts import Parts
from paygres.server.projections.events import read_event
from paygres.server.tables import event_log, events
from paygres.server.tables.sqlstates import Contended, TooLong

log = structlog.get_logger()

LEASE = timedelta(seconds=90)
BATCH = 20
ROUND_SECONDS = 40.0  # no event of a batch is begun later: it ends within the lease, and other duties have their turn
LISTENER_SECONDS = 10.0
PATIENT = "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '10s'"


async def retry_events(parts: Parts) -> int:
    """Lease what is due and apply it by the same road, with more patience than a webhook has; returns how many."""
    leased = await events.lease_events(parts.db, BATCH, LEASE, parts.listeners.names())
    began = time.monotonic()
    for nth, one in enumerate(leased):
        if time.monotonic() - began > ROUND_SECONDS:
            for left in leased[nth:]:
                await event_log.give_back(parts.db, left.environment, _id_of(left))
            break
        try:
            await retry_event(parts, one)
        except (Contended, TooLong):
            continue  # no attempt: its lease runs out, and a slow database kills nothing
        except Unavailable:
            raise
        except Exception as error:  # not foreseen; it must not stand in the way of the others
            await _put_off(parts, one, error)
    return len(leased)


async def _put_off(parts: Parts, one: events.Leased, error: Exception) -> None:
    event_id, attempts = _id_of(one), one.attempts + 1
    log.error("event not applied", stripe_event_id=event_id, exc_info=error)
    reason = f"not applied: {type(error).__name__}"
    await events.put_off(parts.db, one.environment, event_id, attempts, reason, retry_in(attempts))


def _id_of(one: events.Leased) -> str:
    return str(orjson.loads(one.payload)["id"])


def patient_road(parts: Parts, environment: str, account_id: str, connected_at: int) -> Road:
    """The road of events whom nobody waits for: with more patience than a webhook's."""
    return Road(
        environment,
        account_id,
        connected_at,
        parts.installation_id,
        seconds=12.0,
        limits=PATIENT,
        listeners=parts.listeners,
        listener_seconds=LISTENER_SECONDS,
        turns=parts.turns,
    )


async def retry_event(parts: Parts, one: events.Leased) -> Applied:
    """Apply an event that is leased to us; raises Contended when others stay at its objects."""
    side = await parts.connections.webhook(one.environment)
    road = patient_road(parts, one.environment, one.account_id, side.connected_at)
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
