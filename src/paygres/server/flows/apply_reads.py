"""Objects read at Stripe's API enter by the same projections as events: one short transaction a page.

Of a page, what is about no payment is read and applied in two statements; the rest one by one, since each member
changes what the next one's payment is. An object that Stripe tells exactly as before is only noted.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.flows.connections import Connection
from paygres.server.projections.events import snapshot_of
from paygres.server.projections.objects import KINDS, Kind
from paygres.server.projections.project import Rows, in_lock_order, lock, project
from paygres.server.projections.snapshots import Snapshot
from paygres.server.tables import reads
from paygres.server.tables.sqlstates import Contended

TRIES = 3

Also = Callable[[Tx], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Read:
    """One object of a page, and its JSON as it is kept."""

    kind: Kind
    snapshot: Snapshot
    payload: str

    @property
    def plain(self) -> bool:
        """About no payment: nothing else has to be known to translate it."""
        return self.kind.about_no_payment


async def apply_reads(
    db: Database,
    connection: Connection,
    objects: Sequence[dict[str, Any]],
    as_of: int,
    *,
    also: Also | None = None,
) -> None:
    """Weigh and apply objects as Stripe answered them at `as_of` (Unix seconds; they lose ties against events).

    Objects of kinds we do not project are left out. `also` is done in the same transaction. Raises Unreadable, and
    Contended (503) when another transaction stays in the way for several tries.
    """
    page = [_read(KINDS[raw["object"]], raw, as_of) for raw in objects if raw.get("object") in KINDS]
    every_lock = sorted({lock(connection.environment, one.kind.name, one.snapshot.object_id) for one in page})
    for tries_left in range(TRIES - 1, -1, -1):
        try:
            async with db.as_service(settings="SET LOCAL lock_timeout = '3s'") as tx:
                if page:
                    await reads.take_locks(tx, every_lock)
                if len(page) > 1:
                    await _apply_page(tx, connection, page, as_of)
                else:
                    for one in page:
                        await _apply_one(tx, connection, one)
                if also is not None:
                    await also(tx)
            return
        except Contended:
            if not tries_left:
                raise


def _read(kind: Kind, raw: dict[str, Any], as_of: int) -> _Read:
    snapshot = Snapshot(kind.name, raw["id"], as_of, "api", raw)
    if not snapshot.bare:
        kind.check(raw)
    return _Read(kind, snapshot, orjson.dumps(raw).decode())


async def _apply_page(tx: Tx, connection: Connection, page: Sequence[_Read], as_of: int) -> None:
    known = await reads.open_page(
        tx,
        connection.environment,
        connection.account_id,
        as_of,
        [one.kind.name for one in page],
        [one.snapshot.object_id for one in page],
        [one.payload for one in page],
        [one.plain for one in page],
    )
    changed: Rows = {"objects": []}
    raws: dict[str, str] = {}
    seen: dict[str, list[str]] = {}
    for nth, one in enumerate(page):
        member = known.get(nth)
        if member is not None and member.same:
            seen.setdefault(one.kind.name, []).append(one.snapshot.object_id)
        elif not one.plain:
            await _apply_one(tx, connection, one)
        else:
            rivals = [] if member is None else [snapshot_of(rival) for rival in member.rivals]
            rows = project(one.kind, one.snapshot, rivals, member.head if member else None, ())
            for table, its_rows in rows.items():
                changed.setdefault(table, []).extend(its_rows)
            raws[one.snapshot.object_id] = one.payload
            if not rows.keys() - {"objects", "mappings", "refetches"}:  # an event knows better
                seen.setdefault(one.kind.name, []).append(one.snapshot.object_id)
    if raws or seen:
        await reads.close_page(tx, connection.environment, connection.account_id, changed, raws, seen)


async def _apply_one(tx: Tx, connection: Connection, one: _Read) -> None:
    kind, current = one.kind, one.snapshot
    keys = [] if current.bare else in_lock_order(kind.payment_keys(current.raw))
    found = await reads.open_read(tx, connection.environment, kind.name, current.object_id, current.as_of, keys)
    rows = project(kind, current, [snapshot_of(r) for r in found.rivals], found.head, found.family, found.invoice)
    await reads.close_read(
        tx,
        connection.environment,
        connection.account_id,
        kind.name,
        current.object_id,
        current.as_of,
        one.payload,
        rows,
    )
