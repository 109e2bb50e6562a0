"""Functions of this process are made known to the others when it starts, and that it still runs now and then; an
operator forgets one that no program has any more."""

from typing import Any

from paygres.server.errors import NotFound
from paygres.server.flows.listeners import AfterCommitCall, Listener
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.tables import audit, listeners


async def register_listeners(parts: Parts) -> None:
    """Before the first event is received: from then on no other process finishes an event without them."""
    if not parts.listeners.names() and not parts.listeners.after_commit_names():
        return
    async with parts.db.as_service() as tx:
        for one in sorted(parts.listeners.all(), key=_name):  # in one order, as another program starts beside us
            await listeners.register(tx, one.name, one.environment, one.types)
        for one in sorted(parts.listeners.all_after_commit(), key=_name):
            await listeners.register_after_commit(tx, one.name, one.environments, one.types)


def _name(one: Listener | AfterCommitCall) -> str:
    return one.name


async def show_listeners_alive(parts: Parts) -> int:
    """The worker's duty."""
    names = parts.listeners.names()
    if names:
        await listeners.seen(parts.db, names)
    return 0


async def list_listeners(parts: Parts) -> list[dict[str, Any]]:
    """Of every process that ever had any, by name."""
    return [
        {
            "name": one.name,
            "environment": one.environment,
            "eventTypes": one.event_types,
            "waitingEvents": one.waiting,
            "lastSeenAt": one.last_seen_at,
            "createdAt": one.created_at,
        }
        for one in await listeners.select_all(parts.db)
    ]


async def forget_listener(parts: Parts, name: str, operator: Operator) -> None:
    """Events that waited for it go on without it. Raises NotFound."""
    async with parts.db.as_service() as tx:
        if not await listeners.forget(tx, name):
            raise NotFound(f"No listener is named {name}", code="LISTENER_NOT_FOUND")
        await audit.record(
            tx,
            actor=operator.actor,
            action="listener.forget",
            target=name,
            reason=operator.reason,
            request_id=operator.request_id,
        )
    parts.wake.set()
