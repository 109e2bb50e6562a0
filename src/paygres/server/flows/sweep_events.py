"""Compare Stripe's list of events with the ledger, again and again: what did not come is fetched.

The last two minutes every minute, the last hour every hour, after a pause everything since. `complete_through` is
published only when all that Stripe listed up to it is stored, so it never names a time with a hole behind it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from paygres.server.errors import NotConfigured, PaygresError, Unavailable
from paygres.server.flows.connections import Connection
from paygres.server.flows.parts import Parts
from paygres.server.flows.side_by_side import meanwhile
from paygres.server.flows.sweep_stretch import list_stretch, store_missing
from paygres.server.flows.sweep_windows import (
    FEW_LISTED,
    FIRST_STEP,
    LONGEST_STEP,
    MOST_HELD,
    Stretch,
    complete_through,
    earliest,
    groups,
    plan,
    shorter,
    step,
)
from paygres.server.metrics import events_swept
from paygres.server.stripe_gateway.budget import Priority
from paygres.server.stripe_gateway.keys import ENVIRONMENTS
from paygres.server.tables import sweeps
from paygres.server.tables.sweeps import Claim

log = structlog.get_logger()

LEASE = timedelta(seconds=20)

OnStretch = Callable[[Stretch, int], Awaitable[None]]


@dataclass(slots=True)
class Swept:
    """What a look at Stripe's list found. `missing` events were not in the ledger; `outcomes` says what became of them
    (processed, ignored, failed, pending; done: they came meanwhile; unreadable), nothing when they were only counted.
    """

    listed: int = 0
    missing: int = 0
    outcomes: dict[str, int] = field(default_factory=dict[str, int])


async def sweep_events(parts: Parts) -> int:
    """The worker's duty: accounts whose turn it is are swept beside its other work. Always 0: it is not waited for."""
    for environment in ENVIRONMENTS:
        try:
            connection = await parts.connections.current(environment)
        except NotConfigured:
            continue
        since = earliest(connection.connected_at, time.time())
        claimed = await sweeps.claim(parts.db, environment, connection.account_id, since, LEASE)
        if claimed is not None:
            parts.errands.start(sweep(parts, connection, claimed))
    return 0


async def sweep(parts: Parts, connection: Connection, claimed: Claim) -> Swept | None:
    """One run. What it stored and published stays, however it ends; None when it did not come to its end."""
    try:
        async with _kept(parts, claimed):
            swept = await _sweep(parts, connection, claimed)
            await sweeps.finish(parts.db, claimed, swept.listed, swept.missing)
    except sweeps.Superseded:
        log.info("sweep is carried on elsewhere", environment=claimed.environment)
    except PaygresError as error:
        log.warning("sweep ended early", environment=claimed.environment, reason=error.message)
        await sweeps.fail(parts.db, claimed, error.message)
    except Exception:
        await sweeps.fail(parts.db, claimed, "The sweep stopped at an internal error")
        raise
    else:
        if swept.missing:
            log.warning("events had not arrived", environment=claimed.environment, missing=swept.missing)
        return swept
    return None


async def sweep_window(
    parts: Parts,
    environment: str,
    since: int,
    until: int | None = None,
    *,
    types: Collection[str] | None = None,
    priority: Priority = "sweep",
    store: bool = True,
) -> Swept:
    """Look once at what Stripe lists from `since` to `until` (Unix seconds, the second not included; None: until now).

    `types`: only these. `store=False` counts and changes nothing. Publishes nothing. Raises NotConfigured, whatever a
    request to Stripe may raise, and Unavailable when an event could not be stored.
    """
    connection = await parts.connections.current(environment)
    return await _walk(parts, connection, since, until, types=types, priority=priority, store=store)


async def _sweep(parts: Parts, connection: Connection, claimed: Claim) -> Swept:
    wanted = plan(claimed, time.time())
    if wanted.lost:
        await sweeps.begin_anew(parts.db, claimed, wanted.since)
        log.error("events are older than Stripe keeps them", environment=claimed.environment)
    first = Swept()
    if wanted.undelivered_first:
        first = await _walk(parts, connection, wanted.since, undelivered=True)

    async def publish(stretch: Stretch, as_of: int) -> None:
        await sweeps.publish(parts.db, claimed, stretch.since, complete_through(stretch, as_of))

    swept = await _walk(parts, connection, wanted.since, on_stretch=publish)
    outcomes = {name: first.outcomes.get(name, 0) + swept.outcomes.get(name, 0) for name in _OUTCOMES}
    return Swept(swept.listed, first.missing + swept.missing, outcomes)


_OUTCOMES = ("processed", "ignored", "failed", "pending", "done", "unreadable")


async def _walk(
    parts: Parts,
    connection: Connection,
    since: int,
    until: int | None = None,
    *,
    types: Collection[str] | None = None,
    priority: Priority = "sweep",
    undelivered: bool = False,
    store: bool = True,
    on_stretch: OnStretch | None = None,
) -> Swept:
    """From the oldest stretch to the newest, each stored before the next is read. Long where little is listed."""
    swept, wanted, seconds, divided = Swept(), groups(types), FIRST_STEP, False
    while until is None or since < until:
        stretch = step(since, seconds, until, time.time(), divided=divided)
        half = shorter(stretch, time.time())
        most = MOST_HELD if store and half is not None else None
        found = await list_stretch(parts, connection, stretch, wanted, priority, undelivered=undelivered, most=most)
        if found is None:
            assert half is not None
            seconds, divided = half, True
            continue
        swept.listed += found.listed
        swept.missing += len(found.missing)
        if store:
            for name, number in (await store_missing(parts, connection, found)).items():
                swept.outcomes[name] = swept.outcomes.get(name, 0) + number
            events_swept(connection.environment, found.listed, len(found.missing))
        if on_stretch is not None and found.as_of is not None:
            await on_stretch(stretch, found.as_of)
        if stretch.until is None:
            break
        since = stretch.until
        if found.listed < FEW_LISTED:
            seconds = min(seconds * 2, LONGEST_STEP)
    return swept


@asynccontextmanager
async def _kept(parts: Parts, claimed: Claim) -> AsyncIterator[None]:
    """Holds the lease by a beat; one that was lost is noticed when something is to be published."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 4)
            with suppress(Unavailable):
                await sweeps.extend(parts.db, claimed, LEASE)

    async with meanwhile(beat()):
        yield
