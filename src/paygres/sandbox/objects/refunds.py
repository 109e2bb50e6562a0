"""Refunds of charges, whole or in part: create, retrieve, update, cancel, list, and their events in the recorded
order. Some cards' refunds succeed later, others fail after they had succeeded."""

from paygres.sandbox import ids
from paygres.sandbox.objects import balance_transactions, disputes, fields, payment_methods
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

REFERENCE = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
KNOWN = {**REFERENCE, "reference": "8888888888888888", "reference_status": "available"}
# A debit is given back by a transfer to its account.
TRANSFERS = {"sepa_debit": "eu_bank_transfer", "us_bank_account": "us_bank_transfer"}
FAILURE = "expired_or_canceled_card"


def create(work: Work, params: Params) -> Object:
    charge = _charge(work, params)
    amount = _amount(work, charge, params)
    ending = _ending(work, charge)
    pending = ending == "pending"
    refund = work.add(
        {
            "id": ids.new("refund"),
            "object": "refund",
            "amount": amount,
            "charge": charge["id"],
            "created": work.now,
            "currency": charge["currency"],
            "destination_details": _destination(charge, REFERENCE),
            "metadata": metadata.from_params(params),
            "payment_intent": charge["payment_intent"],
            "reason": params.get("reason"),
            "status": "pending" if pending else "succeeded",
            **({"pending_reason": "processing"} if pending else {}),
        }
    )
    # An authorization is only released: no money moves.
    if not pending and charge["captured"]:
        _take(work, refund)
    previous = _count(work, charge, amount)
    work.emit("refund.created", refund)
    work.emit("charge.refunded", charge, previous)
    if not pending:
        _announce(work, refund, work.change(refund, destination_details=_destination(charge, KNOWN)))
    if ending is not None:
        work.later(work.world.settings.settle_after, "end_refund", refund["id"])
    return refund


def end(work: Work, id: str) -> None:
    """The timer: what was pending succeeds, and what seemed to have succeeded comes back from the bank."""
    refund = work.get(id)
    if refund is None or refund["status"] not in ("pending", "succeeded"):
        return
    charge = work.find("charge", refund["charge"], "charge")
    if refund["status"] == "pending":
        reason = refund.pop("pending_reason")
        transaction = balance_transactions.of_refund(work, refund)["id"]
        known = _destination(charge, KNOWN)
        changed = work.change(refund, status="succeeded", balance_transaction=transaction, destination_details=known)
        _announce(work, refund, {**changed, "pending_reason": reason}, automatic=True)
        return
    back = balance_transactions.of_failed_refund(work, refund)["id"]
    previous = work.change(refund, status="failed", failure_reason=FAILURE, failure_balance_transaction=back)
    _count(work, charge, -refund["amount"])
    _announce(work, refund, previous, automatic=True)
    work.emit("refund.failed", refund, automatic=True)


def cancel(work: Work, params: Params, id: str) -> Object:
    """Only a refund that waits for the customer can be canceled."""
    refund = work.find("refund", id, "refund", in_path=True)
    if refund["status"] != "requires_action":
        raise Refusal(
            f"You cannot cancel the refund {id} because it has a status of {refund['status']}. Only refunds with a "
            f"status of requires_action can be canceled."
        )
    previous = work.change(refund, status="canceled")
    _count(work, work.find("charge", refund["charge"], "charge"), -refund["amount"])
    _announce(work, refund, previous)
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


def _amount(work: Work, charge: Object, params: Params) -> int:
    """What is refunded; raises `Refusal` where the charge does not allow it."""
    left = _whole(charge) - charge["amount_refunded"]
    if not charge["paid"]:
        raise Refusal(f"Charge {charge['id']} has not been paid.", code="charge_not_refundable", param="charge")
    if not charge["captured"] and charge["payment_intent"] is not None:
        raise Refusal(
            f"Charge {charge['id']} has not been captured. Cancel the PaymentIntent {charge['payment_intent']} "
            f"instead.",
            param="charge",
        )
    if left == 0:
        raise Refusal(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if disputes.blocks_refunds(work, charge):
        raise Refusal(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
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
    return amount


def _ending(work: Work, charge: Object) -> str | None:
    """What the card does to its refunds after a while: "pending" ones succeed, others "fails"."""
    payment_method = work.get(charge["payment_method"])
    if payment_method is None or payment_method["type"] != "card":
        return None
    return payment_methods.card_behind(work, payment_method).refunds


def _whole(charge: Object) -> int:
    """What can be refunded in all: what was captured, or what is only authorized."""
    return charge["amount_captured"] if charge["captured"] else charge["amount"]


def _take(work: Work, refund: Object) -> None:
    work.change(refund, balance_transaction=balance_transactions.of_refund(work, refund)["id"])


def _count(work: Work, charge: Object, amount: int) -> Object:
    """Adds to (or, below zero, takes from) what the charge counts as refunded; answers its `previous_attributes`."""
    refunded = charge["amount_refunded"] + amount
    return work.change(charge, amount_refunded=refunded, refunded=refunded == _whole(charge))


def _announce(work: Work, refund: Object, previous: Object, *, automatic: bool = False) -> None:
    work.emit("refund.updated", refund, previous, automatic=automatic)
    work.emit("charge.refund.updated", refund, previous, automatic=automatic)


def _destination(charge: Object, card: Object) -> Object:
    kind: str = charge["payment_method_details"]["type"]
    return {"card": card, "type": "card"} if kind == "card" else {"type": kind}


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
    "POST /v1/refunds/{refund}/cancel": cancel,
}
