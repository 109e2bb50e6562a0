"""Invoices that are sent to the customer, who has some days to pay: what happens when the days are over."""

from paygres.sandbox.objects import invoice_collection
from paygres.sandbox.world import Work


def fall_due(work: Work, id: str) -> None:
    """The timer: invoice.overdue, and a subscription that is past due."""
    invoice = work.get(id)
    if invoice is None or invoice.get("status") != "open" or (invoice["due_date"] or work.now + 1) > work.now:
        return
    work.emit("invoice.overdue", invoice, automatic=True)
    subscription = invoice_collection.subscription_of(work, invoice)
    if subscription is not None and subscription["status"] == "active":
        previous = work.change(subscription, status="past_due")
        work.emit("customer.subscription.updated", subscription, previous, automatic=True)
