"""Charges: made by a confirmed payment intent, settled a moment later; retrieved, listed, updated. Charges without an
intent are direct_charges.py's part."""

from paygres.sandbox import ids
from paygres.sandbox.objects import balance_transactions, disputes, fields, payment_methods, refunds
from paygres.sandbox.objects.cards import Card
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

# How long a bank holds money for a capture.
AUTHORIZED_FOR = 7 * 24 * 3600


def make(work: Work, intent: Object, card: Card, buyer: Buyer, payment_method: Object, *, asked: bool) -> Object:
    """The charge of one attempt, paid, authorized or failed as its card and the intent's capture method say. Its
    metadata is a snapshot of the intent's."""
    paid = card.code is None
    captured = paid and intent["capture_method"] != "manual"
    id = ids.new("charge")
    amount: int = intent["amount"]
    charge: Object = {
        "id": id,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount if captured else 0,
        "amount_refunded": 0,
        "billing_details": payment_methods.billing_details(buyer),
        "calculated_statement_descriptor": intent["statement_descriptor"] or "PAYGRES SANDBOX",
        "captured": captured,
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
            "card": _card_details(work, intent, card, buyer, asked=asked),
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
        "transfer_group": intent["transfer_group"],
    }
    if paid and not captured:
        charge["payment_method_details"]["card"]["capture_before"] = work.now + AUTHORIZED_FOR
    work.add(charge)
    if captured:
        if intent["capture_method"] == "automatic" or card.settles_at_once:
            # Without "async" the answer waits for the balance.
            work.change(charge, balance_transaction=balance_transactions.of_charge(work, charge)["id"])
        else:
            work.later(work.world.settings.settle_after, "settle_charge", id)
    return charge


def announce(work: Work, charge: Object) -> None:
    """`charge.succeeded`, and the dispute that some cards bring along."""
    work.emit("charge.succeeded", charge)
    disputes.open_if_its_card_does(work, charge)


def settle(work: Work, id: str) -> None:
    """The charge reaches the balance: charge.updated with its balance transaction."""
    charge = work.get(id)
    if charge is None or charge["balance_transaction"] is not None or not charge["captured"]:
        return
    transaction = balance_transactions.of_charge(work, charge)
    previous = work.change(charge, balance_transaction=transaction["id"])
    work.emit("charge.updated", charge, previous, automatic=True)


def release(work: Work, charge: Object, type: str, *, automatic: bool) -> None:
    """Gives an authorization back, uncaptured: `type` is charge.refunded, or charge.expired when its time was over."""
    previous = work.change(charge, amount_refunded=charge["amount"], refunded=True)
    work.emit(type, charge, previous, automatic=automatic)


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("charge", id, "id", in_path=True)


def list_all(work: Work, params: Params) -> Page:
    links = {name: params.get(name) for name in ("customer", "payment_intent", "transfer_group")}
    return answer_list(work, "charge", params, "/v1/charges", links=links)


def update(work: Work, params: Params, id: str) -> Object:
    charge = work.find("charge", id, "id", in_path=True)
    changes = fields.given(params, ("description", "receipt_email", "transfer_group"))
    changes["metadata"] = metadata.merged(charge["metadata"], params.get("metadata"))
    if "customer" in params:
        changes["customer"] = work.find_living("customer", params["customer"], "customer")["id"]
    if "fraud_details" in params:
        changes["fraud_details"] = {**charge["fraud_details"], **(params["fraud_details"] or {})}
    if "shipping" in params:
        changes["shipping"] = fields.shipping(params["shipping"])
    return work.update_and_emit(charge, "charge.updated", **changes)


def list_refunds(work: Work, params: Params, id: str) -> Page:
    work.find("charge", id, "id", in_path=True)
    return refunds.list_all(work, {**params, "charge": id})


def _card_details(work: Work, intent: Object, card: Card, buyer: Buyer, *, asked: bool) -> Object:
    details = payment_methods.card_details(card, buyer)
    details.pop("three_d_secure_usage")
    options = (intent.get("payment_method_options") or {}).get("card") or {}

    def may(option: str) -> str:
        manual = intent["capture_method"] == "manual"
        return "available" if manual and options.get(option) == "if_available" else "unavailable"

    return {
        **details,
        "amount_authorized": intent["amount"],
        "authorization_code": "123456" if card.code is None else None,
        "checks": payment_methods.checks(card),
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": may("request_incremental_authorization")},
        "multicapture": {"status": may("request_multicapture")},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": ids.letters(15).lower(),
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "three_d_secure": _authenticated() if asked else None,
    }


def _outcome(card: Card) -> Object:
    score = {"normal": 20, "elevated": 70, "highest": 95}[card.risk]
    if card.code is None:
        return {
            "network_status": "approved_by_network",
            "risk_level": card.risk,
            "risk_score": score,
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    if card.risk == "highest":
        return {
            "network_status": "not_sent_to_network",
            "reason": "highest_risk_level",
            "risk_level": card.risk,
            "risk_score": score,
            "seller_message": "Stripe blocked this payment as too risky.",
            "type": "blocked",
        }
    return {
        "network_status": "declined_by_network",
        "reason": card.decline_code or card.code,
        "risk_level": card.risk,
        "risk_score": score,
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
    "POST /v1/charges/{charge}": update,
    "GET /v1/charges": list_all,
    "GET /v1/charges/{charge}/refunds": list_refunds,
}
