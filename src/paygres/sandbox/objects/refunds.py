"""Refunds of charges, whole or in part: create, retrieve, update, list, and their events in the recorded order."""

from paygres.sandbox import ids
from paygres.sandbox.objects import balance_transactions, fields
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

REFERENCE = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}


def create(work: Work, params: Params) -> Object:
    charge = _charge(work, params)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not charge["paid"]:
        raise Refusal(f"Charge {charge['id']} has not been paid.", code="charge_not_refundable", param="charge")
    if left == 0:
        raise Refusal(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount: int = params.get("amount", left)
    if amount < 1:
        raise Refusal(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount > left:
        raise Refusal(
            f"Refund amount ({fields.money(amount, charge['currency'])}) is greater than "
            f"{'unrefunded amount on ' if charge['amount_refunded'] else ''}charge "
            f"({fields.money(left, charge['currency'])})",
            param="amount",
        )
    refund = work.add(
        {
            "id": ids.new("refund"),
            "object": "refund",
            "amount": amount,
            "charge": charge["id"],
            "created": work.now,
            "currency": charge["currency"],
            "destination_details": {"card": REFERENCE, "type": "card"},
            "metadata": metadata.from_params(params),
            "payment_intent": charge["payment_intent"],
            "reason": params.get("reason"),
            "status": "succeeded",
        }
    )
    transaction = balance_transactions.of_refund(work, refund)
    work.change(refund, balance_transaction=transaction["id"])
    refunded = charge["amount_refunded"] + amount
    previous = work.change(charge, amount_refunded=refunded, refunded=refunded == charge["amount_captured"])
    work.emit("refund.created", refund)
    work.emit("charge.refunded", charge, previous)
    known = {**REFERENCE, "reference": "8888888888888888", "reference_status": "available"}
    changed = work.change(refund, destination_details={"card": known, "type": "card"})
    work.emit("refund.updated", refund, changed)
    work.emit("charge.refund.updated", refund, changed)
    return refund


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("refund", id, "refund", in_path=True)


def update(work: Work, params: Params, id: str) -> Object:
    refund = work.find("refund", id, "refund", in_path=True)
    changed = metadata.merged(refund["metadata"], params.get("metadata"))
    return work.update_and_emit(refund, "refund.updated", metadata=changed)


def list_all(work: Work, params: Params) -> Page:
    links = {"charge": params.get("charge"), "payment_intent": params.get("payment_intent")}
    return answer_list(work, "refund", params, "/v1/refunds", links=links)


def include_refunds(work: Work, charge: Object) -> Object:
    """What `expand[]=refunds` adds to a charge."""
    return list_all(work, {"charge": charge["id"]}).as_object(f"/v1/charges/{charge['id']}/refunds")


def _charge(work: Work, params: Params) -> Object:
    if "charge" in params:
        return work.find("charge", params["charge"], "charge")
    if "payment_intent" in params:
        intent = work.find("payment_intent", params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded" or not intent["latest_charge"]:
            raise Refusal(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        return work.find("charge", intent["latest_charge"], "payment_intent")
    raise Refusal("One of the following params should be provided for this request: payment_intent or charge.")


ROUTES: Routes = {
    "POST /v1/refunds": create,
    "GET /v1/refunds/{refund}": retrieve,
    "POST /v1/refunds/{refund}": update,
    "GET /v1/refunds": list_all,
}
