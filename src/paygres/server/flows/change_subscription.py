"""What operators change of a subscription: cancel, resume, other prices and quantities, and what that would cost."""

import time
from typing import Any, Literal

from paygres.server import errors
from paygres.server.flows.operate import Action, operate, told_before
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.operator_actions import CancelRequest, ChangeRequest, ResumeRequest
from paygres.server.stripe_gateway.paths import path_of
from paygres.server.tables import payments

_ENDED = ("canceled", "incomplete_expired")


async def cancel_subscription(
    parts: Parts, environment: str, subscription_id: str, wanted: CancelRequest, operator: Operator
) -> dict[str, Any]:
    """The subscription as `_shown`, ending at the period's end or ended now. Raises NotFound, InvalidRequest (it has
    ended), and what `operate` raises."""
    before = await told_before(parts, environment, "subscription.cancel", subscription_id, wanted.asked, operator)
    if before is not None:
        return before
    await _living(parts, environment, subscription_id)
    if wanted.when == "now":
        params = {"prorate": wanted.prorate, "invoice_now": wanted.prorate}
        action = _action(environment, "cancel", subscription_id, params, wanted.asked, method="delete")
    else:
        params = {"cancel_at_period_end": True}
        action = _action(environment, "cancel", subscription_id, params, wanted.asked)
    return await operate(parts, action, operator)


async def resume_subscription(
    parts: Parts, environment: str, subscription_id: str, wanted: ResumeRequest, operator: Operator
) -> dict[str, Any]:
    """Undo a cancellation that is still to come, or go on after a pause."""
    before = await told_before(parts, environment, "subscription.resume", subscription_id, wanted.asked, operator)
    if before is not None:
        return before
    found = await _living(parts, environment, subscription_id)
    if found.status == "paused":
        params: dict[str, Any] = {"billing_cycle_anchor": "now"}
        action = _action(environment, "resume", subscription_id, params, wanted.asked, below="/resume")
    else:
        # The portal of a flexible subscription sets cancel_at alone; Stripe takes one of the two at a time.
        params = {"cancel_at_period_end": False} if found.cancel_at_period_end else {"cancel_at": ""}
        if not (found.cancel_at_period_end or found.cancel_at):
            raise errors.InvalidRequest("This subscription is neither paused nor going to end")
        action = _action(environment, "resume", subscription_id, params, wanted.asked)
    return await operate(parts, action, operator)


async def change_subscription(
    parts: Parts, environment: str, subscription_id: str, wanted: ChangeRequest, operator: Operator
) -> dict[str, Any]:
    """The subscription as `_shown`, consisting of exactly the wanted items."""
    before = await told_before(parts, environment, "subscription.change", subscription_id, wanted.asked, operator)
    if before is not None:
        return before
    found = await _living(parts, environment, subscription_id)
    params: dict[str, Any] = {
        "items": _items(found, wanted),
        "proration_behavior": wanted.proration,
    }
    if wanted.proration_date is not None:
        params["proration_date"] = wanted.proration_date
    action = _action(environment, "change", subscription_id, params, wanted.asked)
    return await operate(parts, action, operator)


async def preview_change(parts: Parts, environment: str, subscription_id: str, wanted: ChangeRequest) -> dict[str, Any]:
    """What the change would cost, in minor units: `{amountDue, total, currency, prorationDate, lines}`."""
    found = await _living(parts, environment, subscription_id)
    connection = await parts.connections.current(environment)
    details: dict[str, Any] = {
        "items": _items(found, wanted),
        "proration_behavior": wanted.proration,
    }
    if wanted.proration_date is not None:
        details["proration_date"] = wanted.proration_date
    answer = await parts.gateway.request(
        connection.stripe_key,
        "post",
        "/v1/invoices/create_preview",
        {"subscription": subscription_id, "subscription_details": details},
        priority="portal",
    )
    invoice = answer.object
    lines = (invoice.get("lines") or {}).get("data") or []
    return {
        "amountDue": invoice.get("amount_due"),
        "total": invoice.get("total"),
        "currency": invoice.get("currency"),
        "prorationDate": _proration_date(invoice, wanted),
        "lines": [_line(line) for line in lines],
    }


def _action(
    environment: str,
    verb: str,
    subscription_id: str,
    params: dict[str, Any],
    asked: dict[str, Any],
    *,
    method: Literal["post", "delete"] = "post",
    below: str = "",
) -> Action:
    path = path_of("/v1/subscriptions", subscription_id) + below
    return Action(
        environment,
        f"subscription.{verb}",
        subscription_id,
        method,
        path,
        params,
        asked,
        _shown,
        changes="subscription",
    )


def _proration_date(invoice: dict[str, Any], wanted: ChangeRequest) -> int | None:
    details = ((invoice.get("parent") or {}).get("subscription_details")) or {}
    return wanted.proration_date or details.get("subscription_proration_date")


def _line(line: dict[str, Any]) -> dict[str, Any]:
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return {
        "description": line.get("description"),
        "amount": line.get("amount"),
        "proration": bool(details.get("proration")),
        "priceId": ((line.get("pricing") or {}).get("price_details") or {}).get("price"),
        "quantity": line.get("quantity"),
    }


def _items(found: payments.Subscription, wanted: ChangeRequest) -> list[dict[str, Any]]:
    """As Stripe wants it: items that stay keep their id, with another price when that is all that changes."""
    left = {item["price"]: item for item in found.items}
    sent: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    for item in wanted.items:
        known = left.pop(item.price_id, None)
        if known is not None:
            sent.append({"id": known["id"], "price": item.price_id, "quantity": item.quantity})
        else:
            new.append({"price": item.price_id, "quantity": item.quantity})
    gone = sorted(left.values(), key=lambda item: item["id"])
    for item in new:
        sent.append({"id": gone.pop(0)["id"], **item} if gone else item)
    return sent + [{"id": item["id"], "deleted": True} for item in gone]


async def _living(parts: Parts, environment: str, subscription_id: str) -> payments.Subscription:
    side = await parts.connections.webhook(environment)
    found = await payments.select_subscription(parts.db, environment, side.account_id, subscription_id)
    if found is None:
        raise errors.NotFound(f"No subscription {subscription_id} is known in {environment}", code="PAYMENT_NOT_FOUND")
    if found.status in _ENDED:
        raise errors.InvalidRequest("This subscription has ended; the subject can buy a new one by checkout")
    return found


def _shown(subscription: dict[str, Any]) -> dict[str, Any]:
    items = (subscription.get("items") or {}).get("data") or []
    return {
        "subscriptionId": subscription["id"],
        "status": subscription["status"],
        "cancelAtPeriodEnd": bool(subscription.get("cancel_at_period_end")),
        "cancelAt": _iso(subscription.get("cancel_at")),
        "canceledAt": _iso(subscription.get("canceled_at")),
        "items": [
            {
                "subscriptionItemId": item["id"],
                "priceId": (item.get("price") or {}).get("id"),
                "quantity": item.get("quantity"),
            }
            for item in items
        ],
    }


def _iso(seconds: int | None) -> str | None:
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))
