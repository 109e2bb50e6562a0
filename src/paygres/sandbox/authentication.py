"""The answer to the challenge of a payment or setup intent that a request confirmed: what the intent's own page and the
test control have in common. A checkout session's challenge is answered on its page."""

from paygres.sandbox.objects import (
    payment_intent_charges,
    payment_intent_owners,
    payment_intents,
    payment_methods,
    setup_intents,
)
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, no_such
from paygres.sandbox.world import Work


def answer(work: Work, id: str, *, passed: bool) -> Object:
    """The intent afterwards, whatever came of it; raises `Refusal` when it does not wait for an answer."""
    intent = waiting(work, id)
    if intent["object"] == "setup_intent":
        return _answer_setup(work, intent, passed=passed)
    payment_intent_owners.refuse_checkouts(work, intent, "confirm")
    if not passed:
        payment_intents.fail_authentication(work, intent)
        payment_intent_owners.follow(work, intent, "declined")
        return intent
    payment_method = work.find("payment_method", intent["payment_method"], "payment_method")
    if intent["confirmation_method"] == "manual":
        # The shop's server has the last word: it confirms once more.
        payment_intents.remember(work, intent, authenticated=payment_method["id"])
        work.change(intent, status="requires_confirmation", next_action=None)
        return intent
    charged = payment_intent_charges.charge_saved(work, intent, payment_method, off_session=False, authenticated=True)
    if charged.outcome == "succeeded" and charged.charge is not None:
        payment_intent_charges.announce_paid(work, intent, charged.charge, payment_method, authenticated=True)
    payment_intent_owners.follow(work, intent, charged.outcome)
    return intent


def waiting(work: Work, id: str) -> Object:
    intent = work.get(id)
    if intent is None or intent["object"] not in ("payment_intent", "setup_intent"):
        raise no_such("intent", id, "intent", status=404)
    if intent["status"] != "requires_action":
        raise Refusal(f"This intent does not wait for an authentication: its status is `{intent['status']}`.")
    return intent


def return_url(work: Work, intent: Object) -> str | None:
    """Where the buyer goes after the challenge, with what Stripe adds to the address."""
    url: str | None = work.hidden(intent["id"]).get("return_url")
    if url is None:
        return None
    kind: str = intent["object"]
    passed = intent["status"] in ("succeeded", "processing", "requires_capture", "requires_confirmation")
    added = (
        f"{kind}={intent['id']}&{kind}_client_secret={intent['client_secret']}"
        f"&redirect_status={'succeeded' if passed else 'failed'}"
    )
    address, hash, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{added}{hash}{fragment}"


def _answer_setup(work: Work, intent: Object, *, passed: bool) -> Object:
    if not passed:
        setup_intents.fail_authentication(work, intent)
        return intent
    payment_method = work.find("payment_method", intent["payment_method"], "payment_method")
    try:
        setup_intents.attempt(work, intent, payment_method, authenticated=True)
    except Refusal as refusal:
        if refusal.status != 402:
            raise
    return intent


def card_text(work: Work, intent: Object) -> str | None:
    """The card that asks, as a page names it."""
    method = work.get(intent["payment_method"]) if intent["payment_method"] else None
    if method is None or method["type"] != "card":
        return None
    card = payment_methods.card_behind(work, method)
    return f"{payment_methods.brand_name(card)} ending in {method['card']['last4']}"
