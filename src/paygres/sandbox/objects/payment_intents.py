"""Payment intents: the state machine of one payment, from its first attempt to its success, and the events of each
attempt in the order in which Stripe sends them. What a request may do to one is payment_intent_requests.py's part."""

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import charges, fields, payment_methods, saved_methods
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
PARAM_AT_FAULT = {"incorrect_cvc": "cvc", "expired_card": "exp_month"}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to pay: with which card, by whom, where a challenge would be answered, and whether it just was.
    `return_url`: where the buyer goes afterwards; None: the page belongs to whoever shows it."""

    card: Card
    buyer: Buyer
    payment_method: Object
    challenge_url: str
    authenticated: bool = False
    return_url: str | None = None
    # The caller has no address to return to, so its own script is to open the challenge.
    by_script: bool = False

    @property
    def will_pay(self) -> bool:
        return self.card.code is None and (self.authenticated or not self.card.asks)


def make(work: Work, *, amount: int, currency: str, customer: str | None, given: Params) -> Object:
    """A new intent, not announced: `payment_intent.created` goes out with its first attempt. `given`: the fields of
    a session's `payment_intent_data`, or those of a request."""
    id = ids.new("payment_intent")
    return work.add(
        {
            "id": id,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "automatic_payment_methods": given.get("automatic_payment_methods"),
            "capture_method": given.get("capture_method", "automatic_async"),
            "client_secret": f"{id}_secret_{ids.letters(25)}",
            "confirmation_method": given.get("confirmation_method", "automatic"),
            "created": work.now,
            "currency": currency,
            "customer": customer,
            "description": given.get("description"),
            "excluded_payment_method_types": given.get("excluded_payment_method_types"),
            "livemode": False,
            "metadata": dict(given.get("metadata", {})),
            "payment_method_options": given.get(
                "payment_method_options", {"card": {"request_three_d_secure": "automatic"}}
            ),
            "payment_method_types": given.get("payment_method_types", ["card"]),
            "receipt_email": given.get("receipt_email"),
            "setup_future_usage": given.get("setup_future_usage"),
            "shipping": fields.shipping(given.get("shipping")),
            "statement_descriptor": given.get("statement_descriptor"),
            "statement_descriptor_suffix": given.get("statement_descriptor_suffix"),
            "status": "requires_payment_method",
            "transfer_group": given.get("transfer_group"),
        }
    )


def attempt(work: Work, intent: Object, tried: Attempt, *, new: bool) -> Object | None:
    """Tries to pay. Answers the paid (or, for a capture by hand, authorized) charge, whose events are the caller's to
    send in its own order, or None when the buyer must authenticate first. A decline is recorded, announced, and then
    raised as the 402 that Stripe answers. `new`: the intent has not been announced yet."""
    born = deepcopy(intent) if new else None
    if not tried.authenticated:
        tried = replace(tried, card=work.world.switches.card(work.account, tried.card))
    if tried.will_pay:
        charge = charges.make(work, intent, tried.card, tried.buyer, tried.payment_method, asked=tried.authenticated)
        held = intent["capture_method"] == "manual"
        work.change(
            intent,
            status="requires_capture" if held else "succeeded",
            amount_capturable=intent["amount"] if held else 0,
            amount_received=0 if held else intent["amount"],
            latest_charge=charge["id"],
            payment_method=tried.payment_method["id"],
            last_payment_error=None,
            next_action=None,
        )
        if held:
            work.later(charges.AUTHORIZED_FOR, "expire_authorization", intent["id"])
        saves = intent["setup_future_usage"] is not None
        saved_methods.keep(work, tried.payment_method, intent["customer"], saves=saves)
        return charge
    if tried.card.asks and not tried.authenticated:
        work.change(
            intent,
            status="requires_action",
            payment_method=tried.payment_method["id"],
            last_payment_error=None,
            next_action=challenge(tried.challenge_url, tried.return_url, by_script=tried.by_script),
        )
        work.emit("payment_intent.requires_action", intent)
        if born:
            work.emit("payment_intent.created", born)
        return None
    raise _declined(work, intent, tried, born)


def challenge(url: str, return_url: str | None, *, by_script: bool = False) -> Object:
    """The next action of an intent whose card asks: a redirect, or, for a caller that told no address to come back
    to, the page that Stripe's script would open."""
    if not by_script:
        return {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"stripe_js": url, "type": "three_d_secure_redirect"}}


def success_event(intent: Object) -> str:
    """The event of a paid, or of an authorized, intent."""
    held = intent["status"] == "requires_capture"
    return "payment_intent.amount_capturable_updated" if held else "payment_intent.succeeded"


def as_born(intent: Object) -> Object:
    """The intent as `payment_intent.created` shows it, which Stripe sends after the success of a first try."""
    return {
        **intent,
        "status": "requires_payment_method",
        "amount_capturable": 0,
        "amount_received": 0,
        "latest_charge": None,
        "payment_method": None,
    }


def fail_authentication(work: Work, intent: Object) -> Object:
    """The buyer did not pass the challenge: the intent asks for another payment method. Answers the error."""
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
    return error


def _declined(work: Work, intent: Object, tried: Attempt, born: Object | None) -> Refusal:
    card = tried.card
    assert card.code is not None
    error: Object = {
        "code": card.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{card.code.replace('_', '-')}",
        "message": card.message,
        "payment_method": tried.payment_method,
        "type": "card_error",
    }
    charge: Object | None = None
    # Recorded: a bank that wants its customer present makes no charge.
    if card.code != "authentication_required":
        charge = charges.make(work, intent, card, tried.buyer, tried.payment_method, asked=tried.authenticated)
        error["charge"] = charge["id"]
    if card.decline_code:
        error["decline_code"] = card.decline_code
    if card.code in PARAM_AT_FAULT:
        error["param"] = PARAM_AT_FAULT[card.code]
    changes: Object = {"latest_charge": charge["id"]} if charge else {}
    work.change(
        intent,
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error=error,
        **changes,
    )
    saved_methods.keep(work, tried.payment_method, intent["customer"], saves=False)
    if born:
        work.emit("payment_intent.created", born)
    if charge is not None:
        work.emit("charge.failed", charge)
    work.emit("payment_intent.payment_failed", intent)
    return Refusal(
        card.message,
        status=402,
        type="card_error",
        code=card.code,
        decline_code=card.decline_code,
        param=error.get("param"),
        charge=charge["id"] if charge else None,
        payment_intent=intent,
        payment_method=tried.payment_method,
    )


def retrieve(work: Work, params: Params, id: str) -> Object:
    intent = work.find("payment_intent", id, "intent", in_path=True)
    check_secret(intent, params, "PaymentIntent")
    return intent


def check_secret(intent: Object, params: Params, noun: str) -> None:
    given = params.get("client_secret")
    if given is not None and given != intent["client_secret"]:
        raise Refusal(
            f"The client_secret provided does not match the client_secret associated with this {noun}.",
            code=f"{intent['object']}_invalid_parameter",
            param="client_secret",
        )


def list_all(work: Work, params: Params) -> Page:
    return answer_list(
        work, "payment_intent", params, "/v1/payment_intents", links={"customer": params.get("customer")}
    )


def remember(work: Work, intent: Object, **facts: Any) -> None:
    """What the intent does not show: where its buyer returns to, and what a second confirmation has to know."""
    work.store.set_hidden(intent["id"], {**work.hidden(intent["id"]), **facts})


def payment_method_of(work: Work, intent: Object) -> tuple[Object, Card]:
    payment_method = work.find("payment_method", intent["payment_method"], "payment_method")
    return payment_method, payment_methods.card_behind(work, payment_method)


ROUTES: Routes = {
    "GET /v1/payment_intents/{intent}": retrieve,
    "GET /v1/payment_intents": list_all,
}
