"""Setup intents: how a payment method is saved without a payment, with the attempts that this takes. What a request may
do to one is setup_intent_requests.py's part."""

from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import bank_debits, payment_intents, payment_methods, subscription_setups
from paygres.sandbox.objects.payment_intents import AUTHENTICATION_FAILED, PARAM_AT_FAULT
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work


def make(work: Work, customer: str | None, **given: Any) -> Object:
    """A new intent, not announced."""
    id = ids.new("setup_intent")
    return work.add(
        {
            "id": id,
            "object": "setup_intent",
            "automatic_payment_methods": None,
            "client_secret": f"{id}_secret_{ids.letters(25)}",
            "created": work.now,
            "customer": customer,
            "livemode": False,
            "metadata": {},
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
            "usage": "off_session",
            **given,
        }
    )


def succeed_at_once(work: Work, customer: str, payment_method: Object) -> Object:
    """The intent by which the customer saves this payment method, with its two events."""
    intent = make(work, customer, payment_method_types=[payment_method["type"]])
    work.emit("setup_intent.created", intent)
    _succeed(work, intent, payment_method, attaches=False)
    return intent


def attempt(
    work: Work,
    intent: Object,
    payment_method: Object,
    *,
    page: str | None = None,
    return_url: str | None = None,
    by_script: bool = False,
    authenticated: bool = False,
) -> bool:
    """Tries to save the payment method, with its events; answers whether it is saved, False while its owner must
    authenticate first. A decline is recorded, announced, and then raised as the 402 that Stripe answers."""
    if payment_method["type"] == "card":
        card = payment_methods.card_behind(work, payment_method)
        if card.asks and not authenticated:
            url = page or f"{work.world.origin}/3ds/{intent['id']}"
            work.change(
                intent,
                status="requires_action",
                payment_method=payment_method["id"],
                last_setup_error=None,
                latest_attempt=_attempted(work, intent, payment_method, "requires_action"),
                next_action=payment_intents.challenge(url, return_url, by_script=by_script),
            )
            work.emit("setup_intent.requires_action", intent)
            return False
        if card.code is not None and not card.attaches:
            error: Object = {
                "code": card.code,
                "decline_code": card.decline_code or card.code,
                "doc_url": f"https://stripe.com/docs/error-codes/{card.code.replace('_', '-')}",
                "message": card.message,
                "payment_method": payment_method,
                "type": "card_error",
            }
            if card.code in PARAM_AT_FAULT:
                error["param"] = PARAM_AT_FAULT[card.code]
            _fail(work, intent, payment_method, error)
            raise Refusal(
                card.message,
                status=402,
                type="card_error",
                code=card.code,
                decline_code=error["decline_code"],
                param=error.get("param"),
                payment_method=payment_method,
                setup_intent=intent,
            )
    _succeed(work, intent, payment_method, attaches=True)
    return True


def fail_authentication(work: Work, intent: Object) -> None:
    """The owner did not pass the challenge."""
    payment_method = work.find("payment_method", intent["payment_method"], "payment_method")
    code = "setup_intent_authentication_failure"
    error: Object = {
        "code": code,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": AUTHENTICATION_FAILED,
        "payment_method": payment_method,
        "type": "invalid_request_error",
    }
    _fail(work, intent, payment_method, error)


def retrieve(work: Work, params: Params, id: str) -> Object:
    intent = work.find("setup_intent", id, "intent", in_path=True)
    payment_intents.check_secret(intent, params, "SetupIntent")
    return intent


def list_all(work: Work, params: Params) -> Page:
    links = {"customer": params.get("customer"), "payment_method": params.get("payment_method")}
    return answer_list(work, "setup_intent", params, "/v1/setup_intents", links=links)


def _succeed(work: Work, intent: Object, payment_method: Object, *, attaches: bool) -> None:
    changes: Object = {}
    if payment_method["type"] in bank_debits.CURRENCIES:
        changes["mandate"] = bank_debits.mandate(work, payment_method)
    payment_methods.remember(work, payment_method, set_up=True)
    work.change(
        intent,
        status="succeeded",
        last_setup_error=None,
        latest_attempt=_attempted(work, intent, payment_method, "succeeded"),
        next_action=None,
        payment_method=payment_method["id"],
        **changes,
    )
    if attaches and intent["customer"] is not None:
        payment_methods.attach(work, payment_method, intent["customer"])
    work.emit("setup_intent.succeeded", intent)
    subscription_setups.follow(work, intent)


def _fail(work: Work, intent: Object, payment_method: Object, error: Object) -> None:
    work.change(
        intent,
        status="requires_payment_method",
        last_setup_error=error,
        latest_attempt=_attempted(work, intent, payment_method, "failed", error),
        next_action=None,
        payment_method=None,
    )
    work.emit("setup_intent.setup_failed", intent)


def _attempted(work: Work, intent: Object, payment_method: Object, status: str, error: Object | None = None) -> str:
    """The id of the setup attempt, which only an expansion shows."""
    kind: str = payment_method["type"]
    details: Object = {}
    if kind == "card":
        shown = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
        details = {name: payment_method["card"][name] for name in shown}
        details |= {"checks": payment_method["card"]["checks"], "network": payment_method["card"]["brand"]}
    return work.add(
        {
            "id": ids.new("setup_attempt"),
            "object": "setup_attempt",
            "created": work.now,
            "customer": intent["customer"],
            "livemode": False,
            "payment_method": payment_method["id"],
            "payment_method_details": {kind: details, "type": kind},
            "setup_error": error,
            "setup_intent": intent["id"],
            "status": status,
            "usage": intent["usage"],
        }
    )["id"]


ROUTES: Routes = {
    "GET /v1/setup_intents": list_all,
    "GET /v1/setup_intents/{intent}": retrieve,
}
