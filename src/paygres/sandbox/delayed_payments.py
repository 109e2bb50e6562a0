"""Paying a checkout session with a bank debit: the session completes unpaid, and days later (here: after the time in
which charges settle) its payment succeeds or fails. One that only saves a bank account completes at once."""

from paygres.sandbox import confirm
from paygres.sandbox.confirm import Outcome
from paygres.sandbox.objects import (
    bank_debits,
    charges,
    disputes,
    payment_intent_charges,
    payment_intent_owners,
    payment_intents,
    saved_methods,
    subscription_starts,
)
from paygres.sandbox.objects.bank_debits import Debit
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work


def pay(work: Work, session: Object, debit: Debit, buyer: Buyer, method: Object | None = None) -> Outcome:
    """Completes the open session. Raises `Refusal` when it does not take bank debits."""
    if debit.kind not in session["payment_method_types"]:
        raise Refusal(
            f"This Checkout Session does not accept payment methods of the type `{debit.kind}`.",
            param="payment_method",
        )
    payment_method = method or bank_debits.make_method(work, debit, buyer)
    if session["mode"] == "setup":
        return confirm.save(work, session, payment_method, buyer)
    customer = confirm.customer_of(work, session, buyer)
    is_new = customer is not None and session["customer"] is None
    customer_id = customer["id"] if customer else None
    due = subscription_starts.due_now(session, work.hidden(session["id"]))
    intent = confirm.intent_of(work, session)
    born: Object | None = None
    charge: Object | None = None
    if intent is not None:
        work.change(intent, customer=customer_id, payment_method_types=session["payment_method_types"])
    elif due:
        intent = confirm.make_intent(work, session, due, customer_id)
        born = payment_intents.as_born(intent)
    if intent is not None:
        charge = payment_intent_charges.begin_debit(work, intent, payment_method, debit, announced=False)
        work.emit("charge.pending", charge)
        saved_methods.attach_kept(work, payment_method, intent)
    if session["mode"] == "subscription":
        assert customer is not None
        bank_debits.mandate(work, payment_method)
        return confirm.complete_subscription(
            work, session, payment_method, buyer, customer, is_new, intent, charge, born is not None
        )
    assert intent is not None
    if is_new and customer is not None:
        work.emit("customer.created", customer)
    work.emit("payment_intent.processing", intent)
    if born is not None:
        work.emit("payment_intent.created", born)
    return Outcome(session, confirm.complete(work, session, customer, buyer, "unpaid"))


def end(work: Work, id: str) -> None:
    """The timer: the bank has answered what it does about this payment intent."""
    intent = work.get(id)
    if intent is None or intent.get("status") != "processing":
        return
    ended = payment_intent_charges.end_debit(work, intent)
    payment_intent_owners.follow(work, intent, ended.outcome)
    if ended.outcome == "succeeded" and ended.charge is not None:
        charges.settle(work, ended.charge["id"])
        disputes.open_if_its_bank_does(work, ended.charge["id"])
