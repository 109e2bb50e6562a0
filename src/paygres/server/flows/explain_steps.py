"""Records of every kind as steps of one timeline. A step's place is when it happened here; what was caused inside an
event's transaction follows that event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from paygres.server.flows.read_event import change
from paygres.server.projections.differences import differences
from paygres.server.tables.timeline import Records

MOST_CHANGES = 100
# At one moment: what was asked for, what was heard (in the ledger's order), what came of it, what people did.
_ASKED, _HEARD, _TOLD, _ACTED = 0, 1, 2, 3
_AFTER_ALL = 2**62


@dataclass(frozen=True, slots=True)
class Step:
    """`place` orders steps. `event_id` and `seq` are those of a delivery or read, for the rows that stand on it."""

    kind: str
    at: str
    content: Mapping[str, Any]
    place: tuple[datetime, int, int, int]
    seq: int | None = None
    fulfillment_id: str | None = None
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def answer(self, number: int) -> dict[str, Any]:
        """As it is shown."""
        return {"step": number, "kind": self.kind, "at": self.at, **self.content}


def steps_of(records: Records) -> list[Step]:
    """All steps, in causal order."""
    found = [*_checkouts(records), *_tellings(records), *_fulfillments(records), *_messages(records), *_acts(records)]
    return sorted(found, key=lambda step: step.place)


def _checkouts(records: Records) -> list[Step]:
    return [
        Step(
            "checkout",
            one["created"],
            {
                "id": str(one["id"]),
                "mode": one["mode"],
                "requestedBy": one["created_by"] or one["caller_scope"] or None,
                "subjectType": one["subject_type"],
                "subjectId": one["subject_id"],
                "lineItems": orjson.loads(one["line_items"]),
                "generation": one["generation"],
                "attempts": one["attempt"],
                "checkoutSessionId": one["checkout_session_id"],
                "status": one["status"],
                "error": one["last_error"],
            },
            (one["created_at"], _ASKED, 0, 0),
        )
        for one in records.checkouts
    ]


def _tellings(records: Records) -> list[Step]:
    attempts: dict[str, list[dict[str, Any]]] = {}
    for one in records.attempts:
        attempts.setdefault(one["event_id"], []).append(
            {
                "attempt": one["attempt"],
                "at": one["at"],
                "outcome": one["outcome"],
                "error": one["error"],
                "durationMs": one["duration_ms"],
            }
        )
    return [_telling(one, before, attempts) for one, before in _with_the_one_before(records.tellings)]


def _with_the_one_before(tellings: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Each telling and the one of the same object just before it, by the seconds they are true for (as read_diff)."""
    before: dict[int, dict[str, Any] | None] = {}
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for one in sorted(tellings, key=lambda one: (one["as_of"], one["seq"])):
        name = (one["object_type"], one["object_id"])
        before[one["seq"]] = last.get(name)
        last[name] = one
    return [(one, before[one["seq"]]) for one in tellings]


def _telling(one: dict[str, Any], before: dict[str, Any] | None, attempts: Mapping[str, list[dict[str, Any]]]) -> Step:
    changes: list[dict[str, Any]] = []
    truncated = False
    if before is not None:
        for found in differences(_object(before), _object(one)):
            truncated = len(changes) == MOST_CHANGES
            if truncated:
                break
            changes.append(change(found.path, found.before, found.after))
    told: dict[str, Any] = {
        "objectType": one["object_type"],
        "objectId": one["object_id"],
        "happenedAt": one["happened_at"],
        "comparedWith": None if before is None else before["event_id"] or before["received"],
        "changes": changes,
        "changesTruncated": truncated,
    }
    place = (one["received_at"], _HEARD, one["seq"], 0)
    if one["source"] != "event":
        return Step("read", one["received"], told, place, one["seq"])
    recorded = attempts.get(one["event_id"]) or [
        {
            "attempt": 1,
            "at": one["processed_at"] or one["received"],
            "outcome": one["status"],
            "error": one["error"],
            "durationMs": None,
        }
    ]
    delivery = {
        "eventId": one["event_id"],
        "eventType": one["event_type"],
        "status": one["status"],
        "error": one["error"],
        "attempts": recorded,
    }
    return Step("delivery", one["received"], {**delivery, **told}, place, one["seq"])


def _object(telling: Mapping[str, Any]) -> dict[str, Any]:
    told = orjson.loads(telling["payload"])
    return told["data"]["object"] if telling["source"] == "event" else told


def _fulfillments(records: Records) -> list[Step]:
    """One step when it was decided, and one when its money has changed since."""
    heard = {one["event_id"]: one["seq"] for one in records.tellings if one["event_id"] is not None}
    found: list[Step] = []
    for one in records.fulfillments:
        content = orjson.loads(one["content"])
        seq = heard.get(content["eventId"], _AFTER_ALL)
        ident = str(one["id"])
        happened = "granted" if one["granted_at"] is not None else content["status"]
        told = {"fulfillmentId": ident, **{k: v for k, v in content.items() if k not in ("id", "environment")}}
        decided = one["granted_at"] or one["created_at"]
        found.append(
            Step(
                "fulfillment",
                content["grantedAt"] or content["createdAt"],
                {"outcome": happened, **told},
                (decided, _HEARD, seq, 1),
                fulfillment_id=ident,
            )
        )
        if one["granted_at"] is not None and (one["share_kept"] < 1 or content["status"] != "granted"):
            found.append(
                Step(
                    "reversal",
                    content["updatedAt"],
                    {
                        "fulfillmentId": ident,
                        "status": content["status"],
                        "reason": content["reason"],
                        "amountPaid": content["amountPaid"],
                        "amountKept": content["amountKept"],
                        "shareKept": content["shareKept"],
                    },
                    (one["updated_at"], _HEARD, _AFTER_ALL, 2),
                    fulfillment_id=ident,
                )
            )
    return found


def _messages(records: Records) -> list[Step]:
    return [
        Step(
            "message",
            one["created"],
            {
                "messageId": str(one["id"]),
                "type": one["type"],
                "fulfillmentId": str(one["fulfillment_id"]),
                "destination": one["name"],
                "destinationKind": one["kind"],
                "attempts": one["attempts"],
                "deliveredAt": one["delivered"],
                "nextAttemptAt": one["next_attempt"],
                "error": one["last_error"],
            },
            (one["created_at"], _TOLD, _AFTER_ALL, number),
        )
        for number, one in enumerate(records.messages)
    ]


def _acts(records: Records) -> list[Step]:
    return [
        Step(
            "operator",
            one["done"],
            {
                "actor": one["actor"],
                "action": one["action"],
                "target": one["target"],
                "reason": one["reason"],
                "details": orjson.loads(one["details"]),
            },
            (one["at"], _ACTED, one["seq"], 0),
        )
        for one in records.acts
    ]
