"""How a subscription ends: now, at the time it was told, or because nobody paid."""

from paygres.sandbox import ids
from paygres.sandbox.objects import (
    invoice_collection,
    invoice_items,
    invoice_papers,
    invoices,
    prorations,
    subscription_discounts,
)
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work


def end(
    work: Work,
    subscription: Object,
    *,
    reason: str | None = "cancellation_requested",
    told: Object | None = None,
    prorates: bool = False,
    invoices_now: bool = False,
    as_planned: bool = False,
) -> Object:
    """Cancels it at once. `as_planned`: it was told to end now; `told`: the comment and feedback of who canceled it;
    `prorates`: the unused time is given back; `invoices_now`: on an invoice of its own, instead of the next."""
    was = subscription["status"]
    details = {**(subscription["cancellation_details"] or {}), "reason": reason}
    details.update({name: value or None for name, value in (told or {}).items()})
    work.change(
        subscription,
        status="incomplete_expired" if was == "incomplete" else "canceled",
        canceled_at=subscription["canceled_at"] if as_planned else work.now,
        cancel_at=subscription["cancel_at"] if as_planned else None,
        cancel_at_period_end=subscription["cancel_at_period_end"] if as_planned else False,
        cancellation_details=details,
        ended_at=work.now,
        pause_collection=None,
        pending_update=None,
    )
    if prorates and was in ("active", "past_due"):
        share = subscription_discounts.share_of(work, subscription)
        for one in prorations.of_end(work, subscription["items"]["data"], work.now, share):
            invoice_items.of_proration(work, subscription, one)
    final = _final_invoice(work, subscription) if invoices_now else None
    work.emit("customer.subscription.deleted", subscription)
    _stop_collecting(work, subscription, gives_up=was == "incomplete")
    if final is not None:
        work.emit("invoice.created", final)
        invoice_collection.advance(work, final)
    return subscription


def expire_incomplete(work: Work, id: str) -> None:
    """The timer: the first invoice was not paid in time."""
    subscription = work.get(id)
    if subscription is None or subscription["status"] != "incomplete":
        return
    work.update_and_emit(subscription, "customer.subscription.updated", status="incomplete_expired", ended_at=work.now)
    _stop_collecting(work, subscription, gives_up=True)


def _final_invoice(work: Work, subscription: Object) -> Object | None:
    pending = invoice_items.pending(work, subscription["customer"], subscription["id"])
    if not pending:
        return None
    id = ids.new("invoice")
    customer = work.find("customer", subscription["customer"], "customer")
    draft = invoice_papers.draw_up(
        work,
        id,
        customer,
        invoice_items.take_up(work, pending, id),
        currency=subscription["currency"],
        reason="subscription_update",
        subscription=subscription,
    )
    work.add(draft)
    work.change(subscription, latest_invoice=id)
    return draft


def _stop_collecting(work: Work, subscription: Object, *, gives_up: bool) -> None:
    """What is still open is not charged any more; `gives_up`: it is voided."""
    for invoice in invoices.list_all(work, {"subscription": subscription["id"], "limit": 100}).as_object()["data"]:
        if invoice["status"] not in ("draft", "open"):
            continue
        if gives_up and invoice["status"] == "open":
            invoice_collection.void_open(work, invoice)
        else:
            work.update_and_emit(invoice, "invoice.updated", auto_advance=False, next_payment_attempt=None)
