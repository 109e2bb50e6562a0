"""Paying a checkout session: the one road that the hosted page, its API backend for Stripe's CLI and the test
controls take. Sessions that only save a payment method are checkout_setups.py's part."""

from dataclasses import dataclass, replace

from paygres.sandbox.objects import (
    checkout_sessions,
    checkout_setups,
    customers,
    discounts,
    payment_intent_charges,
    payment_intents,
    payment_methods,
    subscription_discounts,
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
    if session["mode"] == "setup":
        return save(work, session, payment_method, buyer)
    card = work.world.switches.card(work.account, card)
    return _try(work, session, Attempt(card, buyer, payment_method, _page(work, session)))


def authenticate(work: Work, session: Object, *, passed: bool) -> Outcome:
    """Answers the challenge that a card asked for. A failed one leaves the session open for another card."""
    intent = intent_of(work, session)
    if intent is None or intent["status"] != "requires_action":
        raise Refusal("This Checkout Session does not wait for an authentication.")
    payment_method = work.find("payment_method", intent["payment_method"], "payment_method")
    buyer = payment_methods.buyer_of(payment_method)
    if session["mode"] == "setup":
        if not passed:
            checkout_setups.fail_authentication(work, intent)
            return Outcome(session, None)
        return save(work, session, payment_method, buyer, authenticated=True)
    if not passed:
        payment_intents.fail_authentication(work, intent)
        return Outcome(session, None)
    card = payment_methods.card_behind(work, payment_method)
    return _try(work, session, Attempt(card, buyer, payment_method, _page(work, session), authenticated=True))


def intent_of(work: Work, session: Object) -> Object | None:
    """The intent of the session's tries, a setup intent for one that only saves. A subscription's session never shows
    it."""
    if session["mode"] == "setup":
        return work.get(session["setup_intent"])
    hidden = work.hidden(session["id"])
    return work.get(hidden["intent"]) if "intent" in hidden else None


def make_intent(work: Work, session: Object, amount: int, customer: str | None) -> Object:
    """The payment intent of a session's first try, not announced."""
    hidden = work.hidden(session["id"])
    given = {**hidden.get("payment_intent_data", {}), "payment_method_types": session["payment_method_types"]}
    if session["mode"] == "subscription":
        # What pays for the first period is to pay for the next ones.
        given["setup_future_usage"] = "off_session"
    intent = payment_intents.make(work, amount=amount, currency=session["currency"], customer=customer, given=given)
    work.store.set_hidden(session["id"], {**hidden, "intent": intent["id"]})
    if session["mode"] == "payment":
        work.change(session, payment_intent=intent["id"])
    return intent


def _page(work: Work, session: Object) -> str:
    return f"{work.world.origin}/c/pay/{session['id']}"


def save(work: Work, session: Object, payment_method: Object, buyer: Buyer, *, authenticated: bool = False) -> Outcome:
    """Completes the open session in `setup` mode, or asks its buyer to authenticate. Raises the 402 of a decline."""
    customer = customer_of(work, session, buyer)
    is_new = customer is not None and session["customer"] is None
    page = _page(work, session)
    if not checkout_setups.save(work, session, customer, payment_method, page, authenticated=authenticated):
        return Outcome(session, None)
    if is_new and customer is not None:
        work.emit("customer.created", customer)
    return Outcome(session, complete(work, session, customer, buyer, "no_payment_required"))


def _try(work: Work, session: Object, tried: Attempt) -> Outcome:
    due = subscription_starts.due_now(session, work.hidden(session["id"]))
    if due and not tried.authenticated:
        tried = replace(tried, card=work.world.switches.card(work.account, tried.card))
    saves = tried.will_pay or (due == 0 and tried.card.attaches)
    customer = customer_of(work, session, tried.buyer) if saves else None
    new_customer = customer is not None and session["customer"] is None
    intent = intent_of(work, session)
    new_intent = intent is None
    charge: Object | None = None
    if due:
        customer_id = customer["id"] if customer else session["customer"]
        if intent is None:
            intent = make_intent(work, session, due, customer_id)
        elif intent["customer"] != customer_id:
            work.change(intent, customer=customer_id)
        charge = payment_intents.attempt(work, intent, tried, new=new_intent)
        if charge is None:
            return Outcome(session, None)
    elif not tried.card.attaches:
        payment_methods.check_saving(tried.card)
    if session["mode"] == "subscription":
        assert customer is not None
        if intent is not None and charge is not None:
            payment_intent_charges.announce_charge(work, intent, charge, tried.payment_method)
        return complete_subscription(
            work, session, tried.payment_method, tried.buyer, customer, new_customer, intent, charge, new_intent
        )
    assert intent is not None
    assert charge is not None
    method = tried.payment_method
    if tried.authenticated:
        # Recorded: after a challenge the intent's event comes first.
        payment_intent_charges.announce_paid(work, intent, charge, method, authenticated=True)
        if new_customer and customer:
            work.emit("customer.created", customer)
    else:
        payment_intent_charges.announce_charge(work, intent, charge, method)
        if new_customer and customer:
            work.emit("customer.created", customer)
        work.emit(payment_intents.success_event(intent), intent)
        if new_intent:
            work.emit("payment_intent.created", payment_intents.as_born(intent))
    held = intent["status"] == "requires_capture"
    return Outcome(session, complete(work, session, customer, tried.buyer, "unpaid" if held else "paid"))


def complete_subscription(
    work: Work,
    session: Object,
    payment_method: Object,
    buyer: Buyer,
    customer: Object,
    new_customer: bool,
    intent: Object | None,
    charge: Object | None,
    new_intent: bool,
) -> Outcome:
    """The subscription begins: its charge, if something is due, is paid, or its bank was asked, and it is announced."""
    payment_methods.attach(work, payment_method, customer["id"])
    payment_methods.remember(work, payment_method, set_up=True)
    if new_customer:
        work.emit("customer.created", customer)
    if customer["currency"] is None:
        work.update_and_emit(customer, "customer.updated", currency=session["currency"])
    started = subscription_starts.from_session(work, session, customer, payment_method, intent, charge)
    completed = complete(
        work,
        session,
        customer,
        buyer,
        "no_payment_required" if charge is None else "paid" if charge["paid"] else "unpaid",
        subscription=started.subscription["id"],
        invoice=started.invoice["id"],
    )
    subscription_discounts.announce(work, started.discounts)
    work.emit("customer.subscription.created", started.subscription)
    if intent is not None:
        if new_intent:
            work.emit("payment_intent.created", payment_intents.as_born(intent))
        work.emit(
            "payment_intent.succeeded" if intent["status"] == "succeeded" else "payment_intent.processing", intent
        )
    subscription_starts.announce_first_invoice(work, started)
    return Outcome(session, completed)


def customer_of(work: Work, session: Object, buyer: Buyer) -> Object | None:
    """The session's customer, or the new one that it needs (not announced yet), or None for a guest."""
    if session["customer"] is not None:
        return work.get(session["customer"])
    saves = work.hidden(session["id"]).get("payment_intent_data", {}).get("setup_future_usage")
    if session["mode"] != "subscription" and session["customer_creation"] != "always" and not saves:
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
