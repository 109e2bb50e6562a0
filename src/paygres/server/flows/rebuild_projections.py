"""Make the mirror anew from the ledger, in place: into empty tables, or over what is there, while the server is live.

Objects are folded kind by kind, then mappings, then payments; each page in a transaction of its own, two at a time.
The ledger is only read. Nothing of ours is touched (checkouts, operators' words, webhook_events, fulfillments), and no
event is marked again, so nothing is granted; what has gone back is noted for the worker, as after every change.
"""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from paygres.server.db.database import Database, Tx
from paygres.server.errors import Unavailable
from paygres.server.flows.operator import Operator
from paygres.server.flows.rebuild_pages import (
    ORDER,
    World,
    fold_objects,
    kind_named,
    project_payments,
    write_objects,
    write_payments,
)
from paygres.server.flows.rebuild_rehearsal import Rehearsal, Undo
from paygres.server.tables import audit, rebuild, syncs
from paygres.server.tables.rebuild import KindInLedger
from paygres.server.tables.sqlstates import Contended

log = structlog.get_logger()
T = TypeVar("T")

LANES = 2
OBJECTS, SNAPSHOTS = 150, 600  # of a page: some 50 ms under its locks
PAYMENTS, CUSTOMERS = 100, 100
MOST_TOLD = 100
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """`dry_run` tells what would change. `remove_extra` removes rows of objects the ledger has never heard of."""

    dry_run: bool = False
    remove_extra: bool = False


@dataclass(slots=True)
class _Run:
    db: Database
    world: World
    wanted: Wanted
    tell: Callable[[Progress], None]
    rehearsal: Rehearsal | None
    done: Counter[str] = field(default_factory=Counter[str])
    silent: int = 0
    failed: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def count(self, phase: str, some: int) -> None:
        self.done[phase] += some
        self.tell(Progress(self.world.environment, phase, self.done[phase]))


async def rebuild_projections(
    db: Database,
    environment: str,
    installation_id: str,
    wanted: Wanted,
    operator: Operator,
    on_progress: Callable[[Progress], None] | None = None,
) -> dict[str, Any]:
    """The report (http.shapes.rebuild). Raises Contended when others stay at the same objects for a minute."""
    began = time.perf_counter()
    world = World(environment, installation_id)
    rehearsal = Rehearsal(world) if wanted.dry_run else None
    run = _Run(db, world, wanted, on_progress or _silence, rehearsal)
    if not wanted.dry_run:
        await _record(db, environment, operator, "rebuild.start", {"removeExtra": wanted.remove_extra})
    kinds = {one.object_type: one for one in await rebuild.kinds_in_ledger(db, environment)}
    for name in ORDER:
        if name in kinds:
            await _objects(run, kinds[name])
    await _mappings(run)
    await _payments(run)
    extra = await rebuild.select_extra(db, environment, MOST_TOLD, transactions=rehearsal is None)
    if rehearsal is not None:
        extra += await _unnamed_transactions(db, environment, rehearsal)
    removed = 0
    if wanted.remove_extra and not wanted.dry_run:
        async with db.as_service(settings="SET LOCAL statement_timeout = '10min'") as tx:
            removed = await rebuild.remove_extra(tx, environment)
    report = _report(run, extra, removed, time.perf_counter() - began)
    if not wanted.dry_run:
        told = {name: report[name] for name in ("objects", "payments", "customers", "removed", "seconds")}
        await _record(db, environment, operator, "rebuild.finish", {**told, "failed": len(run.failed)})
    log.info("rebuilt", environment=environment, dry_run=wanted.dry_run, seconds=report["seconds"])
    return report


async def _record(db: Database, environment: str, operator: Operator, action: str, details: dict[str, Any]) -> None:
    await audit.record(
        db,
        actor=operator.actor,
        action=action,
        environment=environment,
        reason=operator.reason,
        details=details,
        request_id=operator.request_id,
    )


def _silence(_: Progress) -> None:
    return None


async def _objects(run: _Run, kind: KindInLedger) -> None:
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
        if seen["pages"] == _TELLING_PAGES and not run.wanted.dry_run:
            await syncs.analyze_new_tables(run.db)

    await _side_by_side(pages(), write)


async def _page_of_objects(run: _Run, object_type: str, ids: Sequence[str]) -> None:
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


async def _mappings(run: _Run) -> None:
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


async def _payments(run: _Run) -> None:
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


async def _page_of_payments(run: _Run, keys: Sequence[str]) -> None:
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


async def _page(run: _Run, within: Callable[[Tx], Awaitable[T]]) -> T:
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

    lanes = [asyncio.create_task(lane()) for _ in range(LANES)]
    try:
        await asyncio.gather(*lanes)
    finally:
        for one in lanes:
            one.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


async def _unnamed_transactions(
    db: Database, environment: str, rehearsal: Rehearsal
) -> list[tuple[str, dict[str, Any]]]:
    """Payments' rows that a rebuild would not make."""
    found: list[tuple[str, dict[str, Any]]] = []
    after = uuid.UUID(int=0)
    while rows := await rebuild.transactions_page(db, environment, after, 1000):
        after = rows[-1][0]
        for _, object_type, object_id in rows:
            if (object_type, object_id) not in rehearsal.names and len(found) < MOST_TOLD:
                found.append(("payments.transactions", {"objectType": object_type, "objectId": object_id}))
    return found


def _report(run: _Run, extra: list[tuple[str, dict[str, Any]]], removed: int, seconds: float) -> dict[str, Any]:
    differences = None
    if run.rehearsal is not None:
        told = run.rehearsal.differences
        differences = {"rows": told.total, "tables": dict(sorted(told.tables.items())), "examples": told.examples}
    return {
        "environment": run.world.environment,
        "dryRun": run.wanted.dry_run,
        "objects": {name: run.done[name] for name in ORDER if name in run.done},
        "customers": run.done["mappings"],
        "payments": run.done["payments"],
        "notOurs": run.silent,
        "failed": run.failed[:MOST_TOLD],
        "extra": [{"table": table, "key": key} for table, key in extra],
        "removed": removed,
        "differences": differences,
        "seconds": round(seconds, 3),
    }
