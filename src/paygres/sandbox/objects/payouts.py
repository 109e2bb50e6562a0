"""Payouts: create, retrieve, update, cancel, list; each arrives after a while. The account's balance is not kept: any
amount can be paid out, to a bank account that nobody sees."""

from paygres.sandbox import ids
from paygres.sandbox.objects import balance_transactions, fields
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, bad_parameter
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

SECONDS_TO_ARRIVE = 24 * 3600


def create(work: Work, params: Params) -> Object:
    amount: int = params["amount"]
    if amount < 1:
        raise bad_parameter("Invalid positive integer", "amount", "parameter_invalid_integer")
    method: str = params.get("method", "standard")
    payout = work.add(
        {
            "id": ids.new("payout"),
            "object": "payout",
            "amount": amount,
            "arrival_date": work.now + (0 if method == "instant" else SECONDS_TO_ARRIVE),
            "automatic": False,
            "created": work.now,
            "currency": fields.currency(params["currency"], "currency"),
            "description": params.get("description"),
            "livemode": False,
            "metadata": metadata.from_params(params),
            "method": method,
            "reconciliation_status": "not_applicable",
            "source_type": params.get("source_type", "card"),
            "statement_descriptor": params.get("statement_descriptor"),
            "status": "pending",
            "type": "bank_account",
        }
    )
    work.change(payout, balance_transaction=balance_transactions.of_payout(work, payout)["id"])
    work.emit("payout.created", payout)
    work.later(work.world.settings.settle_after, "end_payout", payout["id"])
    return payout


def end(work: Work, id: str) -> None:
    """The timer: what was not canceled has arrived."""
    payout = work.find("payout", id, "payout")
    if payout["status"] == "pending":
        work.change(payout, status="paid")
        work.emit("payout.paid", payout, automatic=True)


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("payout", id, "payout", in_path=True)


def update(work: Work, params: Params, id: str) -> Object:
    payout = work.find("payout", id, "payout", in_path=True)
    changed = metadata.merged(payout["metadata"], params.get("metadata"))
    return work.update_and_emit(payout, "payout.updated", metadata=changed)


def cancel(work: Work, params: Params, id: str) -> Object:
    payout = work.find("payout", id, "payout", in_path=True)
    if payout["status"] != "pending":
        raise Refusal(f"Payouts can only be canceled while they are pending; this one is {payout['status']}.")
    back = balance_transactions.of_canceled_payout(work, payout)["id"]
    work.change(payout, status="canceled", failure_balance_transaction=back)
    work.emit("payout.canceled", payout)
    return payout


def list_all(work: Work, params: Params) -> Page:
    links = {"status": params.get("status"), "destination": params.get("destination")}
    return answer_list(work, "payout", params, "/v1/payouts", links=links)


ROUTES: Routes = {
    "POST /v1/payouts": create,
    "GET /v1/payouts/{payout}": retrieve,
    "POST /v1/payouts/{payout}": update,
    "POST /v1/payouts/{payout}/cancel": cancel,
    "GET /v1/payouts": list_all,
}
