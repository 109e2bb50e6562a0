"""Events as the ledger has them, newest first: also those that a developer's trigger keeps out of webhook_events."""

from typing import Any

from paygres.server.db.database import Database
from paygres.server.flows.requests.events import EventsQuery
from paygres.server.tables import event_log
from paygres.server.tables.event_log import Wanted
from paygres.server.tables.keyset import Page, Place

_LOOK = 500
_MOST_LOOKS = 10


async def list_events(
    db: Database, environment: str, query: EventsQuery, after: Place | None, limit: int
) -> Page[dict[str, Any]]:
    """A page of events as `entry` shows them. It may be short, or empty, and still have a next one: whether an event
    was processed or ignored is looked at after it was found, for five thousand events a page at most."""
    wanted = Wanted(
        status=query.status,
        **type_or_family(query.type),
        object_type=query.object_type,
        objects=await _objects(db, environment, query),
        since=query.since,
        until=query.until,
    )
    if query.status not in ("processed", "ignored") or wanted.objects is not None:
        found = await event_log.page(db, environment, wanted, after, limit)
        rows = await event_log.show(db, environment, [one.event_id for one in found.rows])
        return Page([entry(environment, row) for row in rows], found.next)
    shown: list[dict[str, Any]] = []
    place = after
    for _ in range(_MOST_LOOKS):
        found = await event_log.page(db, environment, wanted, place, _LOOK)
        rows = {row["event_id"]: row for row in await event_log.show(db, environment, [r.event_id for r in found.rows])}
        for one in found.rows:
            row = rows.get(one.event_id)
            if row is not None and row["state"] is None and row["status"] == query.status:
                shown.append(entry(environment, row))
                if len(shown) == limit:
                    return Page(shown, one.place if one is not found.rows[-1] else found.next)
        place = found.next
        if place is None:
            break
    return Page(shown, place)


def type_or_family(wanted: str | None) -> dict[str, str | None]:
    """`invoice.*` is a family, the types that begin with `invoice.`."""
    if wanted is not None and wanted.endswith("*"):
        return {"event_type": None, "family": wanted[:-1]}
    return {"event_type": wanted, "family": None}


async def _objects(db: Database, environment: str, query: EventsQuery) -> list[str] | None:
    if query.object_id is not None:
        return [query.object_id]
    if query.subject_type is not None and query.subject_id is not None:
        return await event_log.objects_of_subject(db, environment, query.subject_type, query.subject_id)
    return None


def entry(environment: str, row: dict[str, Any]) -> dict[str, Any]:
    """The contract's event, and beside it what the queue says: null when nothing is left to do."""
    queue = None
    if row["state"] is not None:
        queue = {
            "state": row["state"],
            "attempts": row["queue_attempts"],
            "nextAttemptAt": row["next_attempt_at"],
            "reason": row["reason"],
            "deadline": row["deadline"],
            "replayed": row["replayed"],
        }
    return {
        "environment": environment,
        "eventId": row["event_id"],
        "eventType": row["event_type"],
        "livemode": row["livemode"],
        "accountId": row["account_id"] or None,
        "objectType": row["object_type"],
        "objectId": row["object_id"],
        "processingStatus": row["status"],
        "attemptCount": row["attempts"],
        "lastError": row["last_error"],
        "receivedAt": row["received_at"],
        "processedAt": row["processed_at"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "marked": row["marked"],
        "queue": queue,
    }
