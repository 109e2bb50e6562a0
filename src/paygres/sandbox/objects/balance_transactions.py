"""Balance transactions: what a charge, a refund or a dispute moves, with Stripe's usual fee of 2.9 % + 30."""

from paygres.sandbox import ids
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

SECONDS_TO_PAYOUT = 2 * 24 * 3600
DISPUTE_FEE = 1500


def of_charge(work: Work, charge: Object) -> Object:
    fee = (charge["amount"] * 29 + 500) // 1000 + 30
    details = _fee(fee, charge["currency"], "Stripe processing fees")
    return _make(work, charge, "charge", charge["amount"], charge["description"], details)


def of_refund(work: Work, refund: Object) -> Object:
    return _make(work, refund, "refund", -refund["amount"], "REFUND FOR CHARGE", [])


def of_failed_refund(work: Work, refund: Object) -> Object:
    return _make(work, refund, "refund_failure", refund["amount"], "REFUND FAILURE", [])


def of_payout(work: Work, payout: Object) -> Object:
    return _make(work, payout, "payout", -payout["amount"], "STRIPE PAYOUT", [])


def of_canceled_payout(work: Work, payout: Object) -> Object:
    return _make(work, payout, "payout_cancel", payout["amount"], "STRIPE PAYOUT", [], category="payout_reversal")


def of_dispute(work: Work, dispute: Object, *, won: bool) -> Object:
    """The withdrawal with its fee, or the reversal, which does not give the fee back."""
    charge, amount = dispute["charge"], dispute["amount"]
    if won:
        return _make(
            work, dispute, "adjustment", amount, f"Chargeback reversal for {charge}", [], category="dispute_reversal"
        )
    fee = _fee(DISPUTE_FEE, dispute["currency"], "Dispute fee")
    return _make(work, dispute, "adjustment", -amount, f"Chargeback withdrawal for {charge}", fee, category="dispute")


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("balance_transaction", id, "id", in_path=True)


def list_all(work: Work, params: Params) -> Page:
    links = {name: params.get(name) for name in ("currency", "source", "type")}
    return answer_list(work, "balance_transaction", params, "/v1/balance_transactions", links=links)


def _fee(amount: int, currency: str, description: str) -> list[Object]:
    return [
        {
            "amount": amount,
            "application": None,
            "currency": currency,
            "description": description,
            "type": "stripe_fee",
        }
    ]


def _make(
    work: Work,
    source: Object,
    type: str,
    amount: int,
    description: str | None,
    fees: list[Object],
    *,
    category: str | None = None,
) -> Object:
    fee = sum(one["amount"] for one in fees)
    return work.add(
        {
            "id": ids.new("balance_transaction"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": work.now + SECONDS_TO_PAYOUT,
            "balance_type": "payments",
            "created": work.now,
            "currency": source["currency"],
            "description": description,
            "fee": fee,
            "fee_details": fees,
            "net": amount - fee,
            "reporting_category": category or type,
            "source": source["id"],
            "status": "pending",
            "type": type,
        }
    )


ROUTES: Routes = {
    "GET /v1/balance_transactions/{id}": retrieve,
    "GET /v1/balance_transactions": list_all,
}
