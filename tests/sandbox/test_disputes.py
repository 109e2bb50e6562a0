"""Disputes and the refunds that do not go smoothly, with their events in the recorded order."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.sandbox.running import Receiver, Sandbox

FRAUDULENT, INQUIRY = "4000000000000259", "4000000000001976"
PENDING_REFUND, FAILING_REFUND = "4000000000007726", "4000000000005126"
MONEY = ("charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated")
DISPUTES = ("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed", *MONEY)
REFUNDS = ("refund.created", "refund.updated", "refund.failed", "charge.refunded", "charge.refund.updated")


def paid(sandbox: Sandbox, card: str, amount: int = 6000) -> str:
    """The intent of a purchase that was paid with that card."""
    session = sandbox.session(sandbox.price(amount))
    assert sandbox.pay(session, card_number=card).status_code == 303
    intent = sandbox.stripe.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert isinstance(intent, str)
    return intent


def dispute_of(sandbox: Sandbox, intent: str) -> dict[str, Any]:
    [dispute] = sandbox.stripe.v1.disputes.list({"payment_intent": intent}).data
    return dispute.to_dict()


def charge_of(sandbox: Sandbox, intent: str) -> dict[str, Any]:
    [charge] = sandbox.stripe.v1.charges.list({"payment_intent": intent}).data
    return charge.to_dict()


def submit(sandbox: Sandbox, dispute: dict[str, Any], text: str, **more: Any) -> dict[str, Any]:
    params: Any = {"evidence": {"uncategorized_text": text}, **more}
    return sandbox.stripe.v1.disputes.update(dispute["id"], params).to_dict()


def test_the_card_pays_and_is_disputed_within_the_payment(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook()
    intent = paid(sandbox, FRAUDULENT)
    receiver.wait("charge.updated")
    burst = [one for one in receiver.types() if not one.startswith(("product.", "price."))]
    assert burst == [
        "charge.succeeded",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "payment_intent.succeeded",
        "payment_intent.created",
        "checkout.session.completed",
        "charge.updated",
    ]
    dispute = dispute_of(sandbox, intent)
    assert (dispute["status"], dispute["reason"], dispute["amount"]) == ("needs_response", "fraudulent", 6000)
    assert dispute["is_charge_refundable"] is False
    [taken] = dispute["balance_transactions"]
    assert (taken["type"], taken["reporting_category"]) == ("adjustment", "dispute")
    assert (taken["amount"], taken["fee"], taken["net"], taken["source"]) == (-6000, 1500, -7500, dispute["id"])
    assert sandbox.stripe.v1.balance_transactions.retrieve(taken["id"]).net == -7500
    charge = charge_of(sandbox, intent)
    assert (charge["disputed"], charge["id"]) == (True, dispute["charge"])
    assert sandbox.stripe.v1.disputes.retrieve(dispute["id"]).to_dict() == dispute
    [by_charge] = sandbox.stripe.v1.disputes.list({"charge": charge["id"]}).data
    assert by_charge.id == dispute["id"]


def test_winning_evidence_wins_and_brings_the_money_back(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    intent = paid(sandbox, FRAUDULENT)
    receiver = hook(*DISPUTES)
    answered = submit(sandbox, dispute_of(sandbox, intent), "winning_evidence")
    assert (answered["status"], answered["evidence_details"]["submission_count"]) == ("under_review", 1)
    receiver.wait("charge.dispute.closed")
    assert receiver.types() == ["charge.dispute.updated", "charge.dispute.funds_reinstated", "charge.dispute.closed"]
    updated = receiver.wait("charge.dispute.updated").event["data"]["previous_attributes"]
    assert updated["status"] == "needs_response"
    won = dispute_of(sandbox, intent)
    assert (won["status"], won["is_charge_refundable"]) == ("won", True)
    assert [one["net"] for one in won["balance_transactions"]] == [-7500, 6000]
    assert charge_of(sandbox, intent)["disputed"] is True
    assert sandbox.stripe.v1.refunds.create({"payment_intent": intent}).status == "succeeded"


def test_losing_evidence_loses(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    intent = paid(sandbox, FRAUDULENT)
    receiver = hook(*DISPUTES)
    submit(sandbox, dispute_of(sandbox, intent), "losing_evidence")
    receiver.wait("charge.dispute.closed")
    assert receiver.types() == ["charge.dispute.updated", "charge.dispute.closed"]
    assert dispute_of(sandbox, intent)["status"] == "lost"


def test_evidence_is_staged_until_it_is_submitted(sandbox: Sandbox) -> None:
    dispute = dispute_of(sandbox, paid(sandbox, FRAUDULENT))
    staged = submit(sandbox, dispute, "a receipt", submit=False)
    assert (staged["status"], staged["evidence_details"]["submission_count"]) == ("needs_response", 0)
    assert staged["evidence_details"]["has_evidence"] is True
    noted = sandbox.stripe.v1.disputes.update(dispute["id"], {"metadata": {"case": "7"}}).to_dict()
    assert (noted["status"], noted["metadata"]) == ("needs_response", {"case": "7"})
    sent = sandbox.stripe.v1.disputes.update(dispute["id"], {"submit": True}).to_dict()
    assert (sent["status"], sent["evidence"]["uncategorized_text"]) == ("under_review", "a receipt")


def test_a_closed_dispute_is_lost_and_stays_closed(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    intent = paid(sandbox, FRAUDULENT)
    dispute = dispute_of(sandbox, intent)
    receiver = hook("charge.dispute.closed", "charge.updated")
    assert sandbox.stripe.v1.disputes.close(dispute["id"]).status == "lost"
    receiver.wait("charge.dispute.closed")
    for path in (f"/v1/disputes/{dispute['id']}", f"/v1/disputes/{dispute['id']}/close"):
        refused = sandbox.http.refused("POST", path)
        assert (refused["status"], refused["message"]) == (400, "This dispute is already closed")
    refused = sandbox.http.refused("POST", "/v1/refunds", {"payment_intent": intent})
    assert refused["code"] == "charge_disputed"
    assert refused["message"] == f"Charge {dispute['charge']} has been charged back; cannot issue a refund."


def test_an_inquiry_takes_no_money_until_it_escalates(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    intent = paid(sandbox, INQUIRY)
    inquiry = dispute_of(sandbox, intent)
    assert (inquiry["status"], inquiry["balance_transactions"]) == ("warning_needs_response", [])
    assert inquiry["is_charge_refundable"] is True
    assert sandbox.stripe.v1.refunds.create({"payment_intent": intent, "amount": 100}).amount == 100
    receiver = hook(*DISPUTES)
    assert submit(sandbox, inquiry, "escalate_inquiry_evidence")["status"] == "warning_under_review"
    receiver.wait("charge.dispute.funds_withdrawn")
    assert receiver.types() == ["charge.dispute.updated", "charge.dispute.updated", "charge.dispute.funds_withdrawn"]
    assert dispute_of(sandbox, intent)["status"] == "needs_response"


def test_an_answered_inquiry_is_closed(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    intent = paid(sandbox, INQUIRY)
    receiver = hook("charge.dispute.closed")
    submit(sandbox, dispute_of(sandbox, intent), "winning_evidence")
    receiver.wait("charge.dispute.closed")
    assert dispute_of(sandbox, intent)["status"] == "warning_closed"


def test_a_subscription_can_be_disputed_too(sandbox: Sandbox) -> None:
    monthly = sandbox.session(sandbox.price(recurring={"interval": "month"}), mode="subscription")
    assert sandbox.pay(monthly, card_number=FRAUDULENT).status_code == 303
    customer = sandbox.stripe.v1.checkout.sessions.retrieve(monthly.id).customer
    assert isinstance(customer, str)
    [charge] = sandbox.stripe.v1.charges.list({"customer": customer}).data
    assert charge.disputed


def test_an_unknown_dispute_is_not_found(sandbox: Sandbox) -> None:
    refused = sandbox.http.refused("GET", "/v1/disputes/du_none")
    assert (refused["status"], refused["param"], refused["message"]) == (404, "dispute", "No such dispute: 'du_none'")


def test_a_refund_can_be_pending_and_succeed_later(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    intent = paid(sandbox, PENDING_REFUND)
    receiver = hook(*REFUNDS)
    refund = sandbox.stripe.v1.refunds.create({"payment_intent": intent}).to_dict()
    assert (refund["status"], refund["pending_reason"]) == ("pending", "processing")
    assert refund["balance_transaction"] is None
    receiver.wait("charge.refund.updated")
    assert receiver.types() == ["refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"]
    event = receiver.wait("refund.updated").event
    assert event["data"]["previous_attributes"]["status"] == "pending"
    assert event["request"] == {"id": None, "idempotency_key": None}
    done = sandbox.stripe.v1.refunds.retrieve(refund["id"])
    assert done.status == "succeeded"
    assert done.balance_transaction is not None


def test_a_refund_can_fail_after_it_succeeded(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    intent = paid(sandbox, FAILING_REFUND)
    receiver = hook(*REFUNDS)
    refund = sandbox.stripe.v1.refunds.create({"payment_intent": intent, "amount": 2500})
    assert refund.status == "succeeded"
    receiver.wait("refund.failed")
    assert receiver.types() == [
        "refund.created",
        "charge.refunded",
        *("refund.updated", "charge.refund.updated") * 2,
        "refund.failed",
    ]
    failed = receiver.wait("refund.failed").event["data"]["object"]
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    told = receiver.wait("charge.refund.updated", 2).event["data"]["previous_attributes"]
    assert told == {"failure_balance_transaction": None, "failure_reason": None, "status": "succeeded"}
    back = sandbox.stripe.v1.balance_transactions.retrieve(failed["failure_balance_transaction"])
    assert (back.type, back.amount) == ("refund_failure", 2500)
    charge = charge_of(sandbox, intent)
    assert (charge["amount_refunded"], charge["refunded"]) == (0, False)
    assert sandbox.stripe.v1.refunds.create({"payment_intent": intent}).amount == 6000


def test_only_a_refund_that_waits_for_the_customer_can_be_canceled(
    sandbox: Sandbox, hook: Callable[..., Receiver]
) -> None:
    refund = sandbox.stripe.v1.refunds.create({"payment_intent": paid(sandbox, "4242424242424242")})
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        sandbox.stripe.v1.refunds.cancel(refund.id)
    fields = {"refunds": {"status": "requires_action"}}
    sandbox.http.browser.post("/_sim/seed", json={"refunds": 1, "fields": fields})
    waiting = next(one for one in sandbox.stripe.v1.refunds.list().data if one.status == "requires_action")
    receiver = hook("refund.updated")
    assert sandbox.stripe.v1.refunds.cancel(waiting.id).status == "canceled"
    assert receiver.wait("refund.updated").event["data"]["previous_attributes"] == {"status": "requires_action"}
    assert isinstance(waiting.charge, str)
    assert sandbox.stripe.v1.charges.retrieve(waiting.charge).amount_refunded == 0
