"""POST …/events/backfill: an operator's look at Stripe's list of events, for a stretch of time they name."""

import asyncio
import time
from typing import Any

from paygres.server.errors import InvalidRequest
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.events import BackfillRequest
from paygres.server.flows.sweep_events import Swept, sweep_window
from paygres.server.flows.sweep_windows import KEPT_SECONDS
from paygres.server.projections.events import EVENT_TYPES
from paygres.server.tables import audit

_DAYS = 30


async def backfill_events(
    parts: Parts, environment: str, wanted: BackfillRequest, operator: Operator
) -> dict[str, Any]:
    """`{listed, missing, applied, ignored, unfinished, unreadable, dryRun}`, once all of it is stored.

    Goes on when the client has gone. Raises InvalidRequest, NotConfigured, and whatever a request to Stripe may raise;
    what was stored until then stays.
    """
    since = int(wanted.since.timestamp())
    until = None if wanted.until is None else int(wanted.until.timestamp())
    if since < time.time() - KEPT_SECONDS - 3600:
        raise InvalidRequest(f"since: Stripe lists events for {_DAYS} days; a reconcile finds what is older")
    if until is not None and until <= since:
        raise InvalidRequest("until: Must be later than since")
    types = _known(wanted.types)
    await parts.connections.current(environment)  # raises before anything is recorded
    running = parts.errands.start(_run(parts, environment, since, until, types, wanted, operator))
    return await asyncio.shield(running)


async def _run(
    parts: Parts,
    environment: str,
    since: int,
    until: int | None,
    types: list[str] | None,
    wanted: BackfillRequest,
    operator: Operator,
) -> dict[str, Any]:
    if not wanted.dry_run:
        async with parts.db.as_service() as tx:
            await audit.record(
                tx,
                actor=operator.actor,
                action="event.backfill",
                environment=environment,
                reason=wanted.reason,
                details={"since": since, "until": until, "types": types},
                request_id=operator.request_id,
            )
    swept = await sweep_window(
        parts, environment, since, until, types=types, priority="backfill", store=not wanted.dry_run
    )
    return _told(swept, dry_run=wanted.dry_run)


def _told(swept: Swept, *, dry_run: bool) -> dict[str, Any]:
    outcomes = swept.outcomes
    return {
        "listed": swept.listed,
        "missing": swept.missing,
        "applied": outcomes.get("processed", 0),
        "ignored": outcomes.get("ignored", 0),
        "unfinished": outcomes.get("failed", 0) + outcomes.get("pending", 0),
        "unreadable": outcomes.get("unreadable", 0),
        "dryRun": dry_run,
    }


def _known(types: list[str] | None) -> list[str] | None:
    """Families (`invoice.*`) spelled out; only what this version reads can be asked for."""
    if types is None:
        return None
    found: set[str] = set()
    for wanted in types:
        family = wanted.removesuffix("*")
        those = {one for one in EVENT_TYPES if one == wanted or (family != wanted and one.startswith(family))}
        if not those:
            raise InvalidRequest(f"types: {wanted} is not an event this version reads")
        found |= those
    return sorted(found)
