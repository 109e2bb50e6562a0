"""Payment intents, customers and cards as the payment tests begin with them."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import stripe

from tests.sandbox.running import Receiver, Sandbox

CARDS_ONLY = {"payment_method_types": ["card"]}
CHARGES = (
    "charge.succeeded",
    "charge.failed",
    "charge.updated",
    "charge.captured",
    "charge.refunded",
    "charge.pending",
)
INTENTS = (
    "payment_intent.created",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "payment_intent.processing",
    "payment_intent.amount_capturable_updated",
)


def listening(hook: Callable[..., Receiver]) -> Receiver:
    """Hears what payments make heard."""
    return hook(*INTENTS, *CHARGES, "payment_method.attached", "payment_method.detached")


def intent(sandbox: Sandbox, card: str | None = None, **more: Any) -> dict[str, Any]:
    """A payment intent of 20.00 USD, confirmed when a card is named."""
    given: Any = {"amount": 2000, "currency": "usd", **CARDS_ONLY, **more}
    if card is not None:
        given = {"payment_method": card, "confirm": True, **given}
    return sandbox.stripe.v1.payment_intents.create(given).to_dict()


def customer_with(sandbox: Sandbox, card: str = "pm_card_visa", *, default: bool = False) -> tuple[str, str]:
    """(customer, the payment method attached to it)"""
    customer = sandbox.stripe.v1.customers.create({"email": "ada@example.com"}).id
    method = sandbox.stripe.v1.payment_methods.attach(card, {"customer": customer}).id
    if default:
        sandbox.stripe.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})
    return customer, method


def declined(sandbox: Sandbox, path: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """The error object of a request whose card is refused."""
    with pytest.raises(stripe.CardError) as refusal:
        sandbox.stripe.raw_request("post", path, **form)
    return _error(refusal.value, 402)


def refused(sandbox: Sandbox, path: str, form: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The error object of a request that Stripe refuses with a 400."""
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sandbox.stripe.raw_request("post", path, **(form or {}))
    return _error(refusal.value, 400)


def _error(refusal: stripe.StripeError, status: int) -> dict[str, Any]:
    assert refusal.http_status == status
    body: Any = refusal.json_body
    return body["error"]


def retrieved(sandbox: Sandbox, path: str, **params: str) -> dict[str, Any]:
    return sandbox.http.api("GET", path, dict(params)).json()


def answer_challenge(sandbox: Sandbox, intent: str, *, passed: bool = True) -> dict[str, Any]:
    told = {"intent": intent, "authenticate": "complete" if passed else "fail"}
    answered = sandbox.http.browser.post("/_sim/challenge", json=told)
    assert answered.status_code == 200, answered.text
    return answered.json()
