"""A settled object and its family -> the rows to apply. The one translation every road goes through."""

import hashlib
from collections.abc import Sequence
from typing import Any

from paygres.server.projections import checkout_sessions
from paygres.server.projections.latest import settle
from paygres.server.projections.objects import Kind
from paygres.server.projections.snapshots import Snapshot, StripeObject
from paygres.server.projections.transactions import Member, transaction

Rows = dict[str, list[Any]]


def locks(environment: str, kind: Kind, raw: StripeObject) -> list[int]:
    """Advisory lock keys of an object and of the payment it is about, sorted, so nobody waits in a circle."""
    names = {f"{environment}:{kind.name}:{raw['id']}"}
    key = kind.payment_key(raw)
    if key is not None:
        names.add(f"{environment}:payment:{key}")
    return sorted(_lock(name) for name in names)


def _lock(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def project(
    kind: Kind,
    current: Snapshot,
    rivals: Sequence[Snapshot],
    head: StripeObject | None,
    family: Sequence[StripeObject],
) -> Rows:
    """Rows after `current` has become known.

    `rivals`: the other snapshots that could be newest. `head`: what was settled so far (as_of, source,
    event_id, deleted, marks). `family`: the settled objects about the same payment, `current`'s own left out.
    """
    settled = settle([current, *rivals], kind.lifecycle)
    newest = settled.snapshot
    known = head or {}
    deleted = settled.deleted or bool(known.get("deleted"))
    unchanged = (
        bool(known)
        and newest is not current
        and ((newest.source, newest.as_of, newest.event_id) == (known["source"], known["as_of"], known["event_id"]))
    )
    keeps_raw = unchanged or (newest.bare and bool(known))
    # The object at hand travels beside the rows (as the payload to store), so it is not repeated in them.
    in_hand = newest is current and not keeps_raw
    raw = {"raw_in_hand": in_hand, "raw": {} if keeps_raw or in_hand else newest.raw}
    marks = kind.marks(current)
    key = kind.payment_key(newest.raw)
    rows: Rows = {
        "objects": [
            {
                "object_type": kind.name,
                "object_id": current.object_id,
                "as_of": newest.as_of,
                "source": newest.source,
                "event_id": newest.event_id,
                "deleted": deleted,
                "undecided": settled.undecided,
                "payment_key": key,
                **marks,
                **raw,
            }
        ]
    }
    newly_deleted = deleted and not known.get("deleted")
    if not unchanged or newly_deleted:
        _add_own_row(rows, kind, newest, deleted, raw)
    if key is not None:
        own = Member(kind.name, newest.raw, **_merged_marks(known, marks))
        rows["transactions"] = [transaction(key, [own, *map(_member, family)])]
    if kind.name == "checkout.session" and (mapping := checkout_sessions.mapping(newest.raw)):
        rows["mappings"] = [mapping]
    if kind.name == "customer" and newly_deleted:
        rows["deleted_customers"] = [current.object_id]
    if settled.undecided:
        rows["refetches"] = [
            {
                "object_type": kind.name,
                "object_id": current.object_id,
                "reason": "the order of events inside one second is open",
            }
        ]
    return rows


def _add_own_row(rows: Rows, kind: Kind, newest: Snapshot, deleted: bool, raw: dict[str, Any]) -> None:
    found = kind.rows(newest.raw, deleted)
    if found is not None:
        table, row = found
        rows[table] = [{**row, **raw}]


def _merged_marks(known: StripeObject, marks: dict[str, int]) -> dict[str, int | None]:
    """Earliest paid, latest failed and refunded: the same whatever came first."""

    def both(name: str) -> list[int]:
        return [value for value in (known.get(name), marks.get(name)) if value is not None]

    return {
        "paid_at": min(both("paid_at"), default=None),
        "failed_at": max(both("failed_at"), default=None),
        "refunded_at": max(both("refunded_at"), default=None),
    }


def _member(known: StripeObject) -> Member:
    return Member(known["object_type"], known["raw"], known["paid_at"], known["failed_at"], known["refunded_at"])
