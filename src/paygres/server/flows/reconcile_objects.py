"""Objects as Stripe tells them beside the rows they are translated to here: which of these say something else.

Payments are left out: their rows come from all objects about them, and are compared when those are known.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from paygres.server.db.database import Tx
from paygres.server.flows.connections import Connection
from paygres.server.flows.reconcile_tellings import different_columns, different_fields, money_of
from paygres.server.projections.objects import Kind
from paygres.server.projections.project import Rows, lock
from paygres.server.projections.snapshots import StripeObject
from paygres.server.tables import reads, reconcile
from paygres.server.tables.reconcile import DifferentRow, KnownObject
from paygres.server.tables.reconciliations import Class, Finding

SETTINGS = "SET LOCAL lock_timeout = '3s'"
_OF_NOBODYS_MONEY = ("subject_customers", "customer_mappings")


@dataclass(frozen=True, slots=True)
class Told:
    """An object as a list told it, and its JSON."""

    raw: StripeObject
    payload: str

    @property
    def id(self) -> str:
        return self.raw["id"]


@dataclass(frozen=True, slots=True)
class Looked:
    """An object that was compared, the payment it is about, and what differs."""

    told: Told
    payment_key: str | None
    findings: list[Finding] = field(default_factory=list[Finding])


def told(raw: StripeObject) -> Told:
    return Told(raw, orjson.dumps(raw).decode())


async def look_at(
    tx: Tx, run: uuid.UUID, connection: Connection, kind: Kind, page: Sequence[Told], as_of: int
) -> list[Looked]:
    """Compare objects of one kind, as they were at `as_of` (Unix seconds), with our rows, under their locks.

    An object of which something newer is known is as it should be. Raises Contended.
    """
    environment, account = connection.environment, connection.account_id
    await reads.take_locks(tx, sorted(lock(environment, kind.name, one.id) for one in page))
    keys = [next(iter(kind.payment_keys(one.raw)), None) for one in page]
    payloads = {one.id: one.payload for one in page}
    known = await reconcile.known_objects(tx, run, environment, account, kind.name, as_of, payloads=payloads, keys=keys)
    looked = {one.id: Looked(one, about.payment_key) for one, about in zip(page, known, strict=True)}
    current = [(one, about) for one, about in zip(page, known, strict=True) if not about.recent]
    for one, about in current:
        if (found := _of_object(kind, one, about, account)) is not None:
            looked[one.id].findings.append(found)
    rows = _own_rows(kind, [one for one, _ in current])
    if len(rows) > 1:  # beside "objects", which are compared above
        raws = {one.id: one.payload for one, _ in current}
        for row in await reconcile.compare_rows(tx, environment, account, kind.name, list(raws), rows, raws):
            if row.object_id in looked and (found := _of_row(kind, looked[row.object_id], row)) is not None:
                looked[row.object_id].findings.append(found)
    return list(looked.values())


def _own_rows(kind: Kind, page: Sequence[Told]) -> Rows:
    """What the projections make of each object by itself, its payment left out."""
    rows: Rows = {"objects": []}
    for one in page:
        if (own := kind.rows(one.raw, False)) is not None:
            table, row = own
            rows.setdefault(table, []).append({**row, "raw_in_hand": True})
        if links := kind.links(one.raw):
            rows.setdefault("links", []).extend(links)
        if (evidence := kind.evidence(one.raw)) is not None:
            rows.setdefault("mappings", []).append(evidence)
    return rows


def _of_object(kind: Kind, one: Told, about: KnownObject, account_id: str) -> Finding | None:
    if not about.known:
        return _finding("missing", kind, one, about.payment_key, "stripe_objects", one.id)
    columns: dict[str, Any] = {}
    if about.raw is not None:
        # a list tells only the first of many items
        without = frozenset({"items"}) if kind.truncated(one.raw) else frozenset[str]()
        columns |= different_fields(about.raw, one.raw, without=without)
    if about.deleted:
        columns["deleted"] = {"ours": True, "stripe": False}
    if about.account_id != account_id:
        columns["account_id"] = {"ours": about.account_id, "stripe": account_id}
    if about.misplaced:
        columns["payment_key"] = {"ours": None, "stripe": about.payment_key}
    return _finding("stale", kind, one, about.payment_key, "stripe_objects", one.id, columns) if columns else None


def _of_row(kind: Kind, looked: Looked, row: DifferentRow) -> Finding | None:
    one, key = looked.told, looked.payment_key
    if row.ours is None:
        return _finding("missing", kind, one, key, row.table_name, row.key)
    if row.stripes is None:
        return _finding("extra", kind, one, key, row.table_name, row.key)
    columns = different_columns(row.ours, row.stripes)
    return _finding("stale", kind, one, key, row.table_name, row.key, columns) if columns else None


def _finding(
    cls: Class,
    kind: Kind,
    one: Told,
    payment_key: str | None,
    table_name: str,
    key: str,
    columns: dict[str, Any] | None = None,
) -> Finding:
    whose = one.id if kind.name == "subscription" else payment_key
    money = money_of(one.raw) if whose and table_name not in _OF_NOBODYS_MONEY else None
    amount, currency = money or (None, None)
    return Finding(cls, table_name, key, kind.name, one.id, columns, whose if money else payment_key, amount, currency)
