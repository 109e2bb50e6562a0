"""Payments' rows beside what all objects about each of them make of it, those that Stripe told otherwise included."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from paygres.server.db.database import Tx
from paygres.server.flows.connections import Connection
from paygres.server.flows.reconcile_lists import TRIES, Lists
from paygres.server.flows.reconcile_objects import SETTINGS
from paygres.server.flows.reconcile_tellings import different_columns
from paygres.server.projections.objects import KINDS
from paygres.server.projections.payment_family import Family, Member
from paygres.server.projections.project import in_lock_order
from paygres.server.projections.snapshots import Snapshot
from paygres.server.projections.transactions import project_payment
from paygres.server.tables import reconcile, reconciliations
from paygres.server.tables.reconcile import DifferentRow, PaymentFamily
from paygres.server.tables.reconciliations import Class, Finding
from paygres.server.tables.sqlstates import Contended

_BATCH = 50
_MARKS = ("paid_at", "failed_at", "refunded_at")
_OBJECTS = {"checkout_session": "checkout.session"}
Row = dict[str, Any]


@dataclass(slots=True)
class _Projected:
    """Rows of several payments. `whose`: the payment by the object a row is known by; `forgetful`: payments of which
    an object is not known here, and with it the moments it told of; `broken`: those that cannot be computed."""

    objects: list[Row] = field(default_factory=list[Row])
    transactions: list[Row] = field(default_factory=list[Row])
    refetches: list[Row] = field(default_factory=list[Row])
    whose: dict[str, str] = field(default_factory=dict[str, str])
    forgetful: set[str] = field(default_factory=set[str])
    broken: dict[str, str] = field(default_factory=dict[str, str])


async def compare_payments(lists: Lists) -> None:
    """Record every row of payments.transactions that its payment's objects tell otherwise."""
    after = ""
    while keys := await reconcile.select_payments(lists.parts.db, lists.run.id, after, _BATCH):
        after = keys[-1]
        connection = await lists.connection()
        findings = await _tried(lists, connection, keys, repair=False)
        await reconciliations.insert_findings(lists.parts.db, lists.run, findings)
        lists.tell("payments", len(keys))


async def write_payments(lists: Lists, keys: Sequence[str]) -> None:
    """Compute these payments anew and keep the rows."""
    await _tried(lists, await lists.connection(), keys, repair=True)


async def _tried(lists: Lists, connection: Connection, keys: Sequence[str], *, repair: bool) -> list[Finding]:
    for tries_left in range(TRIES - 1, -1, -1):
        try:
            async with lists.parts.db.as_service(settings=SETTINGS) as tx:
                return await _payments(tx, lists, connection, in_lock_order(keys), repair=repair)
        except Contended:
            if not tries_left:
                raise
    raise AssertionError("the last try returns or raises")


async def _payments(
    tx: Tx, lists: Lists, connection: Connection, keys: Sequence[str], *, repair: bool
) -> list[Finding]:
    environment, account = connection.environment, connection.account_id
    families = await reconcile.payment_families(tx, lists.run.id, environment, keys)
    projected = _project(families)
    lists.broken |= {("payment", key): why for key, why in projected.broken.items()}
    rows = {"objects": projected.objects, "transactions": projected.transactions}
    if repair:
        await reconcile.apply_rows(tx, environment, account, {**rows, "refetches": projected.refetches})
        return []
    different = await reconcile.compare_rows(tx, environment, account, "", [], rows, {})
    return [found for row in different if (found := _finding(projected, row)) is not None]


def _project(families: Sequence[PaymentFamily]) -> _Projected:
    found = _Projected()
    for family in families:
        if not family.members:
            continue
        try:
            members = [_member(one) for one in family.members]
            payment = project_payment(Family(family.key, members, stands_alone=family.stands_alone))
        except Exception as error:  # a shape nobody foresaw, in one payment
            found.broken[family.key] = f"projection: {type(error).__name__}"
            continue
        for one, member in zip(family.members, members, strict=True):
            if _is_told(one):
                found.objects.append(_object(one, member, family.key))
            if one["as_of"] is None:
                found.forgetful.add(family.key)
        found.transactions += payment.rows
        found.refetches += payment.refetches
        for row in payment.rows:
            names: list[Any] = [row, *(row.get("replaces") or [])]  # type: ignore[misc]
            found.whose.update({name["object_id"]: family.key for name in names})
    return found


def _is_told(one: Row) -> bool:
    """Stripe told it otherwise, and nothing newer is known."""
    return one["told"] is not None and (one["as_of"] is None or one["as_of"] < one["told_at"])


def _member(one: Row) -> Member:
    if not _is_told(one):
        raw, as_of = one["raw"], one["as_of"]
    else:
        raw, as_of = one["told"], one["told_at"]
    marks = {name: one[name] for name in _MARKS}
    if one["as_of"] is None:
        snapshot = Snapshot(one["object_type"], one["object_id"], as_of, "api", raw)
        marks |= KINDS[one["object_type"]].marks(snapshot)
    return Member(one["object_type"], raw, as_of, **marks)


def _object(one: Row, member: Member, payment_key: str) -> Row:
    """The settled object's row, as applying what Stripe told would leave it."""
    return {
        "object_type": one["object_type"],
        "object_id": one["object_id"],
        "as_of": member.as_of,
        "source": "api",
        "event_id": None,
        "deleted": False,
        "undecided": False,
        "payment_key": payment_key,
        **{name: getattr(member, name) for name in _MARKS},
        "raw": member.raw,
    }


def _finding(projected: _Projected, row: DifferentRow) -> Finding | None:
    either: Row = row.stripes or row.ours or {}
    key = projected.whose.get(row.key)
    cls: Class
    columns: Row = {}
    if row.ours is None:
        cls = "missing"
    elif row.stripes is None:
        cls = "extra"
    else:
        cls = "stale"
        columns = different_columns(row.ours, row.stripes)
        if key in projected.forgetful:  # the moments were told by what is missing here, not by a list
            columns = {name: told for name, told in columns.items() if name not in _MARKS}
        if not columns:
            return None
    named = str(either["provider_object_type"])
    return Finding(
        cls,
        "transactions",
        row.key,
        _OBJECTS.get(named, named),
        row.key,
        columns,
        key or row.key,
        either["amount"],
        either["currency"],
    )
