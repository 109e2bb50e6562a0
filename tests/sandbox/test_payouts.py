"""Payouts: made by request, canceled or arrived, with the events that the server records."""

import time

from tests.sandbox.running import Sandbox


def test_a_payout_arrives_and_its_events_say_so(sandbox: Sandbox) -> None:
    made = sandbox.stripe.v1.payouts.create({"amount": 1100, "currency": "usd", "metadata": {"week": "7"}})
    assert (made.status, made.automatic, made.to_dict()["metadata"]) == ("pending", False, {"week": "7"})
    assert made.balance_transaction
    moved = sandbox.stripe.v1.balance_transactions.retrieve(str(made.balance_transaction))
    assert (moved.type, moved.amount, moved.source) == ("payout", -1100, made.id)
    for _ in range(100):
        if sandbox.stripe.v1.payouts.retrieve(made.id).status == "paid":
            break
        time.sleep(0.02)
    assert sandbox.event_types(type="payout.*")[-2:] == ["payout.created", "payout.paid"]


def test_a_payout_is_canceled_while_it_is_pending_and_not_after(sandbox: Sandbox) -> None:
    made = sandbox.stripe.v1.payouts.create({"amount": 500, "currency": "usd"})
    canceled = sandbox.stripe.v1.payouts.cancel(made.id)
    assert canceled.status == "canceled"
    assert canceled.failure_balance_transaction
    assert "canceled" in sandbox.http.refused("POST", f"/v1/payouts/{made.id}/cancel")["message"]
    assert made.id in [one.id for one in sandbox.stripe.v1.payouts.list({"status": "canceled"}).data]


def test_metadata_of_a_payout_is_updated_with_an_event(sandbox: Sandbox) -> None:
    made = sandbox.stripe.v1.payouts.create({"amount": 500, "currency": "usd"})
    sandbox.stripe.v1.payouts.update(made.id, {"metadata": {"checked": "yes"}})
    [event] = sandbox.stripe.v1.events.list({"type": "payout.updated", "limit": 1}).data
    assert event.to_dict()["data"]["previous_attributes"] == {"metadata": {"checked": None}}


def test_amounts_below_one_are_refused(sandbox: Sandbox) -> None:
    assert sandbox.http.refused("POST", "/v1/payouts", {"amount": "0", "currency": "usd"})["param"] == "amount"
