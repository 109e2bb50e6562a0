"""invoice.upcoming: some days before a renewal, with the invoice as it would be drawn up now."""

from paygres.sandbox.objects import invoice_previews, subscription_terms
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work


def announce(work: Work, id: str) -> None:
    """The timer; once a period, and not when there will be no invoice."""
    subscription = work.get(id)
    if subscription is None or subscription.get("status") not in ("active", "trialing", "past_due"):
        return
    end = subscription_terms.period_end(subscription)
    hidden = work.hidden(id)
    if not end - subscription_terms.UPCOMING_BEFORE <= work.now < end or hidden.get("upcoming") == end:
        return
    work.store.set_hidden(id, {**hidden, "upcoming": end})
    try:
        preview = invoice_previews.create_preview(work, {"subscription": id})
    except Refusal:
        return  # it ends before
    work.emit("invoice.upcoming", preview, automatic=True)
