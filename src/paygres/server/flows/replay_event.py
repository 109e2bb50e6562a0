"""Run an event again for an operator, by the same road: a done one too, so that developers' triggers fire again.
A rehearsal does all of it in a transaction that is rolled back, and tells what would change."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import orjson
import structlog

from paygres.server.errors import InvalidRequest
from paygres.server.flows.apply_event import Applied, Road, apply_within
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.list_events import entry, type_or_family
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.read_event import concerned, read_payload, unknown
from paygres.server.flows.refetch_objects import PATHS
from paygres.server.flows.requests.events import ReplayRequest, RetryRequest
from paygres.server.flows.retry_events import PATIENT, retry_event
from paygres.server.projections.events import Event, read_event
from paygres.server.tables import audit, event_effects, event_log, replays
from paygres.server.tables.event_effects import Concerned
from paygres.server.tables.event_log import Wanted
from paygres.server.tables.events import Leased
from paygres.server.tables.replays import Trigger
from paygres.server.tables.sqlstates import Contended

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
Counts = dict[str, tuple[int, int, int]]  # table: rows inserted, updated, deleted


async def replay_event(
    parts: Parts, environment: str, event_id: str, wanted: ReplayRequest, operator: Operator
) -> dict[str, Any]:
    """`{outcome, error, dryRun, event, changes, writes}`.

    `outcome` is the event's new status, or `queued` when somebody else is at it and the worker will follow. Raises
    NotFound; with `refetch` whatever a request to Stripe may raise, and then nothing was done.
    """
    payload = await read_payload(parts.db, environment, event_id)
    event = read_event(payload)
    if wanted.dry_run:
        return await rehearse_event(parts, environment, event_id)
    if wanted.refetch:
        await _refetch(parts, environment, event)
    async with parts.db.as_service() as tx:
        queued = await event_log.queue_again(tx, environment, event_id, LEASE)
        if queued is None:
            raise unknown(event_id)
        before = await concerned(tx, environment, event.raw)
        await audit.record(
            tx,
            actor=operator.actor,
            action="event.replay",
            environment=environment,
            target=event_id,
            reason=wanted.reason,
            details={"type": event.type, "refetch": wanted.refetch, "wasDone": queued.was_done},
            request_id=operator.request_id,
        )
    applied = await _run(parts, environment, event) if queued.ours else None
    after = await concerned(parts.db, environment, event.raw)
    shown = entry(environment, (await event_log.show(parts.db, environment, [event_id]))[0])
    return {
        "outcome": applied.status if applied else "queued",
        "error": applied.event.get("lastError") if applied else None,
        "dryRun": False,
        "event": shown,
        "changes": _changes(before, after),
        "writes": None,
        "triggers": None,
    }


async def retry_queued_events(
    parts: Parts, environment: str, wanted: RetryRequest, operator: Operator
) -> dict[str, Any]:
    """`{requeued, more}`: unfinished events of a selection are due at once; `more` says there are others."""
    selection = Wanted(status=wanted.status, **type_or_family(wanted.type), since=wanted.since, until=wanted.until)
    async with parts.db.as_service() as tx:
        chosen = await event_log.retry_queued(tx, environment, selection, wanted.limit)
        await audit.record(
            tx,
            actor=operator.actor,
            action="event.retry",
            environment=environment,
            reason=wanted.reason,
            details={"status": wanted.status, "type": wanted.type, "requeued": len(chosen)},
            request_id=operator.request_id,
        )
    parts.wake.set()
    return {"requeued": len(chosen), "more": len(chosen) == wanted.limit}


async def _run(parts: Parts, environment: str, event: Event) -> Applied | None:
    found = await event_log.payload(parts.db, environment, event.id)
    assert found is not None
    payload, account_id = found
    try:
        return await retry_event(parts, Leased(environment, account_id, payload))
    except Contended:
        await event_log.give_back(parts.db, environment, event.id)
        parts.wake.set()
        return None


async def _refetch(parts: Parts, environment: str, event: Event) -> None:
    """Read the object at Stripe first: its newest state is then known, whatever the event remembers."""
    path = PATHS.get(event.object_type)
    if path is None or "id" not in event.raw:
        raise InvalidRequest(f"refetch: A {event.object_type} is not read at Stripe; replay without refetch")
    connection = await parts.connections.current(environment)
    answer = await parts.gateway.request(
        connection.stripe_key, "get", path + quote(event.object_id, safe=""), priority="refetch"
    )
    await apply_reads(parts.db, connection, [answer.object], answer.as_of)


class _Undo(Exception):
    """Ends a rehearsal's transaction."""


async def rehearse_event(parts: Parts, environment: str, event_id: str) -> dict[str, Any]:
    """The answer of `replay_event` for a dry run: what would change, be written and fire. Raises NotFound."""
    found = await event_log.payload(parts.db, environment, event_id)
    if found is None:
        raise unknown(event_id)
    payload, account_id = found
    event = read_event(orjson.loads(payload))
    road = Road(environment, account_id, 0, parts.installation_id, listeners=parts.listeners)
    answer: dict[str, Any] = {}
    try:
        async with parts.db.as_service("webhook", settings=PATIENT) as tx:
            await event_log.queue_again(tx, environment, event.id, LEASE)
            before, written = await concerned(tx, environment, event.raw), await event_effects.written(tx)
            applied = await apply_within(tx, road, event, payload)
            after, now = await concerned(tx, environment, event.raw), await event_effects.written(tx)
            answer = {
                "outcome": applied.status,
                "error": applied.event.get("lastError"),
                "dryRun": True,
                "event": entry(environment, (await event_log.show(tx, environment, [event.id]))[0]),
                "changes": _changes(before, after),
                "writes": _writes(written, now) if applied.status in ("processed", "ignored") else [],
                "triggers": _fired(await replays.select_triggers(tx), written, now, applied.status),
            }
            raise _Undo
    except _Undo:
        return answer


def _fired(triggers: list[Trigger], before: Counts, after: Counts, outcome: str) -> list[dict[str, Any]]:
    """Developers' triggers on tables of ours in which rows were inserted or updated; their own conditions (`when`,
    columns) are not weighed. Those before an insert fire even when they keep the row out."""
    fired: list[dict[str, Any]] = []
    for one in triggers:
        then, now = before.get(one.table, (0, 0, 0)), after.get(one.table, (0, 0, 0))
        tried = (
            one.table == "payments.webhook_events" and one.timing == "before" and outcome in ("processed", "ignored")
        )
        if (one.on_insert and (now[0] > then[0] or tried)) or (one.on_update and now[1] > then[1]):
            fired.append({"table": one.table, "name": one.name, "function": one.function, "timing": one.timing})
    return fired


def _changes(before: list[Concerned], after: list[Concerned]) -> list[dict[str, Any]]:
    """Rows that are not as they were; a row that came has no before, one that went no after."""
    old, new = _by_name(before), _by_name(after)
    return [
        {
            "table": row.table,
            "key": row.key,
            "before": old[name].summary if name in old else None,
            "after": new[name].summary if name in new else None,
        }
        for name, row in {**old, **new}.items()
        if (old[name].summary if name in old else None) != (new[name].summary if name in new else None)
    ]


def _by_name(rows: list[Concerned]) -> dict[str, Concerned]:
    return {f"{row.table} {orjson.dumps(row.key).decode()}": row for row in rows}


def _writes(before: Counts, after: Counts) -> list[dict[str, Any]]:
    """Rows written meanwhile in developers' tables; ours are told row by row."""
    written: list[dict[str, Any]] = []
    for table, counts in sorted(after.items()):
        inserted, updated, deleted = (
            now - then for now, then in zip(counts, before.get(table, (0, 0, 0)), strict=True)
        )
        if not table.startswith(("payments.", "system.")) and inserted + updated + deleted:
            written.append({"table": table, "inserted": inserted, "updated": updated, "deleted": deleted})
    return written
