"""Make the mirror anew from the ledger, in place: into empty tables, or over what is there, while the server is live.

What is another installation's goes; then objects are folded kind by kind, then mappings, then payments; each page in a
transaction of its own, two at a time.
The ledger is only read. Nothing of ours is touched (checkouts, operators' words, webhook_events, fulfillments), and no
event is marked again, so nothing is granted; what has gone back is noted for the worker, as after every change.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from paygres.server.db.database import Database
from paygres.server.flows.operator import Operator
from paygres.server.flows.rebuild_pages import ORDER, World
from paygres.server.flows.rebuild_phases import Progress, Run, mappings, objects, payments, strangers
from paygres.server.flows.rebuild_rehearsal import Rehearsal
from paygres.server.tables import audit, rebuild

log = structlog.get_logger()
MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """`dry_run` tells what would change. `remove_extra` removes rows of objects the ledger has never heard of."""

    dry_run: bool = False
    remove_extra: bool = False


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
    run = Run(db, world, on_progress or _silence, rehearsal)
    if not wanted.dry_run:
        await _record(db, environment, operator, "rebuild.start", {"removeExtra": wanted.remove_extra})
    kinds = {one.object_type: one for one in await rebuild.kinds_in_ledger(db, environment)}
    if rehearsal is None:
        async with db.as_service(settings="SET LOCAL statement_timeout = '10min'") as tx:
            await rebuild.rebuild_standing_alone(tx, environment)
    await strangers(run)
    for name in ORDER:
        if name in kinds:
            await objects(run, kinds[name])
    await mappings(run)
    await payments(run)
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


def _report(run: Run, extra: list[tuple[str, dict[str, Any]]], removed: int, seconds: float) -> dict[str, Any]:
    differences = None
    if run.rehearsal is not None:
        told = run.rehearsal.differences
        differences = {"rows": told.total, "tables": dict(sorted(told.tables.items())), "examples": told.examples}
    return {
        "environment": run.world.environment,
        "dryRun": run.rehearsal is not None,
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
