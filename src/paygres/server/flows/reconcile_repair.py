"""Make our rows what Stripe tells: by the road of every API read, and a tombstone for what is gone.

An object that cannot be repaired (a developers' trigger raises) keeps none of the others from it: its rows stay open,
and the report says why.
"""

from collections.abc import AsyncIterator, Awaitable, Sequence

from paygres.server.flows.apply_reads import apply_reads, is_away, reason_of
from paygres.server.flows.connections import Connection
from paygres.server.flows.reconcile_extras import TYPES
from paygres.server.flows.reconcile_lists import Lists, told_again
from paygres.server.flows.reconcile_payments import write_payments
from paygres.server.projections.objects import KINDS
from paygres.server.tables import reconcile, reconciliations
from paygres.server.tables.reconcile import Seen
from paygres.server.tables.reconciliations import REPAIRABLE, Class, ToFix

_BATCH = 100


async def repair(lists: Lists) -> None:
    """Repair everything that was found, object by object; what has become newer meanwhile stays as it is."""
    # What Stripe does not have first: a payment is written with all that stands with it, and each of those gets a row.
    async for extras in _found(lists, ("extra",)):
        await _bury(lists, extras)
    # Links next: to which payment the others belong is read from ours when they are written.
    await _objects(lists, [name for name, kind in KINDS.items() if kind.tells_links])
    await _objects(lists, [name for name, kind in KINDS.items() if not kind.tells_links])
    async for found in _found(lists, REPAIRABLE):
        keys = {
            one.payment_key
            for one in found
            if one.payment_key and (one.table_name == "transactions" or one.cls == "extra")
        }
        if keys:
            await write_payments(lists, sorted(keys))
        # A payment's row was computed from all its objects just now, whatever became of one of them.
        fixed = [one.nth for one in found if _written_as(one) not in lists.broken]
        await reconciliations.mark_fixed(lists.parts.db, lists.run, fixed)
        lists.tell("fixed", len(fixed))


async def _found(lists: Lists, classes: Sequence[Class]) -> AsyncIterator[list[ToFix]]:
    nth = 0
    while found := await reconciliations.select_to_fix(lists.parts.db, lists.run, classes, nth, _BATCH):
        nth = found[-1].nth
        yield found


async def _objects(lists: Lists, object_types: list[str]) -> None:
    after = ("", "")
    while different := await reconcile.select_different(lists.parts.db, lists.run.id, object_types, after, _BATCH):
        after = (different[-1].object_type, different[-1].object_id)
        for one in different:
            await _tried(lists, one.object_type, one.object_id, _apply(lists, one))


def _written_as(one: ToFix) -> tuple[str, str | None]:
    """What a repair writes at once: a payment, or an object."""
    if one.table_name == "transactions":
        return "payment", one.payment_key
    return one.object_type, one.object_id


async def _tried(lists: Lists, object_type: str, object_id: str, repairing: Awaitable[None]) -> None:
    try:
        await repairing
    except Exception as error:
        if is_away(error):
            raise
        lists.broken[object_type, object_id] = reason_of(error)


async def _apply(lists: Lists, one: Seen) -> None:
    connection, raw = await lists.connection(), told_again(one).raw
    kind = KINDS[one.object_type]
    await reconcile.revive(lists.parts.db, connection.environment, kind.name, one.object_id, kind.links(raw))
    await apply_reads(lists.parts.db, connection, [raw], one.as_of)
    if (evidence := kind.evidence(raw)) is not None:
        await reconcile.settle_mappings(lists.parts.db, connection.environment, connection.account_id, evidence)


async def _bury(lists: Lists, extras: Sequence[ToFix]) -> None:
    """Tombstones, as a sync leaves them; a transaction has none and goes. A subscription's extra item went with its
    subscription, which Stripe lists."""
    connection = await lists.connection()
    environment, account = connection.environment, connection.account_id
    for one in extras:
        if one.table_name == "transactions":
            named = one.object_type.replace(".", "_")
            row = {"object_type": named, "object_id": one.key, "gone": True}
            async with lists.parts.db.as_service() as tx:
                await reconcile.apply_rows(tx, environment, account, {"objects": [], "transactions": [row]})
    listed = await reconcile.select_listed(lists.parts.db, lists.run.id, {(o.object_type, o.object_id) for o in extras})
    gone = {(one.object_type, one.object_id) for one in extras} - listed
    for object_type, object_id in sorted(gone):
        if object_type not in TYPES.values():
            continue
        await _tried(lists, object_type, object_id, _mark_gone(lists, connection, object_type, object_id))


async def _mark_gone(lists: Lists, connection: Connection, object_type: str, object_id: str) -> None:
    tombstone = {"id": object_id, "object": object_type, "deleted": True}
    await apply_reads(lists.parts.db, connection, [tombstone], lists.began)
    await reconcile.leave_payment(lists.parts.db, connection.environment, object_type, object_id)
