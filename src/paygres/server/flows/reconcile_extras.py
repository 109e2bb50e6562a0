"""Rows that Stripe did not list: each object is asked for by itself, and is extra when Stripe does not have it.

Nothing is extra on the word of a list alone, and not many rows are without an operator's (decision 12): a wrong key,
or an account whose test objects were all deleted, looks the same.
"""

import asyncio
from itertools import groupby

from paygres.server import errors
from paygres.server.flows.reconcile_lists import Lists
from paygres.server.flows.refetch_objects import PATHS
from paygres.server.flows.sync_pages import LANES
from paygres.server.flows.sync_plan import NAMES, may_vanish_unasked
from paygres.server.stripe_gateway.paths import path_of
from paygres.server.tables import reconcile, reconciliations
from paygres.server.tables.reconcile import UnlistedRow
from paygres.server.tables.reconciliations import Finding

_BATCH = 100
# What a list's objects are called.
TYPES = {
    **{name: name.removesuffix("s") for name in NAMES},
    "checkout_sessions": "checkout.session",
}


async def find_extras(lists: Lists) -> dict[str, int]:
    """Record the rows of objects that Stripe does not have; how many of each noun an operator must confirm first."""
    unconfirmed: dict[str, int] = {}
    for name in NAMES:
        if name not in lists.run.objects or name in lists.refused:
            continue
        kept, missing = await reconcile.count_unlisted(lists.parts.db, lists.where(TYPES[name]))
        if missing > may_vanish_unasked(kept) and not lists.run.confirm:
            unconfirmed[name] = missing
        elif missing:
            await _ask(lists, TYPES[name])
    return unconfirmed


async def _ask(lists: Lists, object_type: str) -> None:
    after = ""
    while rows := await reconcile.select_unlisted(lists.parts.db, lists.where(object_type), after, _BATCH):
        after = rows[-1].object_id
        objects = [(ident, list(those)) for ident, those in groupby(rows, lambda row: row.object_id)]
        for first in range(0, len(objects), LANES):
            asked = objects[first : first + LANES]
            gone = await asyncio.gather(*(_is_gone(lists, object_type, ident) for ident, _ in asked))
            findings = [
                _extra(object_type, row)
                for is_gone, (_, those) in zip(gone, asked, strict=True)
                if is_gone
                for row in those
            ]
            await reconciliations.insert_findings(lists.parts.db, lists.run, findings)


async def _is_gone(lists: Lists, object_type: str, ident: str) -> bool:
    connection = await lists.connection()
    path = path_of(PATHS[object_type].removesuffix("/"), ident)
    try:
        answer = await lists.parts.gateway.request(connection.stripe_key, "get", path, priority="backfill")
    except errors.Upstream as error:
        if not error.definite or error.status != 404:
            raise
        return True
    return answer.object.get("deleted") is True


def _extra(object_type: str, row: UnlistedRow) -> Finding:
    return Finding(
        "extra",
        row.table_name,
        row.key,
        object_type,
        row.object_id,
        None,
        row.payment_key,
        row.amount if row.payment_key else None,
        row.currency if row.payment_key else None,
    )
