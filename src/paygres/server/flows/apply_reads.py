"""Objects read at Stripe's API enter by the same projections as events: one short transaction a page.

Of a page, what is about no payment is read and applied in two statements; the rest one by one, since each member
changes what the next one's payment is. An object that Stripe tells exactly as before is only noted.

What another installation stamped is left out, as its events are. An object of a page that cannot be applied (a
developers' trigger raises, its shape cannot be read) stops none of the others.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import orjson
import structlog

from paygres.server.db.database import Database, Tx
from paygres.server.errors import PaygresError, Unavailable
from paygres.server.flows.connections import Connection
from paygres.server.projections.events import snapshot_of
from paygres.server.projections.objects import KINDS, Kind
from paygres.server.projections.project import Rows, in_lock_order, lock, project
from paygres.server.projections.snapshots import Snapshot, StripeObject, Unreadable
from paygres.server.projections.stamps import is_foreign
from paygres.server.tables import installation, reads, sweeps
from paygres.server.tables.reads import Refetch
from paygres.server.tables.sqlstates import Contended, TooLong, translated

log = structlog.get_logger()

TRIES = 5
# Two pages whose payments cross may stop each other, and would again if both tried again at once. Seconds.
PAUSE = 0.1
_NOT_ITS_OWN = {"objects", "mappings", "refetches"}  # rows beside the one that shows the object
_SETTINGS = "SET LOCAL lock_timeout = '3s'"
# What a crash of PostgreSQL may take back is taken back together with the checkpoint that says it was done.
_REPEATABLE = f"{_SETTINGS}; SET LOCAL synchronous_commit = off"

# Whose stamp is ours; it never changes.
_ids: WeakKeyDictionary[Database, str] = WeakKeyDictionary()

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
) -> int:
    """Weigh and apply objects as Stripe answered them at `as_of` (Unix seconds; they lose ties against events).

    Objects of kinds we do not project are left out. `also` is done in the same transaction, and keeps in the database
    that it was done: such a page need not reach the disk at once. Returns how many objects of a page were left to the
    refetch queue; for a single one, and no `also`, it raises (Unreadable, PaygresError) instead. Raises Contended (503)
    when another transaction stays in the way for several tries.
    """
    ours = await _ours(db, connection, objects)
    try:
        await _apply(db, connection, ours, as_of, also)
        return 0
    except Exception as error:
        if is_away(error) or not ours or (len(ours) == 1 and also is None):
            raise
    left = 0
    for raw in ours:
        try:
            await _apply(db, connection, [raw], as_of, None)
        except Exception as error:
            if is_away(error):
                raise
            left += 1
            await _leave(db, connection, raw, error)
    if also is not None:
        await _apply(db, connection, [], as_of, also)
    return left


async def _ours(db: Database, connection: Connection, objects: Sequence[StripeObject]) -> list[StripeObject]:
    """Objects that we project; nobody has to read again what another installation stamped."""
    known = [raw for raw in objects if str(raw.get("object")) in KINDS]
    if not any(is_foreign(raw, "") for raw in known):  # no stamp at all
        return known
    if db not in _ids:
        _ids[db] = await installation.select_id(db)
    for raw in known:
        if is_foreign(raw, _ids[db]):
            await reads.drop_refetch(db, Refetch(connection.environment, raw["object"], raw["id"], 0, None))
    return [raw for raw in known if not is_foreign(raw, _ids[db])]


def is_away(error: Exception) -> bool:
    """Contention or a lost database, which is nobody's own; a statement that takes too long may be its object's."""
    return isinstance(error, Unavailable) and not isinstance(error, TooLong)


def reason_of(error: Exception) -> str:
    """Why an object cannot be applied, in words for operators."""
    if isinstance(error, Unreadable):
        return str(error)
    return error.message if isinstance(error, PaygresError) else type(error).__name__


async def _leave(db: Database, connection: Connection, raw: StripeObject, error: Exception) -> None:
    """Left to the queue of refetches, with the reason; a developer's trigger may name people in it, so logs do not."""
    kind, ident = raw["object"], raw.get("id")
    log.error(
        "object not applied",
        environment=connection.environment,
        object_type=kind,
        object_id=ident,
        error=type(error).__name__,
    )
    if isinstance(ident, str):
        reason = f"Stripe listed it, and it could not be applied: {reason_of(error)}"
        await sweeps.queue_refetch(db, connection.environment, kind, ident, reason)


async def _apply(
    db: Database, connection: Connection, ours: Sequence[StripeObject], as_of: int, also: Also | None
) -> None:
    page = [_read(KINDS[raw["object"]], raw, as_of) for raw in ours]
    every_lock = sorted({lock(connection.environment, one.kind.name, one.snapshot.object_id) for one in page})
    for tries_left in range(TRIES - 1, -1, -1):
        try:
            with translated():  # deferred triggers of developers speak when the transaction ends
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
