"""Read a Stripe account anew, or only some of its objects; carry on a sync whose process died.

Pages go the same road as events, so a list that is older than an event changes nothing. Nothing is fulfilled by it:
fulfillment hangs on events.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from paygres.server import errors
from paygres.server.flows.confirm_missing import Missing, confirm_missing
from paygres.server.flows.connections import Connection, leased
from paygres.server.flows.parts import Parts
from paygres.server.flows.read_connections import read_connection
from paygres.server.flows.sync_pages import STRIPE_BEGAN, Progress, WindowReader
from paygres.server.flows.sync_plan import NAMES, STAGES, listings
from paygres.server.metrics import sync_ended
from paygres.server.projections.snapshots import Unreadable
from paygres.server.tables import audit, connections, syncs
from paygres.server.tables.syncs import Sync

log = structlog.get_logger()

# A list read longer ago than this says too little about today: a sync that was broken off then begins anew.
_RESUMABLE_SECONDS = 3600

OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which nouns to read, and whether an operator said that what Stripe does not have any more is to be deleted."""

    objects: tuple[str, ...] = NAMES
    confirm_missing: bool = False
    requested_by: str = "server"
    request_id: str | None = None


@dataclass(slots=True)
class _Outcome:
    """How a sync went. `error` is a sentence for people."""

    error: str | None = None
    counts: dict[str, int] = field(default_factory=dict[str, int])
    missing: Missing = field(default_factory=Missing)
    unmapped: int = 0


EVERYTHING = Wanted()


async def sync_environment(
    parts: Parts, environment: str, wanted: Wanted = EVERYTHING, *, on_progress: OnProgress | None = None
) -> dict[str, Any]:
    """Bring the mirror up to date; the contract's sync result (1.6), and under `sync` what it found beside that.

    Never raises for what Stripe or the configuration does: the outcome is in the connection. An environment
    without a key is left alone, and is no failure (F60). Raises `Unavailable` when another sync of it does
    not end within 20 s.
    """
    outcome: _Outcome | None = None
    if await parts.connections.has_key(environment):
        async with leased(parts.db, environment):
            outcome = await _sync(parts, environment, wanted, on_progress)
    return await _told(parts, environment, outcome)


async def resume_syncs(parts: Parts) -> int:
    """The worker's duty: syncs whose process died go on beside its other work. Returns how many there are."""
    abandoned = await syncs.select_abandoned(parts.db)
    for environment in abandoned:
        parts.errands.start(_resume(parts, environment))
    return 0


async def _resume(parts: Parts, environment: str) -> None:
    async with leased(parts.db, environment):
        left = await syncs.select_running(parts.db, environment)
        if left is not None:  # else somebody else was faster
            wanted = Wanted(left.objects, left.confirm_missing, left.requested_by)
            await _sync(parts, environment, wanted, None)


async def _sync(parts: Parts, environment: str, wanted: Wanted, on_progress: OnProgress | None) -> _Outcome:
    """One run, holding the environment's lease. Cancelled, it leaves a sync that can be carried on."""
    sync: Sync | None = None
    try:
        connection = await parts.connections.current(environment)
        account = await _account(parts, connection)
        sync = await _begin(parts, connection, wanted)
        outcome = await _read(parts, sync, account, on_progress)
    except syncs.Superseded as lost:
        return _Outcome(error=lost.message)
    except (errors.PaygresError, Unreadable) as error:
        return await _failed(parts, environment, sync, str(error))
    except Exception:
        await _failed(parts, environment, sync, "The sync stopped at an internal error")
        raise
    return await _ended(parts, sync, account, outcome)


async def _account(parts: Parts, connection: Connection) -> dict[str, Any]:
    answer = await parts.gateway.request(connection.stripe_key, "get", "/v1/account", priority="backfill")
    if connection.account_id and answer.object.get("id") != connection.account_id:
        raise errors.Upstream("The stored key belongs to another Stripe account than the connected one")
    return answer.object


async def _begin(parts: Parts, connection: Connection, wanted: Wanted) -> Sync:
    """The unfinished sync when it is the same and not too old, else a new one."""
    left = await syncs.select_running(parts.db, connection.environment)
    if left is not None:
        same = (left.account_id, set(left.objects), left.confirm_missing) == (
            connection.account_id,
            set(wanted.objects),
            wanted.confirm_missing,
        )
        mine = await syncs.take_over(parts.db, left)
        if same and left.age < _RESUMABLE_SECONDS:
            log.info("sync carried on", environment=connection.environment, age=left.age)
            return mine
        await syncs.finish(parts.db, mine, error="It was broken off, and another sync began")
    sync = Sync(
        connection.environment, connection.account_id, wanted.objects, wanted.confirm_missing, wanted.requested_by
    )
    async with parts.db.as_service() as tx:
        await syncs.insert(tx, sync, [listing.key for listing in listings(wanted.objects)])
        if wanted.confirm_missing:
            await audit.record(
                tx,
                actor=wanted.requested_by,
                action="sync.confirm_missing",
                environment=connection.environment,
                target=str(sync.id),
                details={"objects": wanted.objects},
                request_id=wanted.request_id,
            )
    return sync


async def _read(parts: Parts, sync: Sync, account: dict[str, Any], on_progress: OnProgress | None) -> _Outcome:
    oldest = account.get("created")
    reader = WindowReader(
        parts,
        sync,
        await syncs.select_windows(parts.db, sync.id),
        oldest=oldest if isinstance(oldest, int) else STRIPE_BEGAN,
        on_progress=on_progress,
    )
    for stage in STAGES:
        await reader.read(stage)
    missing = await confirm_missing(parts, sync, reader)
    unmapped = await syncs.count_unmapped(parts.db, sync.environment, sync.account_id)
    refused = "; ".join(f"{name}: {reason}" for name, reason in reader.refused.items())
    return _Outcome(refused or None, reader.counts, missing, unmapped)


async def _ended(parts: Parts, sync: Sync, account: dict[str, Any], outcome: _Outcome) -> _Outcome:
    """Every list was read to its end or refused. A sync of some objects says nothing about the others."""
    mine = await syncs.finish(
        parts.db, sync, error=outcome.error, counts=outcome.counts, missing=outcome.missing.unconfirmed
    )
    if not mine:
        return _Outcome(error="Another process carries this sync on")
    if outcome.error is not None:
        await connections.update_sync_failed(parts.db, sync.environment, outcome.error)
        sync_ended(sync.environment, "failed")
        log.warning("sync failed", environment=sync.environment, reason=outcome.error)
        return outcome
    if set(sync.objects) == set(NAMES):
        await connections.update_sync_succeeded(parts.db, sync.environment, account, outcome.counts)
    else:
        await syncs.update_counts(parts.db, sync.environment, sync.account_id, outcome.counts)
    sync_ended(sync.environment, "succeeded")
    log.info("sync finished", environment=sync.environment, **outcome.counts)
    return outcome


async def _failed(parts: Parts, environment: str, sync: Sync | None, error: str) -> _Outcome:
    if sync is None or await syncs.finish(parts.db, sync, error=error):
        await connections.update_sync_failed(parts.db, environment, error)
        sync_ended(environment, "failed")
        log.warning("sync failed", environment=environment, reason=error)
    return _Outcome(error=error)


async def _told(parts: Parts, environment: str, outcome: _Outcome | None) -> dict[str, Any]:
    subscriptions = None
    if outcome is not None and outcome.error is None:
        subscriptions = {
            "environment": environment,
            "synced": outcome.counts.get("subscriptions", 0),
            "unmapped": outcome.unmapped,
            "deleted": outcome.missing.deleted.get("subscriptions", 0),
        }
    return {
        "environment": environment,
        "connection": await read_connection(parts.db, environment),
        "subscriptions": subscriptions,
        "sync": None
        if outcome is None
        else {
            "status": "failed" if outcome.error else "succeeded",
            "error": outcome.error,
            "counts": outcome.counts,
            "deleted": outcome.missing.deleted,
            "missing": outcome.missing.unconfirmed,
        },
    }
