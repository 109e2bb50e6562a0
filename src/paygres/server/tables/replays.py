"""Choose events to run again, queue them, and tell which triggers would fire."""

from collections.abc import Sequence
from dataclasses import dataclass

from paygres.server.db.database import Database, Tx
from paygres.server.tables.event_log import Wanted
from paygres.server.tables.keyset import PLANNED_ANEW
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("replays")


@dataclass(frozen=True, slots=True)
class Chosen:
    """An event of a selection, and its number in the ledger."""

    event_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Trigger:
    """A developer's trigger on a table of ours; `timing` is before or after."""

    table: str
    name: str
    function: str
    timing: str
    on_insert: bool
    on_update: bool


async def select_events(
    db: Database, environment: str, wanted: Wanted, ids: Sequence[str] | None, after: int, limit: int
) -> list[Chosen]:
    """The oldest events of a selection behind a number of the ledger."""
    with translated():
        async with db.as_service(settings=PLANNED_ANEW) as tx:
            rows = await tx.fetch(
                Q.select_events,
                environment,
                wanted.event_type,
                wanted.family,
                None if wanted.objects is None else list(wanted.objects),
                wanted.since,
                wanted.until,
                wanted.status,
                None if ids is None else list(ids),
                after,
                limit,
            )
    return [Chosen(r["event_id"], r["seq"]) for r in rows]


async def queue_events(tx: Tx, environment: str, ids: Sequence[str]) -> None:
    """Make events due at once, in this order, marked as replayed: the watermark does not count for them."""
    with translated():
        await tx.execute(Q.keep_first_attempts, environment, list(ids))
        await tx.execute(Q.queue_events, environment, list(ids))


async def select_triggers(tx: Tx) -> list[Trigger]:
    """Every trigger of developers on our tables that is not disabled."""
    with translated():
        rows = await tx.fetch(Q.select_triggers)
    return [Trigger(*row.values()) for row in rows]
