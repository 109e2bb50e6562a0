"""Everything ever told of one object -> what the last of as many `project` calls would have left of it. Pure.

A rebuild knows all tellings at once, so an object is settled once instead of once a telling.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from paygres.server.projections.latest import settle
from paygres.server.projections.objects import Kind
from paygres.server.projections.project import Rows, add_own_rows
from paygres.server.projections.snapshots import Snapshot, StripeObject
from paygres.server.projections.subscriptions import ENDED

_EARLIEST = ("paid_at",)


@dataclass(frozen=True, slots=True)
class Told:
    """A snapshot, and the account it was heard for."""

    snapshot: Snapshot
    account_id: str


@dataclass(frozen=True, slots=True)
class Folded:
    """`row` is the object's own of payments.stripe_objects, still without its payment; `keys` are the payments it is
    about, `rows` the others by table, `evidence` (account, row), and `raw` the JSON they are shown with."""

    account_id: str
    row: dict[str, Any]
    keys: tuple[str, ...]
    raw: StripeObject
    rows: Rows
    links: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    evidence: list[tuple[str, dict[str, object]]] = field(default_factory=list[tuple[str, dict[str, object]]])


def fold(kind: Kind, told: Sequence[Told]) -> Folded:
    """Settle one object from a non-empty sequence of its readable tellings, in the order they were heard."""
    snapshots = [one.snapshot for one in told]
    full = [s for s in snapshots if not s.bare]
    settled = settle(full or snapshots, kind.lifecycle)  # that it is gone takes nothing away from what was known of it
    newest = settled.snapshot
    deleted = any(s.deleted for s in snapshots)
    undecided = settled.undecided or (not newest.bare and kind.truncated(newest.raw))
    rows: Rows = {}
    add_own_rows(rows, kind, newest, deleted, {"raw_in_hand": True})
    for row in rows.get("subscriptions", ()):
        if newest.raw.get("status") in ENDED:  # payments.apply_tombstones: it ended in its own way
            row["status"] = newest.raw["status"]
    if undecided:
        why = (
            "the order of events inside one second is open" if settled.undecided else "it has more items than it tells"
        )
        rows["refetches"] = [{"object_type": kind.name, "object_id": newest.object_id, "reason": why}]
    row: dict[str, Any] = {
        "object_type": kind.name,
        "object_id": newest.object_id,
        "as_of": newest.as_of,
        "source": newest.source,
        "event_id": newest.event_id,
        "deleted": deleted,
        "undecided": undecided,
        **_marks(kind, snapshots),
    }
    keys = () if newest.bare else kind.payment_keys(newest.raw)
    return Folded(told[-1].account_id, row, keys, newest.raw, rows, _links(kind, full), _evidence(kind, told))


def _marks(kind: Kind, snapshots: Sequence[Snapshot]) -> dict[str, int]:
    """Earliest paid, latest failed and refunded, over all tellings."""
    found: dict[str, int] = {}
    for snapshot in snapshots:
        for name, second in kind.marks(snapshot).items():
            known = found.get(name, second)
            found[name] = min(known, second) if name in _EARLIEST else max(known, second)
    return found


def _links(kind: Kind, full: Sequence[Snapshot]) -> list[dict[str, object]]:
    told = [link for snapshot in full for link in kind.links(snapshot.raw)]
    return list({tuple(link.values()): link for link in told}.values())


def _evidence(kind: Kind, told: Sequence[Told]) -> list[tuple[str, dict[str, object]]]:
    """The account is that of the first telling: it is the one that recorded the subject's customer."""
    found: dict[tuple[object, ...], tuple[str, dict[str, object]]] = {}
    for one in told:
        if not one.snapshot.bare and (proof := kind.evidence(one.snapshot.raw)):
            found.setdefault(tuple(proof.values()), (one.account_id, proof))
    return list(found.values())
