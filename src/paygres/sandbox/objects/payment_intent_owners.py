"""Whom a payment intent is for: the checkout session or the invoice that waits for its end, and what its end means to
them."""

import orjson

from paygres.sandbox.objects import invoice_intents
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work

INSTEAD = {"confirm": "Let the customer pay on the session's page instead.", "cancel": "Expire the session instead."}
ENDS = {
    "succeeded": "checkout.session.async_payment_succeeded",
    "declined": "checkout.session.async_payment_failed",
}


def session_of(work: Work, intent: Object) -> Object | None:
    """The checkout session that made the intent, or whose subscription it pays for the first time."""
    found = work.store.page(work.account, "checkout.session", links={"payment_intent": intent["id"]}, limit=1)
    if found:
        return orjson.loads(found[0])
    invoice = invoice_intents.invoice_of(work, intent)
    parent = ((invoice or {}).get("parent") or {}).get("subscription_details")
    if invoice is None or parent is None or invoice["billing_reason"] != "subscription_create":
        return None
    links = {"subscription": parent["subscription"]}
    found = work.store.page(work.account, "checkout.session", links=links, limit=1)
    return orjson.loads(found[0]) if found else None


def follow(work: Work, intent: Object, outcome: str) -> None:
    """Carries the outcome of a try over to whom it is for, after the intent's own events: `succeeded`, `processing`,
    `requires_action` or `declined`."""
    session = session_of(work, intent)
    invoice_intents.follow(work, intent, outcome)
    if session is None or session["status"] != "complete" or session["payment_status"] != "unpaid":
        return
    if outcome in ENDS:
        if outcome == "succeeded":
            work.change(session, payment_status="paid")
        work.emit(ENDS[outcome], session, automatic=True)


def captured(work: Work, intent: Object) -> None:
    """What a checkout had only authorized is paid now; Stripe sends no event of the session for that."""
    session = session_of(work, intent)
    if session is not None and session["payment_status"] == "unpaid":
        work.change(session, payment_status="paid")


def refuse_checkouts(work: Work, intent: Object, verb: str) -> None:
    """Raises `Refusal` while the intent's checkout session is open: its page decides."""
    session = session_of(work, intent)
    if session is not None and session["status"] == "open":
        raise Refusal(
            f"You cannot {verb} this PaymentIntent because it was created by the Checkout Session {session['id']}. "
            f"{INSTEAD[verb]}",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )


def refuse_invoices(work: Work, intent: Object) -> None:
    """Raises `Refusal` when the intent pays an invoice."""
    invoice = invoice_intents.invoice_of(work, intent)
    if invoice is not None:
        raise Refusal(
            f"You cannot cancel this PaymentIntent because it pays the invoice {invoice['id']}. Void the invoice "
            f"instead.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
