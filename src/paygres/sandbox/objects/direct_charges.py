"""Charges without a payment intent, the old way: made from a token, authorized and captured on the charge itself."""

from paygres.sandbox.objects import (
    charges,
    fields,
    payment_intent_captures,
    payment_intent_checks,
    payment_methods,
    saved_methods,
)
from paygres.sandbox.objects.cards import card_of
from paygres.sandbox.objects.payment_intents import PARAM_AT_FAULT
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, missing_parameter, no_such
from paygres.sandbox.world import Work


def create(work: Work, params: Params) -> Object:
    for name in ("amount", "currency"):
        if name not in params:
            raise missing_parameter(name)
    currency = fields.currency(params["currency"], "currency")
    amount = payment_intent_checks.amount(params["amount"], currency)
    customer = params.get("customer")
    if customer is not None:
        work.find_living("customer", customer, "customer")
    payment_method = _source(work, params, customer)
    card = payment_methods.card_behind(work, payment_method)
    # Such a charge cannot ask anybody anything.
    card = card.while_away(set_up=False)
    sold: Object = {
        "id": None,
        "amount": amount,
        "capture_method": "automatic_async" if params.get("capture", True) else "manual",
        "currency": currency,
        "customer": customer,
        "description": params.get("description"),
        "metadata": metadata.from_params(params),
        "receipt_email": params.get("receipt_email"),
        "shipping": fields.shipping(params.get("shipping")),
        "statement_descriptor": params.get("statement_descriptor"),
        "statement_descriptor_suffix": params.get("statement_descriptor_suffix"),
        "transfer_group": params.get("transfer_group"),
    }
    buyer = payment_methods.buyer_of(payment_method)
    charge = charges.make(work, sold, card, buyer, payment_method, asked=False)
    saved_methods.keep(work, payment_method, customer, saves=False)
    if card.code is not None:
        work.emit("charge.failed", charge)
        raise Refusal(
            card.message,
            status=402,
            type="card_error",
            code=card.code,
            decline_code=card.decline_code,
            param=PARAM_AT_FAULT.get(card.code),
            charge=charge["id"],
        )
    if not charge["captured"]:
        work.later(charges.AUTHORIZED_FOR, "expire_charge", charge["id"])
    charges.announce(work, charge)
    return charge


def capture(work: Work, params: Params, id: str) -> Object:
    charge = work.find("charge", id, "id", in_path=True)
    if charge["payment_intent"] is not None:
        raise Refusal(
            f"Charge {id} was created by the PaymentIntent {charge['payment_intent']}. Capture the PaymentIntent "
            f"instead."
        )
    if charge["captured"]:
        raise Refusal(f"Charge {id} has already been captured.", code="charge_already_captured")
    if charge["refunded"]:
        raise Refusal(f"Charge {id} has been refunded and cannot be captured.", code="charge_already_refunded")
    if not charge["paid"]:
        raise Refusal(f"Charge {id} has not been paid.")
    amount: int = params.get("amount", charge["amount"])
    if not 1 <= amount <= charge["amount"]:
        raise Refusal(
            f"The amount to capture ({amount}) must be at least 1 and no more than the charge's ({charge['amount']}).",
            code="amount_too_large" if amount > 0 else "parameter_invalid_integer",
            param="amount",
        )
    more = fields.given(params, ("receipt_email", "statement_descriptor", "statement_descriptor_suffix"))
    previous = payment_intent_captures.take(work, charge, amount, final=True)
    if more:
        previous = {**previous, **work.change(charge, **more)}
    work.emit("charge.captured", charge, previous)
    return charge


def expire(work: Work, id: str) -> None:
    """The timer: the bank holds the money no longer."""
    charge = work.get(id)
    if charge is not None and charge["paid"] and not charge["captured"] and not charge["refunded"]:
        charges.release(work, charge, "charge.expired", automatic=True)


def _source(work: Work, params: Params, customer: str | None) -> Object:
    """The payment method behind a token, a card's number, a stored payment method, or the customer's default."""
    card_params = params.get("card")
    if isinstance(card_params, dict):
        card = card_of(card_params["number"])
        if card is None:
            raise payment_methods.incorrect_number("card[number]")
        expiry = {"exp_month": card_params["exp_month"], "exp_year": card_params["exp_year"]}
        return payment_methods.make(work, card, Buyer(name=card_params.get("name"), **expiry))
    named: str | None = params.get("source") or card_params
    if named is None and customer is not None:
        named = work.find("customer", customer, "customer")["invoice_settings"]["default_payment_method"]
        if named is None:
            raise Refusal("Cannot charge a customer that has no active card", code="missing", param="card")
    if named is None:
        raise Refusal("Must provide source or customer.", code="parameter_missing")
    if named.startswith("tok_"):
        card = card_of(named)
        if card is None:
            raise no_such("token", named, "source")
        return payment_methods.make(work, card, Buyer(address={"country": None}))
    found = payment_methods.find(work, named, "source")
    saved_methods.check_use(work, found)
    if found["type"] != "card":
        raise Refusal("Only cards can be charged without a PaymentIntent.", param="source")
    return found


ROUTES: Routes = {
    "POST /v1/charges": create,
    "POST /v1/charges/{charge}/capture": capture,
}
