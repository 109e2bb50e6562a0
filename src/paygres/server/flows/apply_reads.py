"""Objects read at Stripe's API enter by the same projections as events: one short transaction a page."""

from collections.abc import Sequence
from typing import Any

import orjson

from paygres.server.db.database import Database
from paygres.server.flows.connections import Connection
from paygres.server.projections.events import snapshot_of
from paygres.server.projections.objects import KINDS, Kind
from paygres.server.projections.project import in_lock_order, lock, project
from paygres.server.projections.snapshots import Snapshot
from paygres.server.tables import reads
from paygres.server.tables.sqlstates import Contended

TRIES = 3


async def apply_reads(db: Database, connection: Connection, objects: Sequence[dict[str, Any]], as_of: int) -> None:
    """Weigh and apply objects as Stripe answered them at `as_of` (Unix seconds; they lose ties against events).

    Objects of kinds we do not project are left out. Raises Contended (503) when another transaction stays in the
    way for several tries.
    """
    known = [(KINDS[o["object"]], o) for o in objects if o.get("object") in KINDS]
    every_lock = sorted({lock(connection.environment, kind.name, raw["id"]) for kind, raw in known})
    for tries_left in range(TRIES - 1, -1, -1):
        try:
            async with db.as_service(settings="SET LOCAL lock_timeout = '3s'") as tx:
                await reads.take_locks(tx, every_lock)
                for kind, raw in known:
                    await _apply(tx, connection, kind, raw, as_of)
            return
        except Contended:
            if not tries_left:
                raise


async def _apply(tx: Any, connection: Connection, kind: Kind, raw: dict[str, Any], as_of: int) -> None:
    current = Snapshot(kind.name, raw["id"], as_of, "api", raw)
    if not current.bare:
        kind.check(raw)
    keys = [] if current.bare else in_lock_order(kind.payment_keys(raw))
    found = await reads.open_read(tx, connection.environment, kind.name, raw["id"], as_of, keys)
    rows = project(kind, current, [snapshot_of(r) for r in found.rivals], found.head, found.family, found.invoice)
    await reads.close_read(
        tx,
        connection.environment,
        connection.account_id,
        kind.name,
        raw["id"],
        as_of,
        orjson.dumps(raw).decode(),
        rows,
    )
