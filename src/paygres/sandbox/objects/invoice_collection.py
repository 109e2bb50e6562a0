"""How an invoice is collected: finalized, charged, voided or given up, and what that makes of its subscription. A
payment that takes its time, or waits for its buyer, is invoice_intents.py's part."""

from paygres.sandbox.objects import (
    charges,
    invoice_papers,
    invoice_payments,
    payment_intent_charges,
    payment_intents,
    payment_methods,
    subscription_pending,
)
from paygres.sandbox.objects.cards import Card
from paygres.sandbox.objects.periods import DAY
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work

# The waits before the second, third and fourth try of a renewal's payment.
RETRIES = (3 * DAY, 5 * DAY, 7 * DAY)
DESCRIPTIONS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
}
WAITING = ("incomplete", "past_due", "unpaid")


def method_of(work: Work, customer: Object, subscription: Object | None = None) -> Object | None:
    """What Stripe charges without asking: the subscription's default, else the customer's."""
    id = (subscription or {}).get("default_payment_method") or customer["invoice_settings"].get(
        "default_payment_method"
    )
    return work.get(id) if id else None


def no_payment_method() -> Refusal:
    return Refusal(
        "This customer has no attached payment source or default payment method. Please consider adding a default "
        "payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/"
        "payment-methods-setting#payment-method-priority.",
        code="resource_missing",
    )


def needs_action(intent: Object | None = None) -> Refusal:
    """The 402 of a payment that its buyer must authenticate first."""
    return Refusal(
        "This payment requires additional user action before it can be completed successfully. Payment can be "
        "completed using the PaymentIntent associated with this invoice.",
        status=402,
        type="card_error",
        code="invoice_payment_intent_requires_action" if intent else "subscription_payment_intent_requires_action",
        payment_intent=intent,
    )


def declined(card: Card) -> Refusal:
    """The 402 of a payment that was not even begun."""
    assert card.code is not None
    return Refusal(card.message, status=402, type="card_error", code=card.code, decline_code=card.decline_code)


def card_of_method(work: Work, method: Object, *, off_session: bool) -> Card:
    """The card as a charge of an invoice finds it. One whose bank wants its owner present still `asks`: an invoice
    waits for them."""
    card = payment_intent_charges.card_for(work, method, off_session=off_session)
    return payment_methods.card_behind(work, method) if card.code == "authentication_required" else card


def will_pay(work: Work, method: Object, *, off_session: bool) -> Refusal | None:
    """None when a charge begun now would be paid, or at least begun by a bank; else the 402 that it would end with."""
    if method["type"] != "card":
        return None
    card = card_of_method(work, method, off_session=off_session)
    return needs_action() if card.asks else declined(card) if card.code is not None else None


def open_up(work: Work, invoice: Object) -> Object:
    """Finalizes a draft: numbered, open, its payment intent made; with nothing to pay, it is paid at once."""
    customer = work.find("customer", invoice["customer"], "customer")
    work.change(invoice, **invoice_papers.finalized(work, invoice, customer))
    if invoice["amount_due"] == 0:
        work.emit("invoice.finalized", invoice)
        mark_paid(work, invoice, attempted=True)
        return invoice
    if invoice["collection_method"] == "send_invoice":
        work.emit("invoice.finalized", invoice)
        if invoice["due_date"] is not None:
            work.at(invoice["due_date"], "invoice_due", invoice["id"])
        return invoice
    intent, _ = payment_of(work, invoice)
    work.emit("invoice.finalized", invoice)
    work.emit("payment_intent.created", intent)
    return invoice


def advance(work: Work, invoice: Object, *, failing: bool = False) -> Refusal | None:
    """Finalizes the draft and charges what its customer saved, or sends it to them; answers why the charge failed."""
    if invoice["status"] == "draft":
        opened = open_up(work, invoice)
        if opened["status"] == "open" and opened["collection_method"] == "send_invoice":
            work.emit("invoice.sent", opened)
    if invoice["status"] != "open" or invoice["collection_method"] == "send_invoice":
        return None
    customer = work.find("customer", invoice["customer"], "customer")
    method = method_of(work, customer, subscription_of(work, invoice))
    if method is None:
        refusal = no_payment_method()
        failed(work, invoice, automatic=True)
        return refusal
    return charge(work, invoice, method, off_session=True, failing=failing, automatic=True)


def charge(
    work: Work,
    invoice: Object,
    method: Object,
    *,
    off_session: bool,
    failing: bool = False,
    automatic: bool = False,
    authenticated: bool = False,
) -> Refusal | None:
    """One try to pay an open invoice, with its events; answers the decline, or that the buyer must act first. A bank
    that was asked leaves it open for now. `automatic`: a try of the schedule, which counts."""
    intent, payment = payment_of(work, invoice)
    asks = method["type"] == "card" and card_of_method(work, method, off_session=off_session).asks
    tried = payment_intent_charges.charge_saved(
        work,
        intent,
        method,
        # The bank's question can wait on the invoice's page, so it is put to whoever is away, too.
        off_session=off_session and not asks,
        failing=failing,
        page=invoice["hosted_invoice_url"],
        authenticated=authenticated,
    )
    if tried.outcome == "succeeded" and tried.charge is not None:
        work.emit("payment_intent.succeeded", intent)
        charges.announce(work, tried.charge)
        mark_paid(work, invoice, payment=payment, automatic=automatic)
        return None
    if tried.outcome == "processing":
        processing(work, invoice, automatic=automatic)
        return None
    if tried.outcome == "declined":
        failed(work, invoice, automatic=automatic)
        return tried.refusal
    if automatic:
        failed(work, invoice, automatic=True, asks=True)
    else:
        work.emit("invoice.payment_action_required", invoice)
    return needs_action(intent)


def processing(work: Work, invoice: Object, *, automatic: bool = False) -> None:
    """A bank has been asked: the subscription goes on as if it were paid, until the bank says otherwise."""
    tries = _tries(invoice, automatic=automatic)
    work.update_and_emit(invoice, "invoice.updated", attempt_count=tries, attempted=True, next_payment_attempt=None)
    reactivate(work, invoice)


def subscription_of(work: Work, invoice: Object) -> Object | None:
    parent = (invoice["parent"] or {}).get("subscription_details")
    return work.get(parent["subscription"]) if parent else None


def void_open(work: Work, invoice: Object) -> Object:
    """It is as if it had never been sent; a subscription that waited for it does so in vain."""
    transitions = {**invoice["status_transitions"], "voided_at": work.now}
    work.change(invoice, status="void", status_transitions=transitions, auto_advance=False, next_payment_attempt=None)
    payment = invoice_payments.of_invoice(work, invoice)
    if payment is not None:
        intent = work.find("payment_intent", payment["payment"]["payment_intent"], "payment_intent")
        work.change(intent, status="canceled", canceled_at=work.now, cancellation_reason="void_invoice")
        invoice_payments.cancel(work, payment)
        work.emit("payment_intent.canceled", intent)
    work.emit("invoice.voided", invoice)
    return invoice


def give_up(work: Work, invoice: Object) -> Object:
    """A bad debt: it stays payable, and nobody tries to charge it again."""
    transitions = {**invoice["status_transitions"], "marked_uncollectible_at": work.now}
    work.change(
        invoice, status="uncollectible", status_transitions=transitions, auto_advance=False, next_payment_attempt=None
    )
    work.emit("invoice.marked_uncollectible", invoice)
    return invoice


def mark_paid(
    work: Work,
    invoice: Object,
    *,
    payment: Object | None = None,
    attempted: bool = False,
    out_of_band: bool = False,
    automatic: bool = False,
) -> None:
    """Nothing is left to pay; a subscription that waited for this goes on. `out_of_band`: paid outside of Stripe;
    `automatic`: by a try of the schedule."""
    amount = invoice["amount_due"]
    work.change(
        invoice,
        amount_paid=amount,
        amount_paid_off_stripe=amount if out_of_band else 0,
        amount_remaining=0,
        attempt_count=_tries(invoice, automatic=automatic) if payment else invoice["attempt_count"],
        attempted=attempted or not out_of_band,
        auto_advance=False,
        confirmation_secret=None,
        next_payment_attempt=None,
        status="paid",
        status_transitions={**invoice["status_transitions"], "paid_at": work.now},
    )
    if payment is not None:
        invoice_payments.settle(work, payment)
    work.emit("invoice.paid", invoice)
    if not out_of_band:
        work.emit("invoice.payment_succeeded", invoice)
    reactivate(work, invoice)
    subscription_pending.apply_paid(work, invoice)


def reactivate(work: Work, invoice: Object) -> None:
    """A subscription that waited for this invoice is active again."""
    subscription = subscription_of(work, invoice)
    if (
        subscription is not None
        and subscription["status"] in WAITING
        and subscription["latest_invoice"] == invoice["id"]
    ):
        work.update_and_emit(subscription, "customer.subscription.updated", status="active")


def payment_of(work: Work, invoice: Object) -> tuple[Object, Object]:
    """The invoice's intent and the link to it, made when they are needed first."""
    payment = invoice_payments.of_invoice(work, invoice)
    if payment is not None:
        return work.find("payment_intent", payment["payment"]["payment_intent"], "payment_intent"), payment
    intent = payment_intents.make(
        work,
        amount=invoice["amount_due"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        given={"description": DESCRIPTIONS.get(invoice["billing_reason"])},
    )
    secret = {"client_secret": intent["client_secret"], "type": "payment_intent"}
    work.change(invoice, confirmation_secret=secret)
    return intent, invoice_payments.make(work, invoice, intent, paid=False)


def failed(work: Work, invoice: Object, *, automatic: bool, asks: bool = False) -> None:
    """A charge failed: the invoice stays open and, if it renews a subscription, is tried again. `automatic`: it was a
    try of the schedule; those by hand change nothing about that. `asks`: the bank wants its customer to
    authenticate."""
    tries = _tries(invoice, automatic=automatic)
    changes: Object = {"attempt_count": tries, "attempted": True}
    if automatic:
        repeats = invoice["auto_advance"] and invoice["billing_reason"] != "subscription_create"
        again = work.now + RETRIES[tries - 1] if repeats and tries <= len(RETRIES) else None
        if again is not None:
            work.at(again, "retry_invoice", invoice["id"])
        changes["next_payment_attempt"] = again
    work.update_and_emit(invoice, "invoice.updated", **changes)
    if asks:
        work.emit("invoice.payment_action_required", invoice)
    work.emit("invoice.payment_failed", invoice)
    subscription = subscription_of(work, invoice)
    keeps = subscription is not None and subscription_pending.waits_for(work, subscription, invoice)
    if subscription is not None and subscription["status"] in ("active", "trialing") and not keeps:
        work.update_and_emit(subscription, "customer.subscription.updated", status="past_due")


def _tries(invoice: Object, *, automatic: bool) -> int:
    """The invoice's `attempt_count` after one try more: those by hand count only as the first."""
    return invoice["attempt_count"] + 1 if automatic else max(1, invoice["attempt_count"])
