"""The end of an event that developers' Python listens to: rows, listeners and mark in the event's one transaction.
A listener that raises or is slow takes its writes and the mark back; the projections stay, the event is tried again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import orjson

from paygres.server.db.database import SERVICE_ROLE, Tx
from paygres.server.flows.listeners import Listener, Listeners, StripeEvent
from paygres.server.flows.transaction import Transaction
from paygres.server.projections.events import Event
from paygres.server.tables import events
from paygres.server.tables.sqlstates import translated

_LONGEST = 500  # characters of an error
_TAKE_ROLE = "SAVEPOINT listener; SET LOCAL ROLE payments_trigger"
_GIVE_BACK = f"SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL ROLE {SERVICE_ROLE}; RELEASE SAVEPOINT listener"
_UNDO = "ROLLBACK TO SAVEPOINT listeners"


@dataclass(frozen=True, slots=True)
class Ending:
    """What is about to become of an event; `waited` when it has been in the queue, `retry_in` when it fails."""

    environment: str
    account_id: str
    event: Event
    payload: str
    rows: dict[str, Any] | None
    status: str
    reason: str | None
    attempts: int
    waited: bool
    retry_in: timedelta | None

    async def close(self, tx: Tx) -> events.Closed:
        """Apply the rows that are left, and mark."""
        return await events.close_event(
            tx,
            self.environment,
            self.account_id,
            self.payload,
            self.rows,
            self.status,
            self.reason,
            self.attempts,
            self.waited,
            self.retry_in,
        )


async def close_with_listeners(
    tx: Tx, ending: Ending, names: list[str], listeners: Listeners, seconds: float
) -> events.Closed:
    """`close_event` with the listeners between rows and mark; `seconds` is for all of them together.

    When this process lacks one of `names`, the rows are applied and the event is left to a process that has them all.
    """
    missing = listeners.missing(names, ending.event.type, ending.environment)
    if missing:
        reason = f"waits for a process that has {', '.join(missing)}"
        closed = await replace(ending, status="pending", reason=reason).close(tx)
        if closed.status == "pending":
            await events.wait_for(tx, ending.environment, ending.event.id, sorted(names))
        return closed
    if ending.rows is not None:
        status, error = await events.project_event(
            tx, ending.environment, ending.account_id, ending.payload, ending.rows
        )
        ending = replace(ending, rows=None)
        if status == "failed":
            return await replace(ending, status=status, reason=error).close(tx)
    with translated():
        await tx.execute("SAVEPOINT listeners")
    error = await _run(tx, ending, listeners.named(names), seconds)
    if error is None:
        closed = await ending.close(tx)
        if closed.status in ("processed", "ignored"):
            return closed
        error = closed.error  # a trigger on the mark: what was listened to falls with it
    with translated():
        await tx.execute(_UNDO)
    return await replace(ending, status="failed", reason=error).close(tx)


async def _run(tx: Tx, ending: Ending, called: list[Listener], seconds: float) -> str | None:
    """Each in its own savepoint and in the role of developers' triggers; the first error, None when all went well."""
    event = ending.event
    scope = asyncio.timeout(seconds)
    name = ""
    try:
        async with scope:
            for one in called:
                name = one.name
                contents = orjson.loads(ending.payload)["data"]
                told = StripeEvent(
                    event.id,
                    event.type,
                    event.created,
                    ending.environment,
                    event.livemode,
                    contents["object"],
                    contents.get("previous_attributes"),
                    event.api_version,
                    ending.account_id,
                    ending.payload,
                )
                await _within_savepoint(tx, lambda own, call=one.call, told=told: call(told, own))
    except Exception as error:
        if scope.expired():
            return f"listener {name}: took longer than {seconds:g} s"
        return f"listener {name}: {type(error).__name__} {error}"[:_LONGEST]
    return None


async def _within_savepoint(tx: Tx, call: Callable[[Transaction], Awaitable[object]]) -> None:
    await tx.execute(_TAKE_ROLE)
    own = Transaction(tx)
    try:
        await call(own)
    finally:
        own.close()
    await tx.execute(_GIVE_BACK)  # fails, as it should, when the listener has swallowed an error of PostgreSQL's
