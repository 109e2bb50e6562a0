"""Charges: made by a confirmed payment intent, settled a moment later, retrieved and listed."""

from paygres.sandbox import ids
from paygres.sandbox.objects import balance_transactions, disputes, payment_methods
from paygres.sandbox.objects.cards import Card
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work


def make(work: Work, intent: Object, card: Card, buyer: Buyer, payment_method: Object, *, asked: bool) -> Object:
    """The charge of one attempt, paid or failed as its card says. Its metadata is a snapshot of the intent's."""
    paid = card.code is None
    id = ids.new("charge")
    details = payment_methods.card_details(card, buyer)
    details.pop("three_d_secure_usage")
    charge: Object = {
        "id": id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "billing_details": payment_methods.billing_details(buyer),
        "calculated_statement_descriptor": "PAYGRES SANDBOX",
        "captured": paid,
        "created": work.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": card.code,
        "failure_message": card.message or None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": _outcome(card),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": payment_method["id"],
        "payment_method_details": {
            "card": {
                **details,
                "amount_authorized": intent["amount"],
                "authorization_code": "123456" if paid else None,
                "checks": payment_methods.checks(),
                "extended_authorization": {"status": "disabled"},
                "incremental_authorization": {"status": "unavailable"},
                "multicapture": {"status": "unavailable"},
                "network": card.brand,
                "network_token": {"used": False},
                "network_transaction_id": ids.letters(15).lower(),
                "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
                "three_d_secure": _authenticated() if asked else None,
            },
            "type": "card",
        },
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_url": f"{work.world.origin}/receipts/{id}" if paid else None,
        "refunded": False,
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "succeeded" if paid else "failed",
    }
    work.add(charge)
    if paid:
        work.later(work.world.settings.settle_after, "settle_charge", id)
    return charge


def announce(work: Work, charge: Object) -> None:
    """`charge.succeeded`, and the dispute that some cards bring along."""
    work.emit("charge.succeeded", charge)
    disputes.open_if_its_card_does(work, charge)


def settle(work: Work, id: str) -> None:
    """The charge reaches the balance: charge.updated with its balance transaction."""
    charge = work.get(id)
    if charge is None or charge["balance_transaction"] is not None:
        return
    transaction = balance_transactions.of_charge(work, charge)
    previous = work.change(charge, balance_transaction=transaction["id"])
    work.emit("charge.updated", charge, previous, automatic=True)


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("charge", id, "id", in_path=True)


def list_all(work: Work, params: Params) -> Page:
    links = {"customer": params.get("customer"), "payment_intent": params.get("payment_intent")}
    return answer_list(work, "charge", params, "/v1/charges", links=links)


def _outcome(card: Card) -> Object:
    if card.code is None:
        return {
            "network_status": "approved_by_network",
            "risk_level": "normal",
            "risk_score": 20,
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    return {
        "network_status": "declined_by_network",
        "reason": card.decline_code or card.code,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }


def _authenticated() -> Object:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "result": "authenticated",
        "transaction_id": ids.letters(36).lower(),
        "version": "2.2.0",
    }


ROUTES: Routes = {
    "GET /v1/charges/{charge}": retrieve,
    "GET /v1/charges": list_all,
}
