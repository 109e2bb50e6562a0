"""Payment intents: the state machine of one payment, from its first attempt to its success, and the events of each
attempt in the order in which Stripe sends them."""

from copy import deepcopy
from dataclasses import dataclass

from paygres.sandbox import ids
from paygres.sandbox.objects import charges, payment_methods
from paygres.sandbox.objects.cards import Card
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

AUTHENTICATION_FAILED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to pay: with which card, by whom, where a challenge would be answered, and whether it just was."""

    card: Card
    buyer: Buyer
    payment_method: Object
    challenge_url: str
    authenticated: bool = False

    @property
    def will_pay(self) -> bool:
        return self.card.code is None and (self.authenticated or not self.card.asks)


def make(work: Work, *, amount: int, currency: str, customer: str | None, given: Params) -> Object:
    """A new intent, not announced: `payment_intent.created` goes out with its first attempt. `given`: the fields of
    a session's `payment_intent_data`."""
    id = ids.new("payment_intent")
    shipping = given.get("shipping")
    return work.add(
        {
            "id": id,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "capture_method": "automatic_async",
            "client_secret": f"{id}_secret_{ids.letters(25)}",
            "confirmation_method": "automatic",
            "created": work.now,
            "currency": currency,
            "customer": customer,
            "description": given.get("description"),
            "livemode": False,
            "metadata": dict(given.get("metadata", {})),
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": ["card"],
            "receipt_email": given.get("receipt_email"),
            "setup_future_usage": given.get("setup_future_usage"),
            "shipping": shipping,
            "statement_descriptor": given.get("statement_descriptor"),
            "statement_descriptor_suffix": given.get("statement_descriptor_suffix"),
            "status": "requires_payment_method",
            "transfer_group": given.get("transfer_group"),
        }
    )


def attempt(work: Work, intent: Object, tried: Attempt, *, new: bool) -> Object | None:
    """Tries to pay. Answers the paid charge, whose events are the caller's to send in its own order, or None when the
    buyer must authenticate first. A decline is recorded, announced, and then raised as the 402 that Stripe
    answers. `new`: the intent has not been announced yet."""
    born = deepcopy(intent) if new else None
    if tried.will_pay:
        charge = charges.make(work, intent, tried.card, tried.buyer, tried.payment_method, asked=tried.authenticated)
        work.change(
            intent,
            status="succeeded",
            amount_received=intent["amount"],
            latest_charge=charge["id"],
            payment_method=tried.payment_method["id"],
            last_payment_error=None,
            next_action=None,
        )
        return charge
    if tried.card.asks and not tried.authenticated:
        work.change(
            intent,
            status="requires_action",
            payment_method=tried.payment_method["id"],
            last_payment_error=None,
            next_action={
                "redirect_to_url": {"return_url": None, "url": tried.challenge_url},
                "type": "redirect_to_url",
            },
        )
        work.emit("payment_intent.requires_action", intent)
        if born:
            work.emit("payment_intent.created", born)
        return None
    raise _declined(work, intent, tried, born)


def as_born(intent: Object) -> Object:
    """The intent as `payment_intent.created` shows it, which Stripe sends after the success of a first try."""
    return {
        **intent,
        "status": "requires_payment_method",
        "amount_received": 0,
        "latest_charge": None,
        "payment_method": None,
    }


def fail_authentication(work: Work, intent: Object) -> None:
    """The buyer did not pass the challenge: the intent asks for another payment method."""
    error: Object = {
        "code": "payment_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
        "message": AUTHENTICATION_FAILED,
        "type": "invalid_request_error",
    }
    if intent["payment_method"]:
        error["payment_method"] = work.get(intent["payment_method"])
    work.change(
        intent, status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error
    )
    work.emit("payment_intent.payment_failed", intent)


def _declined(work: Work, intent: Object, tried: Attempt, born: Object | None) -> Refusal:
    card = tried.card
    assert card.code is not None
    charge = charges.make(work, intent, card, tried.buyer, tried.payment_method, asked=tried.authenticated)
    error: Object = {
        "charge": charge["id"],
        "code": card.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{card.code.replace('_', '-')}",
        "message": card.message,
        "payment_method": tried.payment_method,
        "type": "card_error",
    }
    if card.decline_code:
        error["decline_code"] = card.decline_code
    if card.code in ("incorrect_cvc", "expired_card"):
        error["param"] = "cvc" if card.code == "incorrect_cvc" else "exp_month"
    work.change(
        intent,
        status="requires_payment_method",
        latest_charge=charge["id"],
        payment_method=None,
        next_action=None,
        last_payment_error=error,
    )
    if born:
        work.emit("payment_intent.created", born)
    work.emit("charge.failed", charge)
    work.emit("payment_intent.payment_failed", intent)
    return Refusal(
        card.message,
        status=402,
        type="card_error",
        code=card.code,
        decline_code=card.decline_code,
        param=error.get("param"),
        charge=charge["id"],
        payment_intent=intent,
    )


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("payment_intent", id, "intent", in_path=True)


def list_all(work: Work, params: Params) -> Page:
    return answer_list(
        work, "payment_intent", params, "/v1/payment_intents", links={"customer": params.get("customer")}
    )


def payment_method_of(work: Work, intent: Object) -> tuple[Object, Card]:
    payment_method = work.find("payment_method", intent["payment_method"], "payment_method")
    return payment_method, payment_methods.card_behind(work, payment_method)


ROUTES: Routes = {
    "GET /v1/payment_intents/{intent}": retrieve,
    "GET /v1/payment_intents": list_all,
}
