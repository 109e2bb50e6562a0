"""Renewals: what a subscription does when its period, its trial or its time is over, by itself or because a test says
that the time has come."""

from paygres.sandbox import ids
from paygres.sandbox.objects import (
    invoice_collection,
    invoice_items,
    invoice_lines,
    invoice_papers,
    periods,
    sold_items,
    subscription_discounts,
    subscription_ends,
    subscription_terms,
    subscription_trials,
)
from paygres.sandbox.objects.subscription_terms import ENDED
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work

# How long a renewal's invoice stays a draft, for the shop to add to it.
DRAFT_FOR = 3600
RESTING = (*ENDED, "incomplete", "paused")


def due(work: Work, id: str) -> None:
    """The timer: does what is due by the clock, and nothing when a later change moved it."""
    subscription = work.get(id)
    if subscription is None or subscription["status"] in RESTING:
        return
    cancel_at = subscription["cancel_at"]
    if cancel_at is not None and cancel_at <= work.now:
        _end(work, subscription)
    elif subscription_terms.period_end(subscription) <= work.now:
        invoice = pass_period(work, subscription)
        if invoice is not None:
            work.later(DRAFT_FOR, "advance_invoice", invoice["id"])


def renew_now(work: Work, id: str, *, failing: bool = False) -> Object:
    """The period is over now, and so is the invoice's time as a draft; `failing`: its payment is declined. Answers the
    subscription. A subscription that was to end by then ends."""
    subscription = work.find("subscription", id, "id", in_path=True)
    if subscription["status"] in RESTING:
        raise Refusal(f"This subscription does not renew: its status is `{subscription['status']}`.")
    end = subscription_terms.period_end(subscription)
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= end:
        return _end(work, subscription)
    invoice = pass_period(work, subscription)
    if invoice is not None:
        collect(work, invoice, failing=failing)
    return work.find("subscription", id, "id")


def pass_period(work: Work, subscription: Object) -> Object | None:
    """Into the next period: customer.subscription.updated and the draft of its invoice, which it answers. A trial
    without a payment method may pause or end the subscription instead (None)."""
    ends_trial = subscription["status"] == "trialing"
    if ends_trial and subscription_trials.stop(work, subscription, automatic=True):
        return None
    now = subscription_terms.period_end(subscription)
    before = subscription_terms.period(subscription)
    items: list[Object] = []
    renewed: list[Object] = []
    for one in subscription["items"]["data"]:
        item = work.find("subscription_item", one["id"], "item")
        if item["current_period_end"] <= now:
            _, end = periods.around(subscription["billing_cycle_anchor"], now, item["price"]["recurring"])
            work.change(item, current_period_start=now, current_period_end=end)
            renewed.append(item)
        items.append(item)
    invoice_id = ids.new("invoice")
    changes: Object = {"items": sold_items.listed(subscription["id"], items), "latest_invoice": invoice_id}
    if ends_trial:
        changes["status"] = "active"
    over = subscription_discounts.over_at(work, subscription, now)
    if over:
        gone = subscription_discounts.ids_of(over)
        changes["discounts"] = [id for id in subscription["discounts"] if id not in gone]
    previous = work.change(subscription, **changes)
    subscription_terms.schedule(work, subscription)
    customer = work.find("customer", subscription["customer"], "customer")
    pending = invoice_items.pending(work, customer["id"], subscription["id"])
    lines = invoice_items.take_up(work, pending, invoice_id)
    lines += [invoice_lines.of_period(work, invoice_id, subscription, item) for item in renewed]
    draft = work.add(
        invoice_papers.draw_up(
            work,
            invoice_id,
            customer,
            lines,
            currency=subscription["currency"],
            reason="subscription_cycle",
            subscription=subscription,
            period=before,
            at=now,
            auto_advance=(subscription["pause_collection"] or {}).get("behavior") != "keep_as_draft",
            automatically_finalizes_at=work.now + DRAFT_FOR,
        )
    )
    subscription_discounts.announce_end(work, over, automatic=True)
    work.emit("customer.subscription.updated", subscription, previous, automatic=True)
    work.emit("invoice.created", draft, automatic=True)
    return draft


def collect(work: Work, invoice: Object, *, failing: bool = False) -> None:
    """The draft's time is over: it is finalized and charged, or what its subscription's pause says."""
    subscription = invoice_collection.subscription_of(work, invoice) or {}
    behavior = (subscription.get("pause_collection") or {}).get("behavior")
    if behavior == "keep_as_draft":
        return
    work.change(invoice, automatically_finalizes_at=None)
    if behavior is None:
        invoice_collection.advance(work, invoice, failing=failing)
        return
    invoice_collection.open_up(work, invoice)
    if invoice["status"] == "open":
        (invoice_collection.void_open if behavior == "void" else invoice_collection.give_up)(work, invoice)


def advance_invoice(work: Work, id: str) -> None:
    """The timer: an hour after invoice.created."""
    invoice = work.get(id)
    if invoice is not None and invoice.get("status") == "draft" and invoice["auto_advance"]:
        collect(work, invoice)


def retry_invoice(work: Work, id: str) -> None:
    """The timer: the next try of a failed renewal. After the last, the subscription is canceled."""
    invoice = work.get(id)
    if invoice is None or invoice.get("status") != "open" or invoice["next_payment_attempt"] is None:
        return
    refusal = invoice_collection.advance(work, invoice)
    if refusal is None or invoice["next_payment_attempt"] is not None:
        return
    subscription = invoice_collection.subscription_of(work, invoice)
    if subscription is not None and subscription["status"] not in ENDED:
        subscription_ends.end(work, subscription, reason="payment_failed")


def _end(work: Work, subscription: Object) -> Object:
    return subscription_ends.end(work, subscription, as_planned=True)
