"""Balance transactions: what a charge or a refund moves, with Stripe's usual fee of 2.9 % + 30."""

from paygres.sandbox import ids
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work

SECONDS_TO_PAYOUT = 2 * 24 * 3600


def of_charge(work: Work, charge: Object) -> Object:
    fee = (charge["amount"] * 29 + 500) // 1000 + 30
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": charge["currency"],
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    return _make(work, charge, "charge", charge["amount"], fee, details)


def of_refund(work: Work, refund: Object) -> Object:
    return _make(work, refund, "refund", -refund["amount"], 0, [])


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("balance_transaction", id, "id", in_path=True)


def _make(work: Work, source: Object, type: str, amount: int, fee: int, details: list[Object]) -> Object:
    return work.add(
        {
            "id": ids.new("balance_transaction"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": work.now + SECONDS_TO_PAYOUT,
            "balance_type": "payments",
            "created": work.now,
            "currency": source["currency"],
            "description": source["description"] if type == "charge" else "REFUND FOR CHARGE",
            "fee": fee,
            "fee_details": details,
            "net": amount - fee,
            "reporting_category": type,
            "source": source["id"],
            "status": "pending",
            "type": type,
        }
    )


ROUTES: Routes = {"GET /v1/balance_transactions/{id}": retrieve}
