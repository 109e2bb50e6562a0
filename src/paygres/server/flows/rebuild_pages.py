"""Pages of a rebuild: some objects folded from the ledger, or some payments from their settled objects, written in one
transaction. Locks are held for a page only, so events that come meanwhile wait for milliseconds and find the new state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from paygres.server.db.database import Tx
from paygres.server.flows.apply_event import Road, left_out
from paygres.server.projections.events import read_event
from paygres.server.projections.fold import Folded, Told, fold
from paygres.server.projections.objects import KINDS, Kind
from paygres.server.projections.payment_family import Family
from paygres.server.projections.project import Rows, in_lock_order, lock, member, resolved
from paygres.server.projections.snapshots import Snapshot, Unreadable
from paygres.server.projections.stamps import is_foreign
from paygres.server.projections.transactions import project_payment
from paygres.server.tables import reads, rebuild
from paygres.server.tables.rebuild import Stored

# What others are made of comes first: plans, deleted customers, which intent pays which invoice, who pays as whom.
ORDER = (
    "product",
    "price",
    "customer",
    "invoice_payment",
    "invoice",
    "checkout.session",
    "payment_intent",
    "charge",
    "refund",
    "dispute",
    "subscription",
)


@dataclass(frozen=True, slots=True)
class World:
    """Whose ledger is read."""

    environment: str
    installation_id: str


@dataclass(slots=True)
class FoldedPage:
    """`silent`: objects of which no telling is ours or readable. `broken`: those that could not be folded, and why."""

    kind: Kind
    folded: list[Folded] = field(default_factory=list[Folded])
    silent: list[str] = field(default_factory=list[str])
    broken: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Known:
    """What a rehearsal knows beside the tables: links of intents, and evidence by account."""

    links: Sequence[Mapping[str, object]] = ()
    evidence: Mapping[str, Sequence[Mapping[str, object]]] = field(
        default_factory=dict[str, Sequence[Mapping[str, object]]]
    )


async def fold_objects(tx: Tx, world: World, kind: Kind, ids: Sequence[str]) -> FoldedPage:
    """Lock these objects, then settle each from everything that the ledger has of it."""
    await reads.take_locks(tx, sorted({lock(world.environment, kind.name, ident) for ident in ids}))
    told: dict[str, list[Told]] = {ident: [] for ident in ids}
    for stored in await rebuild.select_snapshots(tx, world.environment, kind.name, ids):
        snapshot = _snapshot(world, kind, stored)
        if snapshot is not None:
            told[stored.object_id].append(Told(snapshot, stored.account_id))
    page = FoldedPage(kind)
    for ident, tellings in told.items():
        if not tellings:
            page.silent.append(ident)
            continue
        try:
            page.folded.append(fold(kind, tellings))
        except Exception as error:  # a shape we did not foresee must not stop the others
            page.broken[ident] = f"projection: {type(error).__name__}"
    return page


def _snapshot(world: World, kind: Kind, stored: Stored) -> Snapshot | None:
    """What the roads of events and reads would have made of it; None for what they leave out or cannot read."""
    told = orjson.loads(stored.payload)
    if stored.source != "event":
        if is_foreign(told, world.installation_id):
            return None
        snapshot = Snapshot(kind.name, stored.object_id, stored.as_of, "api", told)
        return snapshot if snapshot.bare or kind.reads(told) else None
    try:
        event = read_event(told)
    except Unreadable:
        return None
    if event.kind is not kind or not kind.reads(event.raw):
        return None
    road = Road(world.environment, stored.account_id, 0, world.installation_id)
    return event.snapshot() if left_out(road, event) is None else None


async def write_objects(tx: Tx, world: World, page: FoldedPage, known: Known | None = None) -> None:
    """Make the rows of folded objects say what was settled; each learns its `payment_key`."""
    environment = world.environment
    keys = in_lock_order(key for one in page.folded for key in one.keys)
    invoices = await rebuild.lock_payments(tx, environment, keys) if keys else {}
    links = [link for one in page.folded for link in one.links]
    for told in (known.links if known is not None else (), links):
        if told:
            await rebuild.rebuild_links(tx, environment, told)
            invoices = await rebuild.lock_payments(tx, environment, keys)
    evidence: dict[str, list[Mapping[str, object]]] = {}
    for account_id, rows in known.evidence.items() if known is not None else ():
        evidence.setdefault(account_id, []).extend(rows)
    for one in page.folded:
        for account_id, row in one.evidence:
            evidence.setdefault(account_id, []).append(row)
    for account_id, rows in evidence.items():
        await rebuild.rebuild_evidence(tx, environment, account_id, rows)
    for account_id in sorted({one.account_id for one in page.folded}):
        mine: Rows = {"objects": []}
        raws: dict[str, Any] = {}
        for one in page.folded:
            if one.account_id == account_id:
                one.row["payment_key"] = resolved(one.keys, invoices.get(one.keys[0])) if one.keys else None
                mine["objects"].append(one.row)
                raws[one.row["object_id"]] = one.raw
                for table, own in one.rows.items():
                    mine.setdefault(table, []).extend(own)
        await rebuild.rebuild_objects(tx, environment, account_id, mine, raws)


async def project_payments(tx: Tx, world: World, keys: Sequence[str]) -> dict[str, Rows]:
    """Lock these payments and compute their rows from the settled objects, by account."""
    await rebuild.lock_payments(tx, world.environment, in_lock_order(keys))
    computed: dict[str, Rows] = {}
    for found in await rebuild.select_families(tx, world.environment, keys):
        family = Family(found.payment_key, [member(one) for one in found.members], stands_alone=found.alone)
        payment = project_payment(family)
        rows = computed.setdefault(found.account_id, {"transactions": [], "refetches": []})
        rows["transactions"] += payment.rows
        rows["refetches"] += payment.refetches
    return computed


async def write_payments(tx: Tx, world: World, computed: Mapping[str, Rows]) -> None:
    """Write what `project_payments` computed."""
    for account_id, rows in computed.items():
        await rebuild.rebuild_payments(tx, world.environment, account_id, rows)


def kind_named(name: str) -> Kind:
    """The kind of an object type in ORDER."""
    return KINDS[name]
