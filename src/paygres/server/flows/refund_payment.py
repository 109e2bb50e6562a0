"""POST …/payments/{id}/refunds: give money back, all that is left of it or a part."""

from typing import Any

from paygres.server import errors
from paygres.server.flows.operate import Action, operate, told_before
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.operator_actions import RefundRequest
from paygres.server.tables import payments


async def refund_payment(
    parts: Parts, environment: str, payment: str, wanted: RefundRequest, operator: Operator
) -> dict[str, Any]:
    """`{refundId, status, amount, currency, paymentIntentId, chargeId}`; amounts in minor units.

    `payment` is what a transaction is known by (pi_, ch_, in_ or cs_). Raises NotFound, InvalidRequest (nothing is
    left, more than is left, or several payments share the name), and what `operate` raises.
    """
    before = await told_before(parts, environment, "refund.create", payment, wanted.asked, operator)
    if before is not None:
        return before
    side = await parts.connections.webhook(environment)
    found = await payments.select_payment(parts.db, environment, side.account_id, payment)
    if found is None:
        raise errors.NotFound(f"No payment {payment} is known in {environment}", code="PAYMENT_NOT_FOUND")
    if found.status not in ("succeeded", "partially_refunded"):
        raise errors.InvalidRequest(f"This payment is {found.status}; there is nothing to give back")
    left = (found.amount or 0) - found.amount_refunded
    if wanted.amount is not None and wanted.amount > left:
        raise errors.InvalidRequest(f"amount: Number must be less than or equal to {left}, which is what is left")
    params: dict[str, Any] = {"metadata": {"paygres_operator": operator.actor[:500]}}
    if found.payment_intent_id is not None:
        params["payment_intent"] = found.payment_intent_id
    elif found.charge_id is not None:
        params["charge"] = found.charge_id
    else:
        raise errors.InvalidRequest(
            "This invoice was paid by several payments; refund one of them by its pi_ id",
            next_actions=f"Its payment intents: {', '.join(found.payment_intents) or 'none'}.",
        )
    if wanted.amount is not None:
        params["amount"] = wanted.amount
    if wanted.reason is not None:
        params["reason"] = wanted.reason
    action = Action(environment, "refund.create", payment, "post", "/v1/refunds", params, wanted.asked, _shown)
    return await operate(parts, action, operator)


def _shown(refund: dict[str, Any]) -> dict[str, Any]:
    return {
        "refundId": refund["id"],
        "status": refund["status"],
        "amount": refund["amount"],
        "currency": refund["currency"],
        "paymentIntentId": refund.get("payment_intent"),
        "chargeId": refund.get("charge"),
    }
