"""Objects read at Stripe's API enter by the same projections as events: one short transaction a page.

Of a page, what is about no payment is read and applied in two statements; the rest one by one, since each member
changes what the next one's payment is. An object that Stripe tells exactly as before is only noted.
"""

import asyncio
import random
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

TRIES = 5
# Two pages whose payments cross may stop each other, and would again if both tried again at once. Seconds.
PAUSE = 0.1
_NOT_ITS_OWN = {"objects", "mappings", "refetches"}  # rows beside the one that shows the object
_SETTINGS = "SET LOCAL lock_timeout = '3s'"
# What a crash of PostgreSQL may take back is taken back together with the checkpoint that says it was done.
_REPEATABLE = f"{_SETTINGS}; SET LOCAL synchronous_commit = off"

Also = Callable[[Tx], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Read:
    """One object of a page, and its JSON as it is kept."""

    kind: Kind
    snapshot: Snapshot
    payload: str


async def apply_reads(
    db: Database,
    connection: Connection,
    objects: Sequence[dict[str, Any]],
    as_of: int,
    *,
    also: Also | None = None,
) -> None:
    """Weigh and apply objects as Stripe answered them at `as_of` (Unix seconds; they lose ties against events).

    Objects of kinds we do not project are left out. `also` is done in the same transaction, and keeps in the database
    that it was done: such a page need not reach the disk at once. Raises Unreadable, and Contended (503) when another
    transaction stays in the way for several tries.
    """
    page = [_read(KINDS[raw["object"]], raw, as_of) for raw in objects if raw.get("object") in KINDS]
    every_lock = sorted({lock(connection.environment, one.kind.name, one.snapshot.object_id) for one in page})
    for tries_left in range(TRIES - 1, -1, -1):
        try:
            async with db.as_service(settings=_REPEATABLE if also else _SETTINGS) as tx:
                if page:
                    await reads.take_locks(tx, every_lock)
                if len(page) == 1:
                    await _apply_one(tx, connection, page[0])
                else:
                    for kind in {one.kind.name: one.kind for one in page}.values():
                        await _apply_page(tx, connection, kind, [one for one in page if one.kind is kind], as_of)
                if also is not None:
                    await also(tx)
            return
        except Contended:
            if not tries_left:
                raise
            await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE * (TRIES - tries_left))


def _read(kind: Kind, raw: dict[str, Any], as_of: int) -> _Read:
    snapshot = Snapshot(kind.name, raw["id"], as_of, "api", raw)
    if not snapshot.bare:
        kind.check(raw)
    return _Read(kind, snapshot, orjson.dumps(raw).decode())


async def _apply_page(tx: Tx, connection: Connection, kind: Kind, page: Sequence[_Read], as_of: int) -> None:
    plain = kind.about_no_payment
    payloads = {one.snapshot.object_id: one.payload for one in page}
    known = await reads.open_page(
        tx, connection.environment, connection.account_id, kind.name, as_of, plain=plain, payloads=payloads
    )
    changed: Rows = {"objects": []}
    raws: dict[str, str] = {}
    seen: list[str] = []
    for one in page:
        ident = one.snapshot.object_id
        member = known.get(ident)
        if member is not None and member.same:
            seen.append(ident)
        elif not plain:
            await _apply_one(tx, connection, one)
        else:
            rivals = [] if member is None else [snapshot_of(rival) for rival in member.rivals]
            rows = project(kind, one.snapshot, rivals, None if member is None else member.head, ())
            for table, its_rows in rows.items():
                changed.setdefault(table, []).extend(its_rows)
            raws[ident] = one.payload
            if rows.keys() <= _NOT_ITS_OWN:  # an event knows better
                seen.append(ident)
    if plain and page:
        await reads.close_page(tx, connection.environment, connection.account_id, kind.name, changed, raws, seen)


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
