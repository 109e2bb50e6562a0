"""A settled object and its family -> the rows to apply. The one translation every road goes through."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from paygres.server.projections.latest import alone, settle
from paygres.server.projections.objects import Kind
from paygres.server.projections.payment_family import Family, Member, Row
from paygres.server.projections.snapshots import Snapshot, StripeObject
from paygres.server.projections.transactions import project_payment

Rows = dict[str, list[Any]]


def lock(environment: str, object_type: str, object_id: str) -> int:
    """The advisory lock of one object. Those of payments, customers and subjects are taken after it, in SQL."""
    name = f"{environment}:{object_type}:{object_id}"
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def in_lock_order(payment_keys: Iterable[str]) -> list[str]:
    """Invoices after everything else, so that nobody waits in a circle: an intent leads to its invoice."""
    return sorted(set(payment_keys), key=lambda key: (key.startswith("in_"), key))


def project(
    kind: Kind,
    current: Snapshot,
    rivals: Sequence[Snapshot],
    head: StripeObject | None,
    family: Sequence[StripeObject],
    invoice: str | None = None,
) -> Rows:
    """Rows after `current` has become known.

    `rivals`: the other snapshots that could be newest. `head`: what was settled so far (as_of, source, event_id,
    deleted, undecided, bare, marks). `family`: the settled objects about the same payment, `current`'s own left out.
    `invoice`: what is known of the invoice its payment intent pays (or the session that cost nothing has): an id, ""
    for none, None for not known.
    """
    known = head or {}
    readable = [rival for rival in rivals if kind.reads(rival.raw)] if rivals else ()
    settled = settle([current, *readable], kind.lifecycle) if readable else alone(current)
    newest = settled.snapshot
    bare, newest_bare = current.bare, newest.bare
    deleted = settled.deleted or bool(known.get("deleted"))
    unchanged = (
        bool(known)
        and newest is not current
        and ((newest.source, newest.as_of, newest.event_id) == (known["source"], known["as_of"], known["event_id"]))
    )
    # What is settled stays when the newest here only says that the object is gone, and when renderings that cannot be
    # read hide what it was settled from.
    hidden = len(readable) < len(rivals) and _hides(known, newest, readable)
    stays = hidden or (newest_bare and _tells_more(known, newest))
    keeps_raw = unchanged or stays or (newest_bare and bool(known))
    # The object at hand travels beside the rows (as the payload to store), so it is not repeated in them.
    in_hand = newest is current and not keeps_raw
    raw = {"raw_in_hand": in_hand, "raw": {} if keeps_raw or in_hand else newest.raw}
    marks = kind.marks(current)
    keys = () if newest_bare or hidden else kind.payment_keys(newest.raw)
    links = [] if bare else kind.links(current.raw)
    key = resolved(keys, invoice or _linked(keys, links))
    undecided = settled.undecided or (not newest_bare and kind.truncated(newest.raw))
    if stays:
        undecided = bool(known.get("undecided")) or (hidden and known["as_of"] == newest.as_of)
        as_of, source, event_id = known["as_of"], known["source"], known["event_id"]
    else:
        as_of, source, event_id = newest.as_of, newest.source, newest.event_id
    rows: Rows = {
        "objects": [
            {
                "object_type": kind.name,
                "object_id": current.object_id,
                "as_of": as_of,
                "source": source,
                "event_id": event_id,
                "deleted": deleted,
                "undecided": undecided,
                "payment_key": key,
                **marks,
                **raw,
            }
        ]
    }
    newly_deleted = deleted and not known.get("deleted")
    completed = newest is not current and not bare and kind.completes(newest.raw, current.raw)
    if (newly_deleted or completed or not unchanged) and not hidden:
        raw_for_them = raw if in_hand or newest_bare else {"raw_in_hand": False, "raw": newest.raw}
        add_own_rows(rows, kind, newest, deleted, raw_for_them)
    refetches: list[dict[str, object]] = []
    if links:
        rows["links"] = links
    if key is not None:
        own = Member(kind.name, newest.raw, newest.as_of, **_merged_marks(known, marks))
        others = map(member, sorted(family, key=_by_id))  # PostgreSQL tells them in any order
        payment = project_payment(Family(key, [own, *others], links, stands_alone=invoice == ""))
        rows["transactions"] = payment.rows
        refetches += payment.refetches
    if not bare and (proof := kind.evidence(current.raw)):
        rows["mappings"] = [proof]
    if kind.name == "customer" and newly_deleted:
        rows["deleted_customers"] = [current.object_id]
    if undecided:
        why = "the order of events inside one second is open"
        if not settled.undecided:
            why = "its newest rendering cannot be read" if hidden else "it has more items than it tells"
        refetches.append({"object_type": kind.name, "object_id": current.object_id, "reason": why})
    if refetches:
        rows["refetches"] = refetches
    return rows


def _tells_more(known: StripeObject, bare: Snapshot) -> bool:
    """Was the object settled from more than its being gone, or from a later word of that?"""
    return bool(known) and (
        not known.get("bare") or (known["as_of"], known["event_id"] or "") > (bare.as_of, bare.event_id or "")
    )


def _hides(known: StripeObject, newest: Snapshot, readable: Sequence[Snapshot]) -> bool:
    """Is what was settled newer than the newest of these, and not among them? Renderings this version does not read
    (their events are parked) took its place among the rivals."""
    if not known or known.get("bare"):
        return False
    at = known["as_of"]
    return at > newest.as_of or (
        at == newest.as_of and all(known["event_id"] != one.event_id for one in (newest, *readable))
    )


def resolved(keys: Sequence[str], invoice: str | None) -> str | None:
    """The payment an object belongs to: an intent that pays an invoice, or a session that cost nothing and has one,
    belongs to the invoice."""
    if not keys:
        return None
    return invoice if invoice and keys[0].startswith(("pi_", "cs_")) else keys[0]


def _linked(keys: Sequence[str], links: Sequence[Row]) -> str | None:
    """The invoice that a stale telling of a session names, where the newest names none."""
    return next((str(link["invoice_id"]) for link in links if link["payment_intent_id"] in keys), None)


def add_own_rows(rows: Rows, kind: Kind, newest: Snapshot, deleted: bool, raw: dict[str, Any]) -> None:
    """The rows that show the object itself; `raw` is where its JSON is found (raw_in_hand or raw)."""
    if newest.bare and kind.name != "customer":
        rows["tombstones"] = [{"object_type": kind.name, "object_id": newest.object_id, "as_of": newest.as_of}]
        return
    found = kind.rows(newest.raw, deleted)
    if found is not None:
        table, row = found
        rows[table] = [{**row, **raw}]
    if not newest.bare and (notice := kind.attention(newest.raw)):
        rows["attention"] = [notice]


def _merged_marks(known: StripeObject, marks: dict[str, int]) -> dict[str, int | None]:
    """Earliest paid, latest failed and refunded: the same whatever came first."""

    def both(name: str) -> list[int]:
        return [value for value in (known.get(name), marks.get(name)) if value is not None]

    return {
        "paid_at": min(both("paid_at"), default=None),
        "failed_at": max(both("failed_at"), default=None),
        "refunded_at": max(both("refunded_at"), default=None),
    }


def _by_id(known: StripeObject) -> tuple[str, str]:
    return known["object_type"], known["object_id"]


def member(known: StripeObject) -> Member:
    """A settled object (object_type, raw, as_of, marks) as a member of its payment's family."""
    return Member(
        known["object_type"],
        known["raw"],
        known["as_of"],
        known["paid_at"],
        known["failed_at"],
        known["refunded_at"],
    )
