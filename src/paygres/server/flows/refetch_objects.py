"""The worker's second duty: read at Stripe what events left open, with nothing held meanwhile."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import structlog

from paygres.server.errors import PaygresError, Upstream
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connections import Connection
from paygres.server.flows.parts import Parts
from paygres.server.projections.snapshots import Unreadable
from paygres.server.stripe_gateway.answer import Answer
from paygres.server.tables import reads

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
BATCH = 20
OTHER_ACCOUNT = timedelta(hours=1)
PATHS = {
    "charge": "/v1/charges/",
    "checkout.session": "/v1/checkout/sessions/",
    "customer": "/v1/customers/",
    "dispute": "/v1/disputes/",
    "invoice": "/v1/invoices/",
    "invoice_payment": "/v1/invoice_payments/",
    "payment_intent": "/v1/payment_intents/",
    "price": "/v1/prices/",
    "product": "/v1/products/",
    "refund": "/v1/refunds/",
    "subscription": "/v1/subscriptions/",
}
EXPANSIONS = {
    "customer": ["invoice_settings.default_payment_method", "default_source"],
    "invoice": ["payments"],
}


async def refetch_objects(parts: Parts) -> int:
    """Read what is due and apply it as API reads; returns how many were due."""
    due = await reads.lease_refetches(parts.db, BATCH, LEASE)
    for one in due:
        try:
            connection = await parts.connections.current(one.environment)
            if one.account_id and one.account_id != connection.account_id:
                await reads.postpone_refetch(parts.db, one, OTHER_ACCOUNT, "its Stripe account is not connected now")
                continue
            async for answer in _read(parts, connection, one):
                await apply_reads(parts.db, connection, _objects(answer.object), answer.as_of)
        except Upstream as error:
            if error.definite and error.status == 404:
                log.info("refetch dropped: Stripe does not have the object", object_id=one.object_id)
                await reads.drop_refetch(parts.db, one)
            else:
                await _postpone(parts, one, error.message)
        except Unreadable as error:
            await _postpone(parts, one, str(error))
        except PaygresError as error:
            await _postpone(parts, one, error.message)
        except Exception as error:  # not foreseen; it must not stand in the way of the others
            log.error("refetch failed", object_id=one.object_id, exc_info=error)
            await _postpone(parts, one, f"not applied: {type(error).__name__}")
        else:
            if await reads.wake_parked(parts.db, one):
                parts.wake.set()
            if one.object_type == "payment_intent.invoice":
                await reads.drop_refetch(parts.db, one)
    return len(due)


async def _read(parts: Parts, connection: Connection, one: reads.Refetch) -> AsyncIterator[Answer]:
    if one.object_type == "payment_intent.invoice":
        yield await _read_link(parts, connection, one.object_id)
        return
    expand = EXPANSIONS.get(one.object_type)
    answer = await _get(parts, connection, one.object_type, one.object_id, {"expand": expand} if expand else {})
    items = answer.object.get("items")
    if one.object_type == "subscription" and isinstance(items, dict) and items.get("has_more"):
        listed: list[dict[str, Any]] = []
        async for page, _ in parts.gateway.pages(
            connection.stripe_key, "/v1/subscription_items", {"subscription": one.object_id}, priority="refetch"
        ):
            listed += page
        answer.object["items"] = {**items, "data": listed, "has_more": False}
    yield answer


async def _read_link(parts: Parts, connection: Connection, payment_intent_id: str) -> Answer:
    """The invoice payments of an intent; when there are none it stands alone, and is weighed again as such."""
    answer = await parts.gateway.request(
        connection.stripe_key,
        "get",
        "/v1/invoice_payments",
        {"payment": {"type": "payment_intent", "payment_intent": payment_intent_id}},
        priority="refetch",
    )
    if answer.object.get("data"):
        return answer
    await reads.settle_standing_alone(parts.db, connection.environment, payment_intent_id)
    return await _get(parts, connection, "payment_intent", payment_intent_id, {})


async def _get(
    parts: Parts, connection: Connection, object_type: str, object_id: str, params: dict[str, Any]
) -> Answer:
    path = PATHS[object_type] + quote(object_id, safe="")
    return await parts.gateway.request(connection.stripe_key, "get", path, params, priority="refetch")


def _objects(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return answer["data"] if answer.get("object") == "list" else [answer]


async def _postpone(parts: Parts, one: reads.Refetch, error: str) -> None:
    log.warning("refetch postponed", object_id=one.object_id, attempts=one.attempts)  # the queue has why
    pause = timedelta(seconds=min(5 * 2 ** min(one.attempts, 10), 3600))
    await reads.postpone_refetch(parts.db, one, pause, error)
