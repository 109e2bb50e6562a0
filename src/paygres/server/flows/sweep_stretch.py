"""Read one stretch of Stripe's list of events and store what is missing of it, by the road of every event."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog

from paygres.server.errors import Unavailable
from paygres.server.flows.apply_event import Applied, Road, apply_event, keep, left_out
from paygres.server.flows.connections import Connection
from paygres.server.flows.count_event import count_event
from paygres.server.flows.parts import Parts
from paygres.server.flows.receive_event import KEPT
from paygres.server.flows.refetch_objects import PATHS
from paygres.server.flows.retry_events import patient_road
from paygres.server.flows.sweep_windows import Stretch
from paygres.server.projections.events import Event, read_event
from paygres.server.projections.snapshots import Unreadable
from paygres.server.stripe_gateway.budget import Priority
from paygres.server.stripe_gateway.gateway import STRIPE_VERSION
from paygres.server.tables import sweeps
from paygres.server.tables.sqlstates import Contended, TooLong

log = structlog.get_logger()

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")  # PostgreSQL cannot hold it


@dataclass(slots=True)
class Found:
    """What Stripe lists in a stretch. `as_of`: when the first pages were true; `missing`: newest first."""

    listed: int = 0
    as_of: int | None = None
    missing: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])


async def list_stretch(
    parts: Parts,
    connection: Connection,
    stretch: Stretch,
    types: Sequence[Sequence[str]],
    priority: Priority,
    *,
    undelivered: bool = False,
    most: int | None = None,
) -> Found | None:
    """Every event of these types Stripe lists in the stretch, and those that are not in the ledger.

    None when more than `most` are missing: then nothing was stored, and a shorter stretch has to do.
    """
    created = {"gte": stretch.since} if stretch.until is None else {"gte": stretch.since, "lt": stretch.until}
    found = Found()
    for wanted in types:
        query: dict[str, Any] = {"types": list(wanted), "created": created}
        if undelivered:
            query["delivery_success"] = False
        first = True
        while True:
            page = await parts.gateway.page(connection.stripe_key, "/v1/events", query, priority=priority)
            if first:  # what comes while later pages are read is newer than all that counts
                found.as_of = page.as_of if found.as_of is None else min(found.as_of, page.as_of)
                first = False
            found.listed += len(page.rows)
            if page.rows:
                unknown = await sweeps.select_unknown(parts.db, connection.environment, [e["id"] for e in page.rows])
                found.missing |= {event["id"]: event for event in page.rows if event["id"] in unknown}
            if most is not None and len(found.missing) > most:
                return None
            if not page.has_more:
                break
            query["starting_after"] = page.rows[-1]["id"]
    return found


async def store_missing(parts: Parts, connection: Connection, found: Found) -> dict[str, int]:
    """Apply them, oldest first; how many there are of each outcome (processed, ignored, failed, pending, done).

    Raises Unavailable when one could not even be kept for the worker.
    """
    outcomes: dict[str, int] = {}
    listed = reversed(found.missing.values())
    for body in sorted(listed, key=lambda event: event["created"]):  # stable: within a second as Stripe has them
        outcome = await _store(parts, connection, body)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    if outcomes.keys() & {"failed", "pending"}:
        parts.wake.set()
    return outcomes


async def _store(parts: Parts, connection: Connection, body: dict[str, Any]) -> str:
    text = _NUL.sub(r"\1\\ufffd", orjson.dumps(body).decode())
    try:
        event = read_event(orjson.loads(text))
    except Unreadable as reason:
        log.error("listed event not understood", stripe_event_id=body["id"], reason=str(reason))
        details = {"reason": str(reason)}
        await sweeps.tell_unreadable(parts.db, connection.environment, connection.account_id, body["id"], details)
        return "unreadable"
    road = patient_road(parts, connection.environment, connection.account_id, connection.connected_at)
    if event.api_version != STRIPE_VERSION and event.object_type in PATHS and left_out(road, event) is None:
        # Stripe's list shows an event in the version it was made for. It is a hint: the object itself is read in ours.
        reason = f"told by an event of API version {event.api_version}"
        await sweeps.queue_refetch(parts.db, connection.environment, event.object_type, event.object_id, reason)
        parts.wake.set()
    began = time.perf_counter()
    status = (await _apply_or_keep(parts, road, event, text)).status
    count_event(connection.environment, event, status, began, first=status != "done")
    log.info("missing event found", stripe_event_id=event.id, event_type=event.type, status=status)
    return status


async def _apply_or_keep(parts: Parts, road: Road, event: Event, text: str) -> Applied:
    try:
        return await apply_event(parts.db, road, event, text)
    except Exception as error:
        slow = isinstance(error, Contended | TooLong)
        if isinstance(error, Unavailable) and not slow:
            raise  # the database is away: this stretch is read again
        reason = KEPT if slow else f"not applied: {type(error).__name__}"
        if not slow:
            log.error("event not applied", stripe_event_id=event.id, event_type=event.type, exc_info=error)
        await keep(parts.db, road, event, text, reason)
    return Applied("pending", False, {})
