"""Apply one stored or arriving event: ONE transaction, whatever the road (webhook, retry, sweep, replay).

record -> locks -> settle -> project -> apply -> mark; a failing projection or developers' trigger is
rolled back to its own savepoint and the event is left to the worker with its reason.
"""

import asyncio
import random
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple

from paygres.server.db.database import Database, Tx
from paygres.server.flows.listeners import Listeners
from paygres.server.flows.run_listeners import Ending, close_with_listeners
from paygres.server.flows.turns import Turns
from paygres.server.projections.chain_gaps import gap_before
from paygres.server.projections.events import Event, snapshot_of
from paygres.server.projections.project import Rows, in_lock_order, lock, project
from paygres.server.projections.snapshots import Unreadable
from paygres.server.projections.stamps import is_foreign
from paygres.server.tables import events
from paygres.server.tables.sqlstates import Contended

MAX_ATTEMPTS = 56  # with the backoff below: about two days
LOCK_SECONDS = 0.9  # the webhook pool's lock_timeout
PARKED_RETRY = timedelta(hours=1)
NOBODY = Listeners()


@dataclass(frozen=True, slots=True)
class Road:
    """What an event meets on its way: whose account it is read for, and how long it may take.

    `connected_at` is the watermark in Unix seconds; `seconds` bounds all attempts together; `limits` are SET LOCAL
    statements for a road that has more patience with developers' code than the webhook pool has. `listeners` are this
    process's; they may take `listener_seconds` in all. With `turns` others about the same payment are waited for before
    a connection is taken.
    """

    environment: str
    account_id: str
    connected_at: int
    installation_id: str
    seconds: float = 2.6
    limits: str = ""
    listeners: Listeners = NOBODY
    listener_seconds: float = 1.5
    turns: Turns | None = None


class Applied(NamedTuple):
    """`status` is processed, ignored, failed or pending; `handled` as in the contract; `unfinished` leaves work."""

    status: str
    handled: bool
    event: dict[str, Any]

    @property
    def unfinished(self) -> bool:
        return self.status in ("failed", "pending")


async def apply_event(db: Database, road: Road, event: Event, payload: str) -> Applied:
    """Apply the event; deadlocks and lock timeouts retry the whole transaction in place.

    Raises Contended when `road.seconds` were not enough; nothing is stored then.
    """
    deadline = time.monotonic() + road.seconds
    if road.turns is None:
        return await _until(deadline, db, road, event, payload)
    # What is left then is enough for one attempt.
    patience = road.seconds - LOCK_SECONDS
    async with road.turns.turn(road.environment, next(iter(_payments(event)), event.object_id), patience):
        return await _until(deadline, db, road, event, payload)


async def keep(db: Database, road: Road, event: Event, payload: str, reason: str) -> None:
    """Store nothing but the event, for the worker to apply a second from now."""
    await events.keep_event(
        db,
        road.environment,
        road.account_id,
        event,
        payload,
        reason,
        timedelta(seconds=1),
        left_out=left_out(road, event) is not None,
    )


def _payments(event: Event) -> tuple[str, ...]:
    """The payments that the event's object is about, its own first."""
    kind = event.kind
    return kind.payment_keys(event.raw) if kind and "id" in event.raw else ()


async def _until(deadline: float, db: Database, road: Road, event: Event, payload: str) -> Applied:
    while True:
        try:
            return await _in_one_transaction(db, road, event, payload)
        except Contended:
            pause = random.uniform(0.01, 0.05)
            if time.monotonic() + pause + LOCK_SECONDS > deadline:
                raise
            await asyncio.sleep(pause)


async def _in_one_transaction(db: Database, road: Road, event: Event, payload: str) -> Applied:
    async with db.as_service("webhook", settings=road.limits) as tx:
        return await apply_within(tx, road, event, payload)


async def apply_within(tx: Tx, road: Road, event: Event, payload: str) -> Applied:
    """`apply_event` in a transaction whose end is the caller's: a rehearsal rolls it back."""
    kind = event.kind
    stranger = left_out(road, event)
    object_lock, payment_keys = None, list[str]()
    if kind and "id" in event.raw and stranger is None:
        object_lock = lock(road.environment, kind.name, event.object_id)
        payment_keys = in_lock_order(_payments(event))
    opened = await events.open_event(
        tx,
        road.environment,
        road.account_id,
        event,
        payload,
        object_lock,
        payment_keys,
        left_out=stranger is not None,
    )
    if opened.state == "done":
        return Applied("done", False, opened.event or unmarked(road, event, "processed", 1, None))
    attempts = opened.attempts + 1
    if opened.replayed or opened.watermark is not None:  # taken on before: what holds is what held then
        road = replace(road, connected_at=0 if opened.replayed else min(road.connected_at, opened.watermark or 0))
    status, reason, rows = _decide(road, event, opened) if stranger is None else ("ignored", stranger, None)
    if opened.parked and rows is not None and status != "pending":
        await events.keep_rendering(tx, road.environment, event.id, payload)
    ending = Ending(
        road.environment,
        road.account_id,
        event,
        payload,
        rows,
        status,
        reason,
        attempts,
        opened.state == "retry",
        retry_in(attempts, parked=status == "pending"),
    )
    if opened.listeners and _is_told(road, event, status, reason):
        closed = await close_with_listeners(tx, ending, opened.listeners, road.listeners, road.listener_seconds)
    else:
        closed = await ending.close(tx)
    marked = closed.event
    if marked is None:
        marked = await events.mark_unfinished(tx, road.environment, road.account_id, payload, closed, attempts)
    handled = closed.status in ("processed", "ignored") and rows is not None
    return Applied(closed.status, handled, marked or unmarked(road, event, closed.status, attempts, closed.error))


def _decide(road: Road, event: Event, opened: events.Opened) -> tuple[str, str | None, Rows | None]:
    """(status, reason, rows): what becomes of an event that is ours, before the database has its say."""
    kind = event.kind
    if kind is None:
        return "ignored", None, None
    try:
        kind.check(event.raw)
        rivals = [snapshot_of(r) for r in opened.rivals]
        rows = project(kind, event.snapshot(), rivals, opened.head, opened.family, opened.invoice)
        if opened.before is not None and (gap := gap_before(event, opened.before)):
            rows["gaps"] = [gap]
    except Unreadable as reason:
        if not (opened.parked and _is_known_since(event, opened.head)):
            return "pending", f"parked: {reason}", _asked_once(event, opened.attempts)
        rows = None  # the object was read at Stripe since: the mirror is right without it
    except Exception as error:  # a shape we did not foresee must not lose the event
        return "failed", f"projection: {type(error).__name__}", None
    if event.created < road.connected_at:
        return "ignored", "older than this connection: projected, fulfills nothing until it is replayed", rows
    return "processed", None, rows


def _is_known_since(event: Event, head: dict[str, Any] | None) -> bool:
    """Whether what is settled of the object is no older than the event: read at Stripe, or told by a later event."""
    if head is None:
        return False
    return head["as_of"] > event.created or (head["as_of"], head["source"]) == (event.created, "api")


def _is_told(road: Road, event: Event, status: str, reason: str | None) -> bool:
    """Listeners hear what triggers would: no foreign event and none from before the connection. They also hear of
    events that are only recorded, such as payouts."""
    recorded = status == "ignored" and reason is None and event.created >= road.connected_at
    return status == "processed" or recorded


def _asked_once(event: Event, attempts: int) -> Rows | None:
    """Stripe can tell the object in the version that is read here, so its state need not wait for the event."""
    if attempts or "id" not in event.raw:
        return None
    why = "an event rendered it in a way that cannot be read"
    return {"refetches": [{"object_type": event.object_type, "object_id": event.object_id, "reason": why}]}


def left_out(road: Road, event: Event) -> str | None:
    """Why an event is kept and changes nothing here; None for one that is ours. A rebuild asks the same."""
    if event.livemode != (road.environment == "live"):
        return "livemode does not fit this environment"
    if event.account and road.account_id and event.account != road.account_id:
        return f"belongs to another account ({event.account})"
    if is_foreign(event.raw, road.installation_id):
        return "foreign: made by another Paygres installation on this Stripe account"
    return None


def retry_in(attempts: int, *, parked: bool = False) -> timedelta | None:
    """Backoff with jitter: 5 s, doubling to an hour; None (dead: an operator decides) after the last attempt."""
    if parked:
        return PARKED_RETRY
    if attempts >= MAX_ATTEMPTS:
        return None
    return timedelta(seconds=min(5 * 2 ** (attempts - 1), 3600) * random.uniform(0.8, 1.2))


def unmarked(road: Road, event: Event, status: str, attempts: int, error: str | None) -> dict[str, Any]:
    """The contract's shape for an event that developers' triggers keep out of payments.webhook_events."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    return {
        "environment": road.environment,
        "eventId": event.id,
        "eventType": event.type,
        "livemode": event.livemode,
        "accountId": road.account_id or None,
        "objectType": event.object_type,
        "objectId": event.object_id,
        "processingStatus": status,
        "attemptCount": attempts,
        "lastError": error,
        "receivedAt": now,
        "processedAt": None,
        "createdAt": now,
        "updatedAt": now,
    }
