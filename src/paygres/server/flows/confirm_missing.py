"""After a whole list: rows that Stripe did not list are asked for one by one, and marked deleted when they are gone.

Nothing is marked on the word of a list alone (decision 12), and not many without an operator's: a wrong key, or an
account whose test objects were all deleted, looks the same.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import structlog

from paygres.server import errors
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.parts import Parts
from paygres.server.flows.sync_pages import LANES, WindowReader
from paygres.server.flows.sync_plan import VANISHING, Vanishing, may_vanish_unasked
from paygres.server.tables import syncs
from paygres.server.tables.syncs import Sync

log = structlog.get_logger()

_BATCH = 100


@dataclass(slots=True)
class Missing:
    """By noun: how many rows were found to be gone, and how many wait for an operator's word."""

    deleted: dict[str, int] = field(default_factory=dict[str, int])
    unconfirmed: dict[str, int] = field(default_factory=dict[str, int])


async def confirm_missing(parts: Parts, sync: Sync, reader: WindowReader) -> Missing:
    """Look for what the sync has not seen, of every kind that was listed to its end.

    Raises what Stripe or the database raise: the rows that were not asked about stay as they are.
    """
    outcome = Missing()
    for name, vanishing in VANISHING.items():
        if name not in sync.objects or name in reader.refused:
            continue
        kept, missing = await syncs.count_kept(parts.db, sync.id, name)
        if missing > may_vanish_unasked(kept) and not sync.confirm_missing:
            outcome.unconfirmed[name] = missing
            await _ask(parts, sync, name, kept, missing)
            continue
        if missing:
            outcome.deleted[name] = await _confirm(parts, sync, reader, name, vanishing)
        await syncs.close_attention(parts.db, sync.environment, name)
    return outcome


async def _ask(parts: Parts, sync: Sync, name: str, kept: int, missing: int) -> None:
    examples = await syncs.select_missing(parts.db, sync.id, name, "", 10)
    message = (
        f"Stripe did not list {missing} of {kept} {name}. Nothing was marked deleted; if they are really gone, sync "
        f'{name} again with {{"only": ["{name}"], "confirmMissing": true}}.'
    )
    details = {"missing": missing, "kept": kept, "examples": examples}
    await syncs.open_attention(parts.db, sync, name, message, details)
    log.warning("rows missing at Stripe", environment=sync.environment, noun=name, missing=missing, kept=kept)


async def _confirm(parts: Parts, sync: Sync, reader: WindowReader, name: str, vanishing: Vanishing) -> int:
    """Ask for each; how many are gone. One that is there after all is applied as Stripe answers it."""
    as_of = min((w.as_of for w in reader.windows(name) if w.as_of is not None), default=0)
    deleted, after = 0, ""
    while ids := await syncs.select_missing(parts.db, sync.id, name, after, _BATCH):
        after = ids[-1]
        for first in range(0, len(ids), LANES):
            asked = ids[first : first + LANES]
            found = await asyncio.gather(*(_look(parts, reader, vanishing, one, as_of) for one in asked))
            connection = await reader.connection()
            for answer, true_at in found:
                await apply_reads(parts.db, connection, [answer], true_at)
                deleted += bool(answer.get("deleted"))
    return deleted


async def _look(
    parts: Parts, reader: WindowReader, vanishing: Vanishing, object_id: str, as_of: int
) -> tuple[dict[str, Any], int]:
    """The object and when it was so. A 404 has no body to keep: it is a tombstone as old as the list."""
    connection = await reader.connection()
    try:
        answer = await parts.gateway.request(
            connection.stripe_key, "get", vanishing.path + quote(object_id, safe=""), priority="backfill"
        )
    except errors.Upstream as error:
        if not error.definite or error.status != 404:
            raise
        return {"id": object_id, "object": vanishing.object_type, "deleted": True}, as_of
    # a tombstone may name its kind differently from the list
    return {**answer.object, "object": vanishing.object_type}, answer.as_of
