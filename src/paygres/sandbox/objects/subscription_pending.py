"""Changes that wait for their payment (`payment_behavior=pending_if_incomplete`): the subscription stays as it is until
the invoice of the change is paid, or 23 hours are over."""

from dataclasses import replace
from typing import Any

from paygres.sandbox.objects import invoice_collection, subscription_changes
from paygres.sandbox.objects.routes import Params
from paygres.sandbox.objects.subscription_terms import INCOMPLETE_FOR
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work

# What Stripe lets such a request change besides.
SUPPORTED = frozenset(
    (
        "billing_cycle_anchor",
        "items",
        "off_session",
        "payment_behavior",
        "proration_behavior",
        "proration_date",
        "trial_end",
        "trial_from_plan",
    )
)
ASKED = ("billing_cycle_anchor", "items", "trial_end")


def update(
    work: Work,
    subscription: Object,
    change: "subscription_changes.Change",
    fields: dict[str, Any],
    params: Params,
) -> Object:
    """The change, now when its charge succeeds, else when it is paid."""
    others = sorted(params.keys() - SUPPORTED)
    if others:
        raise Refusal(
            f"When using `payment_behavior` with the value of `pending_if_incomplete`, only supported parameters can "
            f"be passed: {', '.join(others)} is not.",
            param=others[0],
        )
    if not change.bills or subscription_changes.not_payable(work, subscription, change) is None:
        return subscription_changes.apply(work, subscription, change, fields)
    _drop(work, subscription)
    changed = subscription_changes.as_changed(work, subscription, change)
    draft = subscription_changes.draft_of(work, changed, change)
    expires_at = work.now + INCOMPLETE_FOR
    asked = {name: params[name] for name in ASKED if name in params}
    work.store.set_hidden(
        subscription["id"], {**work.hidden(subscription["id"]), "pending": {"asked": asked, "invoice": draft["id"]}}
    )
    pending: Object = {
        "expires_at": expires_at,
        "subscription_items": [_shown(subscription, one) for one in changed["items"]["data"]],
    }
    if change.begins:
        pending["billing_cycle_anchor"] = work.now
    work.at(expires_at, "expire_pending_update", subscription["id"])
    work.update_and_emit(
        subscription, "customer.subscription.updated", latest_invoice=draft["id"], pending_update=pending
    )
    work.emit("invoice.created", work.add(draft))
    invoice_collection.advance(work, draft)
    return work.find("subscription", subscription["id"], "subscription")


def waits_for(work: Work, subscription: Object, invoice: Object) -> bool:
    """Whether the invoice is the one of the subscription's pending change."""
    return subscription["pending_update"] is not None and _hidden(work, subscription).get("invoice") == invoice["id"]


def apply_paid(work: Work, invoice: Object) -> None:
    """The invoice has been paid: the change that waited for it is made."""
    subscription = invoice_collection.subscription_of(work, invoice)
    if subscription is None or not waits_for(work, subscription, invoice):
        return
    asked = {**_hidden(work, subscription)["asked"], "proration_behavior": "none"}
    change = replace(subscription_changes.read(work, subscription, asked), bills=False)
    _forget(work, subscription)
    subscription = subscription_changes.apply(work, subscription, change, {"pending_update": None})
    work.emit("customer.subscription.pending_update_applied", subscription)


def expire(work: Work, id: str) -> None:
    """The timer: nobody paid in time."""
    subscription = work.get(id)
    pending = (subscription or {}).get("pending_update")
    if subscription is None or pending is None or pending["expires_at"] > work.now:
        return
    invoice = work.find("invoice", _hidden(work, subscription)["invoice"], "invoice")
    previous = work.change(subscription, pending_update=None)
    _forget(work, subscription)
    work.emit("customer.subscription.updated", subscription, previous, automatic=True)
    work.emit("customer.subscription.pending_update_expired", subscription, automatic=True)
    if invoice["status"] == "open":
        invoice_collection.void_open(work, invoice)


def _drop(work: Work, subscription: Object) -> None:
    """Another change takes the place of one that waits."""
    hidden = _hidden(work, subscription)
    invoice = work.get(hidden["invoice"]) if hidden else None
    _forget(work, subscription)
    if invoice is not None and invoice["status"] == "open":
        invoice_collection.void_open(work, invoice)


def _hidden(work: Work, subscription: Object) -> Object:
    return work.hidden(subscription["id"]).get("pending") or {}


def _forget(work: Work, subscription: Object) -> None:
    hidden = work.hidden(subscription["id"])
    if hidden.pop("pending", None) is not None:
        work.store.set_hidden(subscription["id"], hidden)


def _shown(subscription: Object, item: Object) -> Object:
    """An item as it would be: complete where it exists already."""
    present = next((one for one in subscription["items"]["data"] if one["id"] == item["id"]), None)
    base: Object = present or {
        "id": item["id"] or f"si_pending_{item['price']['id']}",
        "object": "subscription_item",
        "created": subscription["created"],
        "discounts": [],
        "metadata": {},
        "subscription": subscription["id"],
        "tax_rates": [],
    }
    return {**base, **{name: item[name] for name in item if name != "id"}}
