"""How an invoice is collected: finalized, charged, voided or given up, and what that makes of its subscription."""

from dataclasses import replace

from paygres.sandbox.objects import charges, invoice_papers, invoice_payments, payment_intents, payment_methods
from paygres.sandbox.objects.cards import DECLINED, Card
from paygres.sandbox.objects.payment_intents import Attempt
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.objects.periods import DAY
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work

# The waits before the second, third and fourth try of a renewal's payment.
RETRIES = (3 * DAY, 5 * DAY, 7 * DAY)
# This card asks once, when it is saved, and never again.
ASKS_ONCE = "4000002500003155"
DESCRIPTIONS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
}


def method_of(work: Work, customer: Object, subscription: Object | None = None) -> Object | None:
    """What Stripe charges without asking: the subscription's default, else the customer's. Only cards are charged
    here."""
    id = (subscription or {}).get("default_payment_method") or customer["invoice_settings"].get(
        "default_payment_method"
    )
    found = work.get(id) if id else None
    return found if found is not None and found["type"] == "card" else None


def no_payment_method() -> Refusal:
    return Refusal(
        "This customer has no attached payment source or default payment method. Please consider adding a default "
        "payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/"
        "payment-methods-setting#payment-method-priority.",
        code="resource_missing",
    )


def declined(message: str, code: str, decline_code: str | None) -> Refusal:
    """The 402 of a payment that was not even begun."""
    return Refusal(message, status=402, type="card_error", code=code, decline_code=decline_code)


def card_of_method(work: Work, method: Object, *, off_session: bool, failing: bool = False) -> Card:
    """The card as this charge finds it. `off_session`: nobody can answer a challenge, so one that asks is declined.
    `failing`: it is declined whatever it is."""
    card = payment_methods.card_behind(work, method)
    if failing:
        return replace(card, code="card_declined", decline_code="generic_decline", message=DECLINED, asks=False)
    if not off_session or not card.asks:
        return card
    if card.number == ASKS_ONCE:
        return replace(card, asks=False)
    told = "Your card was declined. This transaction requires authentication."
    return replace(
        card, code="authentication_required", decline_code="authentication_required", message=told, asks=False
    )


def attempt_of(work: Work, method: Object, card: Card, invoice: Object | None = None) -> Attempt:
    told, details = method["billing_details"], method["card"]
    buyer = Buyer(
        told["email"], told["name"], told["phone"], told["address"], details["exp_month"], details["exp_year"]
    )
    page: str | None = invoice["hosted_invoice_url"] if invoice else None
    return Attempt(card, buyer, method, page or work.world.origin)


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
        return invoice
    intent, _ = _payment_of(work, invoice)
    work.emit("invoice.finalized", invoice)
    work.emit("payment_intent.created", intent)
    return invoice


def advance(work: Work, invoice: Object, *, failing: bool = False) -> Refusal | None:
    """Finalizes the draft and charges what its customer saved; answers why that failed."""
    if invoice["status"] == "draft":
        open_up(work, invoice)
    if invoice["status"] != "open" or invoice["collection_method"] == "send_invoice":
        return None
    customer = work.find("customer", invoice["customer"], "customer")
    method = method_of(work, customer, subscription_of(work, invoice))
    if method is None:
        refusal = no_payment_method()
        _failed(work, invoice)
        return refusal
    return charge(work, invoice, method, off_session=True, failing=failing)


def charge(work: Work, invoice: Object, method: Object, *, off_session: bool, failing: bool = False) -> Refusal | None:
    """One try to pay an open invoice, with its events; answers the decline. The bank's question leaves it open."""
    intent, payment = _payment_of(work, invoice)
    card = card_of_method(work, method, off_session=off_session, failing=failing)
    try:
        paid = payment_intents.attempt(work, intent, attempt_of(work, method, card, invoice), new=False)
    except Refusal as refusal:
        _failed(work, invoice, asks=card.code == "authentication_required")
        return refusal
    if paid is None:
        work.emit("invoice.payment_action_required", invoice)
        return None
    work.emit("payment_intent.succeeded", intent)
    charges.announce(work, paid)
    mark_paid(work, invoice, payment=payment)
    return None


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
    work: Work, invoice: Object, *, payment: Object | None = None, attempted: bool = False, out_of_band: bool = False
) -> None:
    """Nothing is left to pay; a subscription that waited for this goes on. `out_of_band`: paid outside of Stripe."""
    amount = invoice["amount_due"]
    work.change(
        invoice,
        amount_paid=amount,
        amount_paid_off_stripe=amount if out_of_band else 0,
        amount_remaining=0,
        attempt_count=invoice["attempt_count"] + (1 if payment else 0),
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
    subscription = subscription_of(work, invoice)
    waits = ("incomplete", "past_due", "unpaid")
    if subscription is not None and subscription["status"] in waits and subscription["latest_invoice"] == invoice["id"]:
        work.update_and_emit(subscription, "customer.subscription.updated", status="active")


def _payment_of(work: Work, invoice: Object) -> tuple[Object, Object]:
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


def _failed(work: Work, invoice: Object, *, asks: bool = False) -> None:
    """A charge failed: the invoice stays open and, if it renews a subscription, is tried again."""
    tries = invoice["attempt_count"] + 1
    first = invoice["billing_reason"] == "subscription_create"
    again: int | None = None
    if invoice["auto_advance"] and not first and tries <= len(RETRIES):
        again = work.now + RETRIES[tries - 1]
        work.later(RETRIES[tries - 1], "retry_invoice", invoice["id"])
    previous = work.change(invoice, attempt_count=tries, attempted=True, next_payment_attempt=again)
    work.emit("invoice.updated", invoice, previous)
    if asks:
        work.emit("invoice.payment_action_required", invoice)
    work.emit("invoice.payment_failed", invoice)
    subscription = subscription_of(work, invoice)
    if subscription is not None and subscription["status"] in ("active", "trialing"):
        work.update_and_emit(subscription, "customer.subscription.updated", status="past_due")
