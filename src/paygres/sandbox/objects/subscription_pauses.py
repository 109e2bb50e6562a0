"""Pauses: a trial that ended without a payment method may pause its subscription, and a request lets it go on; the
collection of its invoices may pause until a time."""

from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import (
    invoice_collection,
    invoice_lines,
    invoice_papers,
    periods,
    sold_items,
    subscription_terms,
)
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work


def pause(work: Work, subscription: Object, *, automatic: bool, **fields: Any) -> None:
    previous = work.change(subscription, status="paused", **fields)
    work.emit("customer.subscription.updated", subscription, previous, automatic=automatic)
    work.emit("customer.subscription.paused", subscription, automatic=automatic)


def schedule_resumption(work: Work, subscription: Object) -> None:
    """Sets the timer of a pause in collection that is to end."""
    resumes_at = (subscription["pause_collection"] or {}).get("resumes_at")
    if resumes_at is not None:
        work.at(resumes_at, "resume_collection", subscription["id"])


def resume_collection(work: Work, id: str) -> None:
    """The timer: from now on invoices are collected again. Those that were kept as drafts stay drafts."""
    subscription = work.get(id)
    resumes_at = ((subscription or {}).get("pause_collection") or {}).get("resumes_at")
    if subscription is not None and resumes_at is not None and resumes_at <= work.now:
        previous = work.change(subscription, pause_collection=None)
        work.emit("customer.subscription.updated", subscription, previous, automatic=True)


def resume(work: Work, subscription: Object, *, begins_anew: bool) -> Object:
    """It goes on; `begins_anew`: in a period that begins, and is billed, now."""
    id = subscription["id"]
    changes: Object = {"status": "active"}
    draft: Object | None = None
    if begins_anew:
        items: list[Object] = []
        for one in subscription["items"]["data"]:
            item = work.find("subscription_item", one["id"], "item")
            end = periods.around(work.now, work.now, item["price"]["recurring"])[1]
            work.change(item, current_period_start=work.now, current_period_end=end)
            items.append(item)
        invoice = ids.new("invoice")
        draft = invoice_papers.draw_up(
            work,
            invoice,
            work.find("customer", subscription["customer"], "customer"),
            [invoice_lines.of_period(work, invoice, subscription, item) for item in items],
            currency=subscription["currency"],
            reason="subscription_update",
            subscription=subscription,
        )
        changes |= {
            "billing_cycle_anchor": work.now,
            "items": sold_items.listed(id, items),
            "latest_invoice": invoice,
        }
    previous = work.change(subscription, **changes)
    work.emit("customer.subscription.updated", subscription, previous)
    work.emit("customer.subscription.resumed", subscription)
    subscription_terms.schedule(work, subscription)
    if draft is not None:
        work.emit("invoice.created", work.add(draft))
        invoice_collection.advance(work, draft)
    return work.find("subscription", id, "id")
