"""One event for an operator: itself, its attempts, the rows it concerns, and what it changed in its object."""

import re
from typing import Any, cast

import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.errors import NotFound
from paygres.server.flows.list_events import entry
from paygres.server.projections.differences import ABSENT, differences
from paygres.server.projections.snapshots import as_id
from paygres.server.tables import event_effects, event_log
from paygres.server.tables.event_effects import Concerned

MOST_CHANGES = 500
# Fields by which Stripe's objects name one another, and the objects around them that do.
_NAMES = ("id", "customer", "payment_intent", "subscription", "invoice", "charge", "latest_invoice", "product", "price")
_AROUND = ("parent", "subscription_details", "payment", "invoice_settings")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


async def read_event(db: Database, environment: str, event_id: str, *, payload: bool = False) -> dict[str, Any]:
    """`{event}`, with the `payload` when asked; raises NotFound."""
    rows = await event_log.show(db, environment, [event_id])
    if not rows:
        raise unknown(event_id)
    answer: dict[str, Any] = {"event": entry(environment, rows[0])}
    if payload:
        answer["payload"] = await read_payload(db, environment, event_id)
    return answer


async def read_attempts(db: Database, environment: str, event_id: str) -> dict[str, Any]:
    """`{attempts}`, oldest first. An event that went right at once has no record: its row tells of the one attempt."""
    rows = await event_log.show(db, environment, [event_id])
    if not rows:
        raise unknown(event_id)
    recorded = [
        {
            "attempt": one["attempt"],
            "at": one["at"],
            "outcome": one["outcome"],
            "error": one["error"],
            "durationMs": one["duration_ms"],
        }
        for one in await event_log.attempts(db, environment, event_id)
    ]
    if not recorded and rows[0]["state"] is None:
        only = rows[0]
        recorded = [
            {
                "attempt": 1,
                "at": only["processed_at"] or only["received_at"],
                "outcome": only["status"],
                "error": only["last_error"],
                "durationMs": None,
            }
        ]
    return {"attempts": recorded}


async def read_effects(db: Database, environment: str, event_id: str) -> dict[str, Any]:
    """`{effects}`: the rows this event concerns, as they are now."""
    raw = _object(await read_payload(db, environment, event_id))
    return {"effects": [one._asdict() for one in await concerned(db, environment, raw)]}


async def read_diff(db: Database, environment: str, event_id: str) -> dict[str, Any]:
    """What this event tells otherwise than the telling of the same object before it."""
    payload = await read_payload(db, environment, event_id)
    after = _object(payload)
    earlier = await event_log.previous(db, environment, event_id)
    changes: list[dict[str, Any]] = []
    truncated = False
    if earlier is not None:
        told = orjson.loads(earlier["payload"])
        before = _object(told) if earlier["source"] == "event" else told
        for number, found in enumerate(differences(before, after)):
            if number == MOST_CHANGES:
                truncated = True
                break
            changes.append(change(found.path, found.before, found.after))
    compared = None
    if earlier is not None:
        compared = {
            "source": earlier["source"],
            "eventId": earlier["event_id"],
            "eventType": earlier["event_type"],
            "at": earlier["at"],
        }
    previous = payload["data"].get("previous_attributes")
    return {
        "eventId": event_id,
        "comparedWith": compared,
        "changes": changes,
        "truncated": truncated,
        "previousAttributes": previous if isinstance(previous, dict) else None,
    }


async def read_payload(db: Database, environment: str, event_id: str) -> dict[str, Any]:
    """The event as Stripe sent it; raises NotFound."""
    found = await event_log.payload(db, environment, event_id)
    if found is None:
        raise unknown(event_id)
    return orjson.loads(found[0])


async def concerned(db: Database | Tx, environment: str, raw: dict[str, Any]) -> list[Concerned]:
    """The rows about an object and about what it names."""
    metadata = raw.get("metadata")
    stamped = cast(dict[str, Any], metadata).get("insforge_checkout_session_id") if isinstance(metadata, dict) else None
    named = [one for one in (stamped, raw.get("client_reference_id")) if isinstance(one, str) and _UUID.fullmatch(one)]
    return await event_effects.concerned(db, environment, sorted(_ids(raw)), named)


def unknown(event_id: str) -> NotFound:
    """There is no such event in this environment."""
    return NotFound(f"Event not found: {event_id}")


def _object(payload: dict[str, Any]) -> dict[str, Any]:
    return payload["data"]["object"]


def _ids(raw: dict[str, Any], depth: int = 0) -> set[str]:
    found = {named for name in _NAMES if (named := as_id(raw.get(name))) is not None}
    for name in _AROUND:
        inside = raw.get(name)
        if depth < 3 and isinstance(inside, dict):
            found |= _ids(cast(dict[str, Any], inside), depth + 1)
    return found


def change(path: str, before: Any, after: Any) -> dict[str, Any]:
    """As it is shown: without the side on which nothing stands there."""
    change: dict[str, Any] = {"path": path}
    if before is not ABSENT:
        change["before"] = before
    if after is not ABSENT:
        change["after"] = after
    return change
