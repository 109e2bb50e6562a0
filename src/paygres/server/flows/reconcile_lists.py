"""Every list of Stripe's, a page at a time: what it holds is remembered, and what our rows tell otherwise is kept to
be looked at again, for its event may still be on the way."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import orjson
import structlog

from paygres.server import errors
from paygres.server.flows.apply_reads import is_away, reason_of
from paygres.server.flows.connections import Connection
from paygres.server.flows.parts import Parts
from paygres.server.flows.reconcile_objects import SETTINGS, Looked, Told, look_at, told
from paygres.server.flows.reconcile_tellings import money_of
from paygres.server.flows.side_by_side import in_lanes
from paygres.server.flows.sync_pages import LANES, Progress, advance, from_its_last_second, next_page
from paygres.server.flows.sync_plan import Listing, listings
from paygres.server.projections.objects import KINDS
from paygres.server.projections.snapshots import StripeObject, Unreadable
from paygres.server.projections.stamps import is_foreign
from paygres.server.tables import reconcile, reconciliations, sweeps
from paygres.server.tables.reconcile import Seen, Standing
from paygres.server.tables.reconciliations import Finding, Reconciliation
from paygres.server.tables.sqlstates import Contended
from paygres.server.tables.syncs import Window

log = structlog.get_logger()

TRIES = 3
_PAGE = 100
# They say which payment an intent is about: what differs of them has to be known first.
_LINKS = ("invoice", "invoice_payment")
# As long as an event usually takes to reach us, so that one under way makes no difference of its change.
GRACE_SECONDS = 2.0


@dataclass(slots=True)
class Lists:
    """A run on its way. `began`: Unix seconds by Stripe's clock; `refused`: nouns this key may not list, or of
    which something cannot be read, and why; `broken`: the same by object (type, id), or by "payment" and its key,
    of what cannot be compared or repaired."""

    parts: Parts
    run: Reconciliation
    began: int
    on_progress: Callable[[Progress], None] | None = None
    counts: dict[str, int] = field(default_factory=dict[str, int])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    broken: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    pages: dict[str, int] = field(default_factory=dict[str, int])
    ended_at: float = 0.0

    async def connection(self) -> Connection:
        """The connection as it is now; raises when another account, or none, was connected meanwhile."""
        now = await self.parts.connections.current(self.run.environment)
        if now.account_id != self.run.account_id:
            raise errors.Unavailable("Reconcile stopped: another Stripe account was connected meanwhile")
        return now

    def where(self, object_type: str) -> Standing:
        """Which rows for objects of this type could have been listed."""
        run = self.run
        return Standing(run.id, run.environment, run.account_id, object_type, run.since, self.began)

    def tell(self, name: str, more: int) -> None:
        """`more` of a noun, or of a later part of the run, are done."""
        self.counts.setdefault(name, 0)
        self.counts[name] += more
        self.pages[name] = self.pages.get(name, 0) + 1
        if self.on_progress is not None:
            self.on_progress(Progress(self.run.environment, name, self.counts[name], self.pages[name]))


async def read_lists(lists: Lists) -> None:
    """Read all that was asked for, several lists side by side; one page of each in memory."""
    waiting = listings(lists.run.objects)
    lists.counts.update(dict.fromkeys(lists.run.objects, 0))

    async def lane() -> None:
        while waiting:
            await _read(lists, waiting.pop(0))

    await in_lanes(LANES, lane)
    lists.ended_at = time.monotonic()


async def look_again(lists: Lists) -> None:
    """Compare once more what differed, and record what still does. Events had a moment to arrive meanwhile."""
    for object_types in (_LINKS, [name for name in KINDS if name not in _LINKS]):
        await _look_again(lists, object_types)


async def _look_again(lists: Lists, object_types: Sequence[str]) -> None:
    after = ("", "")
    while different := await reconcile.select_different(lists.parts.db, lists.run.id, object_types, after, _PAGE):
        after = (different[-1].object_type, different[-1].object_id)
        await asyncio.sleep(max(0.0, lists.ended_at + GRACE_SECONDS - time.monotonic()))
        for (object_type, as_of), those in groupby(
            sorted(different, key=lambda one: (one.object_type, one.as_of)), lambda one: (one.object_type, one.as_of)
        ):
            page = [told_again(one) for one in those]
            looked = await _compare(lists, object_type, page, as_of, again=True)
            lists.tell("differences", sum(bool(one.findings) for one in looked))


def told_again(one: Seen) -> Told:
    """What was kept of a list."""
    assert one.payload is not None
    return Told(orjson.loads(one.payload), one.payload)


async def _read(lists: Lists, listing: Listing) -> None:
    window, unreadable = Window(listing.key, 0, created_from=lists.run.since), 0
    while not window.done:
        try:
            page = await next_page(lists.parts, await lists.connection(), listing, window)
        except errors.Upstream as error:
            if not error.definite or error.code != "PAYMENT_CONFIG_INVALID":
                raise
            lists.refused[listing.name] = error.message
            return
        if page is None:
            window = from_its_last_second(window)
            continue
        rows, window = advance(window, page)
        unreadable += await _compare_page(lists, rows, page.as_of)
        lists.tell(listing.name, len(rows))
    if unreadable:
        lists.refused[listing.name] = f"{unreadable} could not be read (the log tells which) and will be read again"


async def _compare_page(lists: Lists, rows: Sequence[StripeObject], as_of: int) -> int:
    """How many of them have no shape that we read: they are left to the refetch queue."""
    foreign = [raw for raw in rows if is_foreign(raw, lists.parts.installation_id)]
    if foreign:
        async with lists.parts.db.as_service() as tx:
            kind = str(foreign[0].get("object"))
            await reconcile.insert_seen(tx, lists.run.id, [Seen(kind, raw["id"], as_of) for raw in foreign])
            kept = await reconcile.select_kept(tx, lists.run.environment, kind, [raw["id"] for raw in foreign])
            findings = [_foreign(raw, "stripe_objects" if raw["id"] in kept else "") for raw in foreign]
            await reconciliations.insert_findings(tx, lists.run, findings)
    strangers = {raw["id"] for raw in foreign}
    known = [raw for raw in rows if raw["id"] not in strangers and raw.get("object") in KINDS]
    ours = [told(raw) for raw in known if await _is_readable(lists, raw, as_of)]
    if ours:
        await _compare(lists, str(ours[0].raw["object"]), ours, as_of, again=False)
    return len(known) - len(ours)


async def _is_readable(lists: Lists, raw: StripeObject, as_of: int) -> bool:
    kind, ident = KINDS[str(raw["object"])], raw["id"]
    try:
        kind.check(raw)
    except Unreadable as reason:
        log.error("listed object not understood", object_type=kind.name, object_id=ident, reason=str(reason))
        async with lists.parts.db.as_service() as tx:  # Stripe has it, whatever it is
            await reconcile.insert_seen(tx, lists.run.id, [Seen(kind.name, ident, as_of)])
        await sweeps.queue_refetch(lists.parts.db, lists.run.environment, kind.name, ident, str(reason))
        return False
    return True


def _foreign(raw: StripeObject, table: str) -> Finding:
    amount, currency = money_of(raw) or (None, None)
    return Finding("foreign", table, raw["id"], str(raw["object"]), raw["id"], None, raw["id"], amount, currency)


async def _compare(lists: Lists, object_type: str, page: Sequence[Told], as_of: int, *, again: bool) -> list[Looked]:
    kind, run = KINDS[object_type], lists.run
    connection = await lists.connection()
    for tries_left in range(TRIES - 1, -1, -1):
        try:
            async with lists.parts.db.as_service(settings=SETTINGS) as tx:
                looked = await look_at(tx, run.id, connection, kind, page, as_of)
                if again:
                    results = [(one.told.id, one.payment_key, bool(one.findings)) for one in looked]
                    await reconcile.update_looked(tx, run.id, object_type, results)
                    findings = [found for one in looked for found in one.findings]
                    await reconciliations.insert_findings(tx, run, findings)
                else:
                    await reconcile.insert_seen(tx, run.id, [_seen(object_type, one, as_of) for one in looked])
            return looked
        except Contended:
            if not tries_left:
                raise
        except Exception as error:
            if is_away(error):
                raise
            if len(page) > 1:
                return [each for one in page for each in await _compare(lists, object_type, [one], as_of, again=again)]
            return [await _give_up(lists, object_type, page[0], as_of, reason_of(error))]
    raise AssertionError("the last try returns or raises")


async def _give_up(lists: Lists, object_type: str, one: Told, as_of: int, reason: str) -> Looked:
    """What cannot be compared (a developers' trigger raises) stops nobody else's comparison; Stripe has it."""
    lists.broken[object_type, one.id] = reason
    async with lists.parts.db.as_service() as tx:
        await reconcile.insert_seen(tx, lists.run.id, [Seen(object_type, one.id, as_of)])
    return Looked(one, None)


def _seen(object_type: str, one: Looked, as_of: int) -> Seen:
    return Seen(object_type, one.told.id, as_of, one.payment_key, one.told.payload if one.findings else None)
