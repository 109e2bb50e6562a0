"""The worker's duty: messages about fulfillments leave the outbox, to URLs (signed) and to functions of this process.
At least once, in no promised order; nothing of the database is held while a receiver takes its time."""

import asyncio
import random
import time
import uuid
from collections import defaultdict
from datetime import timedelta

import orjson
import structlog

from paygres.server.errors import PaygresError, Upstream
from paygres.server.flows.listeners import Message
from paygres.server.flows.parts import Parts
from paygres.server.flows.signing import secret_names, signature_headers
from paygres.server.stripe_gateway.delivery import post
from paygres.server.tables import outbox, secrets
from paygres.server.tables.outbox import Due

log = structlog.get_logger()

AT_A_TIME = 10  # for each destination: a slow one keeps no other waiting
FUNCTION_SECONDS = 60.0
LEASE = timedelta(seconds=90)
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 6 * 3600.0  # seconds, doubling
MAX_ATTEMPTS = 24  # about three days
_LONGEST = 500


class _Refused(Exception):
    """The receiver answered, and not with 2xx."""


async def deliver_messages(parts: Parts) -> int:
    """Start to send what is due, destination by destination; how many messages."""
    due = await outbox.lease(parts.db, AT_A_TIME, LEASE, parts.busy_destinations, parts.listeners.after_commit_names())
    of_destination: dict[uuid.UUID, list[Due]] = defaultdict(list)
    for one in due:
        of_destination[one.destination_id].append(one)
    for destination_id, messages in of_destination.items():
        parts.busy_destinations.add(destination_id)
        parts.errands.start(_send_all(parts, destination_id, messages))
    return len(due)


async def _send_all(parts: Parts, destination_id: uuid.UUID, messages: list[Due]) -> None:
    try:
        await asyncio.gather(*(_send(parts, one) for one in messages))
    finally:
        parts.busy_destinations.discard(destination_id)
    parts.wake.set()


async def _send(parts: Parts, one: Due) -> None:
    try:
        await (_post(parts, one) if one.kind == "webhook" else _call(parts, one))
    except Exception as error:
        reason = error.message if isinstance(error, PaygresError) else _said(one, error)
        attempts = one.attempts + 1
        log.warning("message not delivered", message=str(one.id), destination=one.name, attempt=attempts, reason=reason)
        await outbox.failed(parts.db, one.id, reason, retry_in(attempts))
    else:
        await outbox.delivered(parts.db, one.id)


def _said(one: Due, error: Exception) -> str:
    if isinstance(error, _Refused):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"{one.name} took longer than {FUNCTION_SECONDS:.0f} s"
    return f"{one.name}: {type(error).__name__} {error}"[:_LONGEST]


async def _call(parts: Parts, one: Due) -> None:
    message = Message(str(one.id), one.type, one.created_at, one.environment, orjson.loads(one.content))
    async with asyncio.timeout(FUNCTION_SECONDS):
        await parts.listeners.after_commit(one.name)(message)


async def _post(parts: Parts, one: Due) -> None:
    names = secret_names(one.destination_id)
    sealed = await secrets.select_live(parts.db, names)
    opened = [parts.connections.unseal(name, one.environment, sealed.get(name)) for name in names]
    in_force = [secret for secret in opened if secret]
    if not in_force:
        raise Upstream("its signing secret cannot be read; rotate it")
    payload = orjson.dumps(
        {
            "id": str(one.id),
            "type": one.type,
            "createdAt": one.created_at,
            "environment": one.environment,
            "fulfillment": orjson.loads(one.content),
        }
    )
    answer = await post(one.url or "", payload, signature_headers(str(one.id), payload, in_force, time.time()))
    if not 200 <= answer.status < 300:
        followed = ", and redirects are not followed" if 300 <= answer.status < 400 else ""
        raise _Refused(f"it answered HTTP {answer.status}{followed}")


def retry_in(attempts: int) -> timedelta | None:
    """Backoff with jitter: 5 s, doubling to six hours; None (given up) after the last attempt."""
    if attempts >= MAX_ATTEMPTS:
        return None
    seconds = min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))
