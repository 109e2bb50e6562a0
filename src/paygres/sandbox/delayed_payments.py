"""Paying a checkout session with a bank debit: the session completes unpaid, and days later (here: after the time in
which charges settle) its payment succeeds or fails."""

from paygres.sandbox import confirm
from paygres.sandbox.confirm import Outcome
from paygres.sandbox.objects import bank_debits, charges, payment_intents
from paygres.sandbox.objects.bank_debits import Debit
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work


def pay(work: Work, session: Object, debit: Debit, buyer: Buyer, method: Object | None = None) -> Outcome:
    """Completes the open session. Raises `Refusal` when it does not take bank debits."""
    if bank_debits.TYPE not in session["payment_method_types"]:
        raise Refusal(
            f"This Checkout Session does not accept payment methods of the type `{bank_debits.TYPE}`.",
            param="payment_method",
        )
    payment_method = method or bank_debits.make_method(work, debit, buyer)
    customer = confirm.customer_of(work, session, buyer)
    is_new = customer is not None and session["customer"] is None
    intent, announced = _intent(work, session, customer)
    born = None if announced else payment_intents.as_born(intent)
    charge = bank_debits.make_charge(work, intent, debit, buyer, payment_method)
    work.change(
        intent,
        status="processing",
        latest_charge=charge["id"],
        payment_method=payment_method["id"],
        last_payment_error=None,
        next_action=None,
    )
    work.emit("charge.pending", charge)
    if is_new and customer is not None:
        work.emit("customer.created", customer)
    work.emit("payment_intent.processing", intent)
    if born is not None:
        work.emit("payment_intent.created", born)
    completed = confirm.complete(work, session, customer, buyer, "unpaid")
    work.later(work.world.settings.settle_after, "end_debit", session["id"])
    return Outcome(session, completed)


def end(work: Work, id: str) -> None:
    """The timer: the buyer's bank has answered."""
    session = work.get(id)
    intent = confirm.intent_of(work, session) if session is not None else None
    if session is None or intent is None or intent["status"] != "processing":
        return
    charge = work.find("charge", intent["latest_charge"], "charge")
    payment_method = work.find("payment_method", intent["payment_method"], "payment_method")
    if bank_debits.debit_behind(work, payment_method).fails:
        _fail(work, session, intent, charge, payment_method)
        return
    work.change(charge, paid=True, status="succeeded", receipt_url=f"{work.world.origin}/receipts/{charge['id']}")
    work.change(intent, status="succeeded", amount_received=intent["amount"])
    work.change(session, payment_status="paid")
    work.emit("charge.succeeded", charge, automatic=True)
    work.emit("payment_intent.succeeded", intent, automatic=True)
    work.emit("checkout.session.async_payment_succeeded", session, automatic=True)
    charges.settle(work, charge["id"])


def _fail(work: Work, session: Object, intent: Object, charge: Object, payment_method: Object) -> None:
    """The session stays complete and unpaid; it cannot be paid again."""
    code, message = bank_debits.FAILURE_CODE, bank_debits.FAILURE_MESSAGE
    work.change(charge, amount_captured=0, captured=False, failure_code=code, failure_message=message, status="failed")
    work.change(
        intent,
        status="requires_payment_method",
        payment_method=None,
        last_payment_error={
            "charge": charge["id"],
            "code": "payment_intent_payment_attempt_failed",
            "doc_url": "https://stripe.com/docs/error-codes/payment-intent-payment-attempt-failed",
            "message": message,
            "payment_method": payment_method,
            "type": "invalid_request_error",
        },
    )
    work.emit("charge.failed", charge, automatic=True)
    work.emit("payment_intent.payment_failed", intent, automatic=True)
    work.emit("checkout.session.async_payment_failed", session, automatic=True)


def _intent(work: Work, session: Object, customer: Object | None) -> tuple[Object, bool]:
    """The intent of the session's tries, and whether it was announced by an earlier one."""
    customer_id = customer["id"] if customer else None
    intent = confirm.intent_of(work, session)
    if intent is not None:
        work.change(intent, customer=customer_id, payment_method_types=session["payment_method_types"])
        return intent, True
    hidden = work.hidden(session["id"])
    intent = payment_intents.make(
        work,
        amount=session["amount_total"],
        currency=session["currency"],
        customer=customer_id,
        given=hidden.get("payment_intent_data", {}),
    )
    work.change(intent, payment_method_types=session["payment_method_types"])
    work.store.set_hidden(session["id"], {**hidden, "intent": intent["id"]})
    work.change(session, payment_intent=intent["id"])
    return intent, False
