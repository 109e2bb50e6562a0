"""Paying a checkout session: the one road that the hosted page, its API backend for Stripe's CLI and the test
controls take."""

from dataclasses import dataclass

from paygres.sandbox.objects import (
    charges,
    checkout_sessions,
    customers,
    discounts,
    payment_intents,
    payment_methods,
    subscription_starts,
)
from paygres.sandbox.objects.cards import Card
from paygres.sandbox.objects.payment_intents import Attempt
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work


@dataclass(frozen=True, slots=True)
class Outcome:
    """`completed`: the id of the event checkout.session.completed, None while the buyer must authenticate."""

    session: Object
    completed: str | None


def open_session(work: Work, id: str) -> Object:
    """The session, if it can still be paid; raises `Refusal` otherwise."""
    session = work.find("checkout.session", id, "session", in_path=True)
    if session["status"] == "open" and session["expires_at"] <= work.now:
        checkout_sessions.expire_by_time(work, id)
        session = work.find("checkout.session", id, "session", in_path=True)
    if session["status"] == "complete":
        raise Refusal("This Checkout Session has already been completed.", code="checkout_session_completed")
    if session["status"] == "expired":
        raise Refusal("This Checkout Session has expired.", code="checkout_session_expired")
    return session


def confirm(work: Work, session: Object, card: Card | None, buyer: Buyer, method: Object | None = None) -> Outcome:
    """Pays the open session with a card (or with an existing payment method made from it). Raises the 402 of a
    decline, after which the session stays open. `card` None: the session costs nothing."""
    if session["payment_status"] == "no_payment_required" and session["mode"] == "payment":
        customer = customer_of(work, session, buyer)
        if customer is not None and session["customer"] is None:
            work.emit("customer.created", customer)
        return Outcome(session, complete(work, session, customer, buyer, "no_payment_required"))
    if card is None:
        raise payment_methods.incorrect_number("number")
    payment_method = method or payment_methods.make(work, card, buyer)
    tried = Attempt(card, buyer, payment_method, f"{work.world.origin}/c/pay/{session['id']}")
    return _try(work, session, tried)


def authenticate(work: Work, session: Object, *, passed: bool) -> Outcome:
    """Answers the challenge that a card asked for. A failed one leaves the session open for another card."""
    intent = intent_of(work, session)
    if intent is None or intent["status"] != "requires_action":
        raise Refusal("This Checkout Session does not wait for an authentication.")
    if not passed:
        payment_intents.fail_authentication(work, intent)
        return Outcome(session, None)
    payment_method, card = payment_intents.payment_method_of(work, intent)
    told = payment_method["billing_details"]
    details = payment_method["card"]
    buyer = Buyer(
        told["email"], told["name"], told["phone"], told["address"], details["exp_month"], details["exp_year"]
    )
    url = f"{work.world.origin}/c/pay/{session['id']}"
    return _try(work, session, Attempt(card, buyer, payment_method, url, authenticated=True))


def intent_of(work: Work, session: Object) -> Object | None:
    """The intent of the session's tries. A subscription's session never shows it."""
    hidden = work.hidden(session["id"])
    return work.get(hidden["intent"]) if "intent" in hidden else None


def _try(work: Work, session: Object, tried: Attempt) -> Outcome:
    hidden = work.hidden(session["id"])
    due = subscription_starts.due_now(session, hidden)
    saves = tried.will_pay or (due == 0 and tried.card.attaches)
    customer = customer_of(work, session, tried.buyer) if saves else None
    new_customer = customer is not None and session["customer"] is None
    intent = intent_of(work, session)
    new_intent = intent is None
    charge: Object | None = None
    if due:
        customer_id = customer["id"] if customer else session["customer"]
        if intent is None:
            given = hidden.get("payment_intent_data", {})
            intent = payment_intents.make(
                work, amount=due, currency=session["currency"], customer=customer_id, given=given
            )
            work.store.set_hidden(session["id"], {**hidden, "intent": intent["id"]})
            if session["mode"] == "payment":
                work.change(session, payment_intent=intent["id"])
        elif intent["customer"] != customer_id:
            work.change(intent, customer=customer_id)
        charge = payment_intents.attempt(work, intent, tried, new=new_intent)
        if charge is None:
            return Outcome(session, None)
    elif tried.card.code is not None and not tried.card.attaches:
        raise Refusal(
            tried.card.message,
            status=402,
            type="card_error",
            code=tried.card.code,
            decline_code=tried.card.decline_code,
        )
    if session["mode"] == "subscription":
        assert customer is not None
        return _complete_subscription(work, session, tried, customer, new_customer, intent, charge, new_intent)
    assert intent is not None
    assert charge is not None
    if tried.authenticated:
        # Recorded: after a challenge the intent's event comes first.
        work.emit("payment_intent.succeeded", intent)
        charges.announce(work, charge)
        if new_customer and customer:
            work.emit("customer.created", customer)
    else:
        charges.announce(work, charge)
        if new_customer and customer:
            work.emit("customer.created", customer)
        work.emit("payment_intent.succeeded", intent)
        if new_intent:
            work.emit("payment_intent.created", payment_intents.as_born(intent))
    return Outcome(session, complete(work, session, customer, tried.buyer, "paid"))


def _complete_subscription(
    work: Work,
    session: Object,
    tried: Attempt,
    customer: Object,
    new_customer: bool,
    intent: Object | None,
    charge: Object | None,
    new_intent: bool,
) -> Outcome:
    if charge is not None:
        charges.announce(work, charge)
    payment_methods.attach(work, tried.payment_method, customer["id"])
    if new_customer:
        work.emit("customer.created", customer)
    if customer["currency"] is None:
        work.update_and_emit(customer, "customer.updated", currency=session["currency"])
    started = subscription_starts.from_session(work, session, customer, tried.payment_method, intent, charge)
    completed = complete(
        work,
        session,
        customer,
        tried.buyer,
        "paid" if charge else "no_payment_required",
        subscription=started.subscription["id"],
        invoice=started.invoice["id"],
    )
    work.emit("customer.subscription.created", started.subscription)
    if intent is not None:
        if new_intent:
            work.emit("payment_intent.created", payment_intents.as_born(intent))
        work.emit("payment_intent.succeeded", intent)
    subscription_starts.announce_first_invoice(work, started)
    return Outcome(session, completed)


def customer_of(work: Work, session: Object, buyer: Buyer) -> Object | None:
    """The session's customer, or the new one that it needs (not announced yet), or None for a guest."""
    if session["customer"] is not None:
        return work.get(session["customer"])
    saves = work.hidden(session["id"]).get("payment_intent_data", {}).get("setup_future_usage")
    if session["mode"] == "payment" and session["customer_creation"] != "always" and not saves:
        return None
    return customers.make(work, announced=False, email=buyer.email, name=buyer.name, phone=buyer.phone)


def complete(
    work: Work, session: Object, customer: Object | None, buyer: Buyer, payment_status: str, **more: str
) -> str:
    details = payment_methods.billing_details(buyer)
    details.pop("phone")
    work.change(
        session,
        status="complete",
        payment_status=payment_status,
        url=None,
        customer=customer["id"] if customer else None,
        customer_details={**details, "phone": buyer.phone, "tax_exempt": "none", "tax_ids": []},
        collected_information={"shipping_details": None},
        **more,
    )
    discounts.redeem(work, session)
    return work.emit("checkout.session.completed", session, automatic=True)
