"""The phases of a rebuild: strangers go, then objects kind by kind, then mappings, then payments. Each page is a
transaction of its own, two at a time, tried again when events are in its way; a rehearsal's is rolled back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from paygres.server.db.database import Database, Tx
from paygres.server.errors import Unavailable
from paygres.server.flows.rebuild_pages import (
    World,
    fold_objects,
    kind_named,
    project_payments,
    write_objects,
    write_payments,
)
from paygres.server.flows.rebuild_rehearsal import Rehearsal, Undo
from paygres.server.flows.side_by_side import in_lanes
from paygres.server.projections.stamps import is_foreign
from paygres.server.tables import rebuild, syncs
from paygres.server.tables.rebuild import KindInLedger, Stamped
from paygres.server.tables.sqlstates import Contended

T = TypeVar("T")

LANES = 2
OBJECTS, SNAPSHOTS = 150, 600  # of a page: some 50 ms under its locks
PAYMENTS, CUSTOMERS = 100, 100
_TRIES = 8
_TELLING_PAGES = 4
# What a crash of PostgreSQL takes back is rebuilt by the next run; the audit record at the end reaches the disk.
_SETTINGS = "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '60s'; SET LOCAL synchronous_commit = off"


@dataclass(frozen=True, slots=True)
class Progress:
    """So many of a phase (a kind of objects, mappings, payments) are done."""

    environment: str
    phase: str
    done: int


@dataclass(slots=True)
class Run:
    """What has been done so far. `silent`: objects of which every telling is somebody else's or cannot be read."""

    db: Database
    world: World
    tell: Callable[[Progress], None]
    rehearsal: Rehearsal | None
    done: Counter[str] = field(default_factory=Counter[str])
    silent: int = 0
    failed: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def count(self, phase: str, some: int) -> None:
        """So many more are done."""
        self.done[phase] += some
        self.tell(Progress(self.world.environment, phase, self.done[phase]))


async def strangers(run: Run) -> None:
    """Take out what other installations' objects had become before they were left out, those of a payment together.
    It comes first, so that what is folded afterwards is all there is."""
    found = await rebuild.select_stamped(run.db, run.world.environment, run.world.installation_id)
    theirs = [one for one in found if is_foreign(one.stamps, run.world.installation_id)]
    for first in range(0, len(theirs), OBJECTS):
        page = theirs[first : first + OBJECTS]

        async def within(tx: Tx, page: Sequence[Stamped] = page) -> None:
            if run.rehearsal is not None:
                await run.rehearsal.strangers(tx, page)
            else:
                await rebuild.take_out_strangers(tx, run.world.environment, page)

        await _page(run, within)
        run.count("strangers", len(page))


async def objects(run: Run, kind: KindInLedger) -> None:
    """Fold every object of a kind."""

    async def pages() -> AsyncIterator[Sequence[str]]:
        after = kind.first
        yield [after]
        while ids := await rebuild.objects_page(run.db, run.world.environment, kind, after, SNAPSHOTS, OBJECTS):
            after = ids[-1]
            yield ids

    seen = Counter[str]()

    async def write(ids: Sequence[str]) -> None:
        await _page_of_objects(run, kind.object_type, ids)
        seen["pages"] += 1
        if seen["pages"] == _TELLING_PAGES and run.rehearsal is None:
            await syncs.analyze_new_tables(run.db)

    await _side_by_side(pages(), write)


async def _page_of_objects(run: Run, object_type: str, ids: Sequence[str]) -> None:
    kind = kind_named(object_type)

    async def write(tx: Tx) -> tuple[int, int, dict[str, str]]:
        page = await fold_objects(tx, run.world, kind, ids)
        if run.rehearsal is not None:
            await run.rehearsal.objects(tx, page)
        elif page.folded:
            await write_objects(tx, run.world, page)
        return len(page.folded), len(page.silent), page.broken

    try:
        folded, silent, broken = await _page(run, write)
    except Unavailable:
        raise
    except Exception as error:  # one row that PostgreSQL refuses must not keep the others out
        if len(ids) > 1:
            for one in ids:
                await _page_of_objects(run, object_type, [one])
            return
        folded, silent, broken = 0, 0, {ids[0]: f"{type(error).__name__}: {error}"}
    run.silent += silent
    run.failed += [{"objectType": object_type, "objectId": one, "reason": why} for one, why in broken.items()]
    run.count(object_type, folded)


async def mappings(run: Run) -> None:
    """Settle whose own each customer is."""

    async def pages() -> AsyncIterator[Sequence[tuple[str, str]]]:
        if run.rehearsal is not None:
            customers = run.rehearsal.customers()
            for first in range(0, len(customers), CUSTOMERS):
                yield [(one, "") for one in customers[first : first + CUSTOMERS]]
            return
        after = ""
        while some := await rebuild.customers_page(run.db, run.world.environment, after, CUSTOMERS):
            after = some[-1][0]
            yield some

    async def write(some: Sequence[tuple[str, str]]) -> None:
        async def within(tx: Tx) -> None:
            if run.rehearsal is not None:
                return await run.rehearsal.mappings(tx, [customer for customer, _ in some])
            by_account: dict[str, list[str]] = {}
            for customer, account_id in some:
                by_account.setdefault(account_id, []).append(customer)
            for account_id, customers in by_account.items():
                await rebuild.rebuild_mappings(tx, run.world.environment, account_id, customers)
            return None

        await _page(run, within)
        run.count("mappings", len(some))

    await _side_by_side(pages(), write)


async def payments(run: Run) -> None:
    """Compute every payment from its settled objects."""

    async def pages() -> AsyncIterator[Sequence[str]]:
        if run.rehearsal is not None:
            keys = run.rehearsal.payments()
            for first in range(0, len(keys), PAYMENTS):
                yield keys[first : first + PAYMENTS]
            return
        after = ""
        while some := await rebuild.payments_page(run.db, run.world.environment, after, PAYMENTS):
            after = some[-1]
            yield some

    await _side_by_side(pages(), lambda keys: _page_of_payments(run, keys))


async def _page_of_payments(run: Run, keys: Sequence[str]) -> None:
    async def within(tx: Tx) -> None:
        if run.rehearsal is not None:
            await run.rehearsal.transactions(tx, keys)
        else:
            await write_payments(tx, run.world, await project_payments(tx, run.world, keys))

    try:
        await _page(run, within)
    except Unavailable:
        raise
    except Exception as error:
        if len(keys) > 1:
            for one in keys:
                await _page_of_payments(run, [one])
            return
        run.failed.append({"objectType": "payment", "objectId": keys[0], "reason": f"{type(error).__name__}: {error}"})
    run.count("payments", len(keys))


async def _page(run: Run, within: Callable[[Tx], Awaitable[T]]) -> T:
    """One transaction, tried again when others are in the way; a rehearsal's is rolled back."""
    for tries_left in range(_TRIES - 1, -1, -1):
        outcome: list[T] = []
        try:
            async with run.db.as_service(settings=_SETTINGS) as tx:
                outcome.append(await within(tx))
                if run.rehearsal is not None:
                    raise Undo
        except Undo:
            pass
        except Contended:
            if not tries_left:
                raise
            await asyncio.sleep(0.05)
            continue
        return outcome[0]
    raise AssertionError("unreachable")


async def _side_by_side(pages: AsyncIterator[T], write: Callable[[T], Awaitable[None]]) -> None:
    """Several lanes take one page after the other; the first failure ends all."""
    one_at_a_time = asyncio.Lock()

    async def lane() -> None:
        while True:
            async with one_at_a_time:
                page = await anext(pages, None)
            if page is None:
                return
            await write(page)

    await in_lanes(LANES, lane)
