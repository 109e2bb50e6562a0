"""An operator lets a quarantined payment pass: it is marked released, and its event runs again to give it."""

import uuid
from datetime import timedelta
from typing import Any

import structlog

from paygres.server.errors import PaygresError
from paygres.server.flows.list_fulfillments import read_fulfillment
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.retry_events import retry_event
from paygres.server.tables import audit, event_log, fulfillments
from paygres.server.tables.events import Leased
from paygres.server.tables.sqlstates import Contended

log = structlog.get_logger()

LEASE = timedelta(seconds=60)


async def release_fulfillment(
    parts: Parts, environment: str, fulfillment_id: str, operator: Operator
) -> dict[str, Any]:
    """`{fulfillment, outcome, error}`: `outcome` is its event's new status, or `queued` when the worker will follow;
    `granted` without an event for what was granted before, and quarantined when its money came back.

    Raises NotFound, and a 409 when it is not quarantined, or when the key of such a one stands fulfilled by another
    payment. What a rule gives is the developer's code's to do; a row that stays `released` says that it did not ask for
    this payment again.
    """
    before = await read_fulfillment(parts.db, environment, fulfillment_id)
    async with parts.db.as_service() as tx:
        event_id = await fulfillments.release(tx, environment, uuid.UUID(before["id"]))
        if event_id is None and not await fulfillments.grant_again(tx, environment, uuid.UUID(before["id"])):
            raise _not_releasable(before)
        queued = None if event_id is None else await event_log.queue_again(tx, environment, event_id, LEASE)
        await audit.record(
            tx,
            actor=operator.actor,
            action="fulfillment.release",
            environment=environment,
            target=before["id"],
            reason=operator.reason,
            details={
                "eventId": event_id,
                "paymentKey": before["paymentKey"],
                "rule": before["rule"],
                "key": before["key"],
                "quarantinedFor": before["reason"],
            },
            request_id=operator.request_id,
        )
    outcome, error = "granted" if event_id is None else "queued", None
    if event_id is not None and queued is not None and queued.ours:
        outcome, error = await _run(parts, environment, event_id)
    return {
        "fulfillment": await read_fulfillment(parts.db, environment, fulfillment_id),
        "outcome": outcome,
        "error": error,
    }


def _not_releasable(fulfillment: dict[str, Any]) -> PaygresError:
    if fulfillment["status"] == "quarantined":
        reason = "Another payment fulfilled its key and stands: refund one of the two"
    else:
        reason = f"Only a quarantined fulfillment can be released; this one is {fulfillment['status']}"
    return PaygresError(reason, status=409, code="FULFILLMENT_NOT_QUARANTINED")


async def _run(parts: Parts, environment: str, event_id: str) -> tuple[str, str | None]:
    found = await event_log.payload(parts.db, environment, event_id)
    assert found is not None  # it was queued from the ledger
    payload, account_id = found
    try:
        applied = await retry_event(parts, Leased(environment, account_id, payload))
    except Contended:
        await event_log.give_back(parts.db, environment, event_id)
        parts.wake.set()
        return "queued", None
    parts.wake.set()
    return applied.status, applied.event.get("lastError")
