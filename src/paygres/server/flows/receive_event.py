"""POST /api/webhooks/stripe/{environment}: verify, apply in one transaction, answer 200 once durably stored."""

import asyncio
import time
from typing import Any

import orjson
import structlog

from paygres.server.errors import InvalidRequest, NotConfigured, Unavailable
from paygres.server.flows.apply_event import Applied, Road, apply_event, keep, unmarked
from paygres.server.flows.connections import WebhookSide
from paygres.server.flows.count_event import count_event
from paygres.server.flows.parts import Parts
from paygres.server.flows.probe_webhook_endpoint import PROBE_TYPE, answer_probe
from paygres.server.metrics import signature_failed
from paygres.server.projections.events import Event, read_event
from paygres.server.projections.snapshots import Unreadable
from paygres.server.stripe_gateway.signature import verify
from paygres.server.tables.sqlstates import Contended, TooLong

log = structlog.get_logger()

ANSWER_SECONDS = 2.8  # Stripe holds the buyer's redirect for our answer (decision 8)
KEPT = "not finished within the time of the webhook's answer"


async def receive_event(parts: Parts, environment: str, payload: bytes, signature: str) -> dict[str, Any]:
    """`{received, handled, event}`; 200 means stored, whatever became of projections and triggers.

    Raises InvalidRequest for a signature or body that does not hold, Unavailable (503, Retry-After) when
    the event could not be stored, so that Stripe delivers it again.
    """
    side = await parts.connections.webhook(environment)
    if not side.secrets:
        raise NotConfigured(f"STRIPE_{environment.upper()}_WEBHOOK_SECRET is not configured")
    try:
        side = await _verified(parts, environment, side, payload, signature)
    except InvalidRequest:
        signature_failed(environment)
        raise
    event, text = _parse(payload)
    road = Road(
        environment,
        side.account_id,
        side.connected_at,
        parts.installation_id,
        listeners=parts.listeners,
        turns=parts.turns,
    )
    if event.type == PROBE_TYPE:
        return answer_probe(event, parts.installation_id, unmarked(road, event, "ignored", 1, None))
    began = time.perf_counter()
    applied = await _apply_or_keep(parts, road, event, text)
    count_event(environment, event, applied.status, began, first=applied.status != "done")
    parts.waiters.ring(event.object_id)
    if applied.unfinished:
        parts.wake.set()
        log.warning(
            "event unfinished",
            stripe_event_id=event.id,
            event_type=event.type,
            status=applied.status,
            reason=applied.event.get("lastError"),
        )
    return {"received": True, "handled": applied.handled, "event": applied.event}


async def _verified(parts: Parts, environment: str, side: WebhookSide, payload: bytes, signature: str) -> WebhookSide:
    try:
        verify(payload, signature, side.secrets, now=time.time())
    except InvalidRequest:
        # Another process may just have configured a new endpoint: look once more before refusing.
        fresh = await parts.connections.webhook(environment, fresh=True)
        if fresh.secrets == side.secrets:
            raise
        verify(payload, signature, fresh.secrets, now=time.time())
        return fresh
    return side


def _parse(payload: bytes) -> tuple[Event, str]:
    try:
        body = orjson.loads(payload)
        text = payload.decode("utf-8")
    except ValueError:
        raise InvalidRequest("The webhook body is not valid JSON") from None
    if "\\u0000" in text:  # PostgreSQL cannot hold NUL; the event is kept with it replaced
        body = _without_nul(body)
        text = orjson.dumps(body).decode()
    try:
        return read_event(body), text
    except Unreadable as reason:
        raise InvalidRequest(f"Stripe webhook not understood: {reason}") from None


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, list):
        return [_without_nul(v) for v in value]
    if isinstance(value, dict):
        return {_without_nul(k): _without_nul(v) for k, v in value.items()}
    return value


async def _apply_or_keep(parts: Parts, road: Road, event: Event, text: str) -> Applied:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await apply_event(parts.db, road, event, text)
    except Exception as error:
        slow = isinstance(error, TimeoutError | Contended | TooLong)
        if isinstance(error, Unavailable) and not slow:
            raise  # the database is away: Stripe delivers again
        reason = KEPT if slow else f"not applied: {type(error).__name__}"
        return await _keep(parts, road, event, text, reason, error)


async def _keep(parts: Parts, road: Road, event: Event, text: str, reason: str, cause: Exception) -> Applied:
    """Whatever went wrong, the event itself is stored for the worker; else Stripe must deliver it again."""
    if reason is not KEPT:
        log.error("event not applied", stripe_event_id=event.id, event_type=event.type, exc_info=cause)
    try:
        await keep(parts.db, road, event, text, reason)
    except Contended:
        raise Unavailable("This event is being processed by another delivery", retry_after=5) from cause
    return Applied("pending", False, unmarked(road, event, "pending", 1, reason))
