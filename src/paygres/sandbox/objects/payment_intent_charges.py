"""Charging a payment method that is there already, a card or a bank account, while its owner is present or away: what
requests for payment intents, invoices and renewals have in common."""

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Literal

from paygres.sandbox.objects import bank_debits, charges, payment_intents, payment_methods, saved_methods
from paygres.sandbox.objects.bank_debits import Debit
from paygres.sandbox.objects.cards import Card
from paygres.sandbox.objects.payment_intents import Attempt
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work

NOT_HANDLED = (
    "This payment required an authentication action to complete, but `error_on_requires_action` was set. When you're "
    "ready, you can upgrade your integration to handle actions at https://stripe.com/docs/payments/payment-intents/"
    "upgrade-to-handle-actions."
)


@dataclass(frozen=True, slots=True)
class Charged:
    """How one try ended. `charge`: None while the buyer must authenticate, and where the bank wants that of somebody
    who is away. `refusal`: the 402 of a decline, which is recorded and announced already."""

    outcome: Literal["succeeded", "processing", "requires_action", "declined"]
    charge: Object | None = None
    refusal: Refusal | None = None


def charge_saved(
    work: Work,
    intent: Object,
    payment_method: Object,
    *,
    off_session: bool,
    failing: bool = False,
    answers: bool = True,
    page: str | None = None,
    return_url: str | None = None,
    by_script: bool = False,
    authenticated: bool = False,
    new: bool = False,
) -> Charged:
    """One try to pay the intent with a stored payment method. What failed, waits or takes its time is announced; what
    succeeded is the caller's to announce, in its own order. `off_session`: nobody can answer a challenge. `failing`:
    it is declined whatever it is. `answers`: whether the caller can show a challenge. `page`: where it is answered, the
    intent's own page unless told. `new`: the intent was not announced yet."""
    if payment_method["type"] != "card":
        debit = bank_debits.debit_behind(work, payment_method)
        return Charged("processing", charge=begin_debit(work, intent, payment_method, debit, failing=failing, new=new))
    card = card_for(work, payment_method, off_session=off_session, failing=failing)
    if card.asks and not answers and not authenticated:
        word, unhandled = "authentication_required", "authentication_not_handled"
        card = replace(card, asks=False, code=word, decline_code=unhandled, message=NOT_HANDLED)
    tried = Attempt(
        card,
        payment_methods.buyer_of(payment_method),
        payment_method,
        page or f"{work.world.origin}/3ds/{intent['id']}",
        authenticated=authenticated,
        return_url=return_url,
        by_script=by_script,
    )
    try:
        charge = payment_intents.attempt(work, intent, tried, new=new)
    except Refusal as refusal:
        charge_id = refusal.error.get("charge")
        return Charged("declined", charge=work.get(charge_id) if charge_id else None, refusal=refusal)
    return Charged("succeeded", charge=charge) if charge else Charged("requires_action")


def announce_paid(
    work: Work,
    intent: Object,
    charge: Object,
    payment_method: Object,
    *,
    new: bool = False,
    authenticated: bool = False,
) -> None:
    """The events of a payment, or an authorization, in the recorded order: after a challenge the intent's comes first.
    `new`: with payment_intent.created."""
    if authenticated:
        work.emit(payment_intents.success_event(intent), intent)
    announce_charge(work, intent, charge, payment_method)
    if not authenticated:
        work.emit(payment_intents.success_event(intent), intent)
    if new:
        work.emit("payment_intent.created", payment_intents.as_born(intent))


def announce_charge(work: Work, intent: Object, charge: Object, payment_method: Object) -> None:
    """The first of those events, and that the payment method is saved, where it is."""
    charges.announce(work, charge)
    saved_methods.attach_kept(work, payment_method, intent)


def card_for(work: Work, payment_method: Object, *, off_session: bool, failing: bool = False) -> Card:
    """The card as a charge finds it now."""
    card = payment_methods.card_behind(work, payment_method)
    if failing:
        return card.declined()
    if not off_session:
        return card
    return card.while_away(set_up=bool(work.hidden(payment_method["id"]).get("set_up")))


def begin_debit(
    work: Work,
    intent: Object,
    payment_method: Object,
    debit: Debit,
    *,
    failing: bool = False,
    new: bool = False,
    announced: bool = True,
) -> Object:
    """The bank has been asked: the intent processes, and its pending charge is answered. Days later (here: after the
    time in which charges settle, or the account's own) the timer `end_debit` tells how it ended. `announced`: send
    charge.pending and payment_intent.processing now."""
    born = deepcopy(intent) if new else None
    bank_debits.mandate(work, payment_method)
    charge = bank_debits.make_charge(work, intent, debit, payment_methods.buyer_of(payment_method), payment_method)
    work.change(
        intent,
        status="processing",
        latest_charge=charge["id"],
        payment_method=payment_method["id"],
        last_payment_error=None,
        next_action=None,
    )
    if failing:
        work.store.set_hidden(intent["id"], {**work.hidden(intent["id"]), "failing": True})
    saved_methods.keep(work, payment_method, intent["customer"], saves=intent["setup_future_usage"] is not None)
    wait = work.world.settings.settle_after if debit.delay is None else debit.delay
    work.later(wait, "end_debit", intent["id"])
    if announced:
        work.emit("charge.pending", charge)
        saved_methods.attach_kept(work, payment_method, intent)
        work.emit("payment_intent.processing", intent)
        if born is not None:
            work.emit("payment_intent.created", born)
    return charge


def end_debit(work: Work, intent: Object) -> Charged:
    """The bank has answered. Both events are sent; whom the payment is for is the caller's to tell."""
    charge = work.find("charge", intent["latest_charge"], "charge")
    payment_method = work.find("payment_method", intent["payment_method"], "payment_method")
    hidden = work.hidden(intent["id"])
    debit = bank_debits.debit_behind(work, payment_method)
    failure = bank_debits.failure_of(debit)
    if failure is None and hidden.get("failing"):
        code = "insufficient_funds"
        failure = bank_debits.Failure(code, bank_debits.MESSAGES[code])
    if failure is None:
        work.change(charge, paid=True, status="succeeded", receipt_url=f"{work.world.origin}/receipts/{charge['id']}")
        work.change(intent, status="succeeded", amount_received=intent["amount"])
        work.emit("charge.succeeded", charge, automatic=True)
        work.emit("payment_intent.succeeded", intent, automatic=True)
        return Charged("succeeded", charge=charge)
    error: Object = {
        "charge": charge["id"],
        "code": "payment_intent_payment_attempt_failed",
        "doc_url": "https://stripe.com/docs/error-codes/payment-intent-payment-attempt-failed",
        "message": failure.message,
        "payment_method": payment_method,
        "type": "invalid_request_error",
    }
    work.change(
        charge,
        amount_captured=0,
        captured=False,
        failure_code=failure.code,
        failure_message=failure.message,
        status="failed",
    )
    work.change(intent, status="requires_payment_method", payment_method=None, last_payment_error=error)
    if "failing" in hidden:
        work.store.set_hidden(intent["id"], {name: fact for name, fact in hidden.items() if name != "failing"})
    work.emit("charge.failed", charge, automatic=True)
    work.emit("payment_intent.payment_failed", intent, automatic=True)
    return Charged("declined", charge=charge, refusal=Refusal(failure.message, code=error["code"]))
