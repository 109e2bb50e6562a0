"""Run a selection of events again, the oldest first; or tell for each what that would change and what would fire."""

from collections import Counter
from datetime import timedelta
from typing import Any

from paygres.server.flows.list_events import type_or_family
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.replay_event import rehearse_event
from paygres.server.flows.requests.events import ReplaySelection
from paygres.server.tables import audit, event_log, replays
from paygres.server.tables.event_log import Wanted

MOST_REHEARSED = 200  # each is a whole run of the event, developers' code included
LEASE = timedelta(seconds=60)


async def replay_events(parts: Parts, environment: str, asked: ReplaySelection, operator: Operator) -> dict[str, Any]:
    """`{dryRun, selected, eventIds, rehearsed, summary, next}`; `next` goes on behind them, null when that was all.

    A real run queues the events for the worker, which takes them one by one by the same road, as safe as any other
    delivery: what was granted for a payment is granted once. The audit log says who asked and for what.
    """
    limit = min(asked.limit, MOST_REHEARSED) if asked.dry_run else asked.limit
    wanted = Wanted(
        status=asked.status,
        **type_or_family(asked.type),
        objects=await _objects(parts, environment, asked),
        since=asked.since,
        until=asked.until,
    )
    after = int(asked.after) if asked.after else 0
    found = await replays.select_events(parts.db, environment, wanted, asked.event_ids, after, limit + 1)
    chosen, more = found[:limit], len(found) > limit
    ids = [one.event_id for one in chosen]
    rehearsed = None
    if asked.dry_run:
        rehearsed = [await rehearse_event(parts, environment, one) for one in ids]
    elif ids:
        async with parts.db.as_service() as tx:
            await replays.queue_events(tx, environment, ids)
            await audit.record(
                tx,
                actor=operator.actor,
                action="event.replay",
                environment=environment,
                reason=asked.reason,
                details={"selection": _selection(asked), "queued": len(ids), "first": ids[0], "last": ids[-1]},
                request_id=operator.request_id,
            )
        parts.wake.set()
    return {
        "dryRun": asked.dry_run,
        "selected": len(ids),
        "eventIds": ids,
        "rehearsed": rehearsed,
        "summary": None if rehearsed is None else _summary(rehearsed),
        "next": str(chosen[-1].seq) if more else None,
    }


async def _objects(parts: Parts, environment: str, asked: ReplaySelection) -> list[str] | None:
    if asked.object_id is not None:
        return [asked.object_id]
    if asked.subject_type is not None and asked.subject_id is not None:
        return await event_log.objects_of_subject(parts.db, environment, asked.subject_type, asked.subject_id)
    return None


def _selection(asked: ReplaySelection) -> dict[str, Any]:
    return asked.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"reason", "dry_run"})


def _summary(rehearsed: list[dict[str, Any]]) -> dict[str, Any]:
    """Of all of them together: how they would end, rows that would differ by table, and how often what would fire."""
    fires = Counter((one["table"], one["name"]) for told in rehearsed for one in told["triggers"])
    writes = Counter[str]()
    for told in rehearsed:
        for one in told["writes"]:
            writes[one["table"]] += one["inserted"] + one["updated"] + one["deleted"]
    return {
        "outcomes": dict(Counter(told["outcome"] for told in rehearsed)),
        "changes": dict(Counter(one["table"] for told in rehearsed for one in told["changes"])),
        "writes": dict(writes),
        "triggers": [{"table": table, "name": name, "times": times} for (table, name), times in sorted(fires.items())],
    }
