"""Compare the mirror with what Stripe has, object by object, and repair it when that is wanted.

First everything is listed and compared, then what differed is looked at again, then payments and what was not listed;
until here nothing is changed. So a dry run and a repair find the same.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from paygres.server import errors
from paygres.server.flows.connections import leased
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.reconcile_extras import find_extras
from paygres.server.flows.reconcile_lists import Lists, look_again, read_lists
from paygres.server.flows.reconcile_payments import compare_payments
from paygres.server.flows.reconcile_repair import repair
from paygres.server.flows.reconcile_report import broken_ones, read_report
from paygres.server.flows.side_by_side import meanwhile
from paygres.server.flows.sync_pages import Progress
from paygres.server.flows.sync_plan import NAMES
from paygres.server.projections.snapshots import Unreadable
from paygres.server.tables import audit, reconciliations, sweeps
from paygres.server.tables import reconcile as rows
from paygres.server.tables.reconciliations import Reconciliation

log = structlog.get_logger()

# How often a run says that it is alive; without a word for three times as long it counts as interrupted.
_BEAT_SECONDS = 10.0
_OF_PAYMENTS = {
    "invoices",
    "invoice_payments",
    "checkout_sessions",
    "payment_intents",
    "charges",
    "refunds",
    "disputes",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What to compare: which nouns, of objects made at `since` (Unix seconds) or later. `fix` repairs; `confirm` is an
    operator's word that rows may be gone at Stripe, however many."""

    fix: bool = False
    confirm: bool = False
    objects: tuple[str, ...] = NAMES
    since: int | None = None


async def reconcile(
    parts: Parts,
    environment: str,
    asked: Asked,
    operator: Operator,
    *,
    on_progress: Callable[[Progress], None] | None = None,
) -> dict[str, Any]:
    """Run to the end and answer the report with its first findings; what goes wrong at Stripe is in it.

    Raises NotConfigured without a key, and Unavailable when a sync, or another run, does not end within 20 s.
    """
    connection = await parts.connections.current(environment)
    async with leased(parts.db, environment):
        await reconciliations.end_dead_ones(parts.db, environment, alive_too=True)
        run = Reconciliation(
            environment,
            connection.account_id,
            asked.fix,
            asked.confirm,
            asked.objects,
            asked.since,
            operator.actor,
        )
        await _begin(parts, run, operator)
        lists = Lists(parts, run, 0, on_progress)
        try:
            async with _alive(lists):
                unconfirmed = await _compare(lists)
                if run.fix:
                    await repair(lists)
        except (errors.PaygresError, Unreadable) as error:
            await _end(lists, error=str(error))
        except Exception:
            await _end(lists, error="It stopped at an internal error")
            raise
        else:
            refused = "; ".join(
                [*(f"{name}: {reason}" for name, reason in lists.refused.items()), *broken_ones(lists.broken)]
            )
            await _end(lists, error=refused or None, unconfirmed=unconfirmed)
            if (
                run.fix
                and run.since is None
                and set(run.objects) == set(NAMES)
                and not (refused or any(unconfirmed.values()))
            ):
                await sweeps.close_horizon(parts.db, environment)
    return await read_report(parts.db, environment, ident=run.id)


async def _begin(parts: Parts, run: Reconciliation, operator: Operator) -> None:
    async with parts.db.as_service() as tx:
        await reconciliations.insert(tx, run)
        await rows.mark(tx, run.id)
        if run.fix:
            await audit.record(
                tx,
                actor=operator.actor,
                action="reconcile.fix",
                environment=run.environment,
                target=str(run.id),
                reason=operator.reason,
                details={"objects": run.objects, "since": run.since, "confirm": run.confirm},
                request_id=operator.request_id,
            )


async def _compare(lists: Lists) -> dict[str, int]:
    run, parts = lists.run, lists.parts
    connection = await lists.connection()
    answer = await parts.gateway.request(connection.stripe_key, "get", "/v1/account", priority="backfill")
    if answer.object.get("id") != run.account_id:
        raise errors.Upstream("The stored key belongs to another Stripe account than the connected one")
    lists.began = answer.as_of
    await read_lists(lists)
    await look_again(lists)
    unconfirmed = await find_extras(lists)
    if _OF_PAYMENTS & set(run.objects):
        await compare_payments(lists)
    if not await rows.is_marked(parts.db, run.id):
        raise errors.Unavailable("PostgreSQL crashed meanwhile, and what was listed is forgotten; run it again")
    await rows.insert_unmapped(
        parts.db,
        run.id,
        run.environment,
        run.account_id,
        subscriptions="subscriptions" in run.objects,
        customers="customers" in run.objects,
    )
    return unconfirmed


@asynccontextmanager
async def _alive(lists: Lists) -> AsyncIterator[None]:
    """Say so while the run lasts; one that is cancelled or killed falls silent and counts as interrupted."""

    async def beat() -> None:
        mine = True
        while mine:
            mine = await reconciliations.beat(lists.parts.db, lists.run, lists.counts)
            await asyncio.sleep(_BEAT_SECONDS)

    async with meanwhile(beat()):
        yield


async def _end(lists: Lists, *, error: str | None, unconfirmed: dict[str, int] | None = None) -> None:
    counts = {name: count for name, count in lists.counts.items() if name in NAMES}
    await reconciliations.finish(lists.parts.db, lists.run, error=error, counts=counts, unconfirmed=unconfirmed)
    log.info("reconciled", environment=lists.run.environment, fix=lists.run.fix, failed=error is not None, **counts)
