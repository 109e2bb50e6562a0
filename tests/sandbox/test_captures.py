"""Payments that are authorized first: captured whole, in part, in steps, raised, released or expired."""

from collections.abc import Callable
from typing import Any

from tests.sandbox.paying import CARDS_ONLY, intent, refused, retrieved
from tests.sandbox.running import Receiver, Sandbox

EVENTS = (
    "charge.succeeded",
    "charge.captured",
    "charge.updated",
    "charge.refunded",
    "charge.expired",
    "payment_intent.amount_capturable_updated",
    "payment_intent.succeeded",
    "payment_intent.canceled",
    "payment_intent.created",
    "checkout.session.completed",
)
WEEK = 7 * 24 * 3600


def held(sandbox: Sandbox, amount: int = 6500, **more: Any) -> dict[str, Any]:
    """An authorized intent."""
    made = intent(sandbox, "pm_card_visa", amount=amount, capture_method="manual", **more)
    assert made["status"] == "requires_capture"
    return made


def test_an_authorization_is_captured(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook(*EVENTS)
    made = held(sandbox)
    assert (made["amount_capturable"], made["amount_received"]) == (6500, 0)
    charge = retrieved(sandbox, f"/v1/charges/{made['latest_charge']}")
    assert (charge["paid"], charge["captured"], charge["amount_captured"]) == (True, False, 0)
    assert charge["balance_transaction"] is None
    until = charge["payment_method_details"]["card"]["capture_before"]
    assert until - charge["created"] == WEEK
    captured = sandbox.stripe.v1.payment_intents.capture(made["id"], {"metadata": {"a": "b"}})
    assert (captured.status, captured.amount_received, captured.amount_capturable) == ("succeeded", 6500, 0)
    assert captured.to_dict()["metadata"] == {"a": "b"}
    told = receiver.wait("charge.captured").event["data"]
    assert told["object"]["captured"] is True
    assert set(told["previous_attributes"]) == {"amount_captured", "balance_transaction", "captured"}
    receiver.wait("payment_intent.succeeded")
    assert receiver.types() == [
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "payment_intent.created",
        "charge.captured",
        "payment_intent.succeeded",
    ]
    assert sandbox.stripe.v1.refunds.create({"payment_intent": made["id"]}).amount == 6500


def test_a_part_is_captured_and_the_rest_released(sandbox: Sandbox) -> None:
    made = held(sandbox)
    captured = sandbox.stripe.v1.payment_intents.capture(made["id"], {"amount_to_capture": 5000})
    assert (captured.status, captured.amount, captured.amount_received) == ("succeeded", 6500, 5000)
    charge = retrieved(sandbox, f"/v1/charges/{made['latest_charge']}", **{"expand[]": "balance_transaction"})
    assert (charge["amount"], charge["amount_captured"], charge["captured"]) == (6500, 5000, True)
    assert charge["balance_transaction"]["amount"] == 5000


def test_several_captures_where_the_card_allows_them(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    options = {"card": {"request_multicapture": "if_available"}}
    made = held(sandbox, payment_method_options=options)
    receiver = hook(*EVENTS)
    step: Any = {"amount_to_capture": 2000, "final_capture": False}
    first = sandbox.stripe.v1.payment_intents.capture(made["id"], step)
    assert (first.status, first.amount_received, first.amount_capturable) == ("requires_capture", 2000, 4500)
    last = sandbox.stripe.v1.payment_intents.capture(made["id"], {"amount_to_capture": 1000})
    assert (last.status, last.amount_received, last.amount_capturable) == ("succeeded", 3000, 0)
    receiver.wait("payment_intent.succeeded")
    assert receiver.types() == [
        "charge.updated",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ]
    single = held(sandbox)
    error = refused(sandbox, f"/v1/payment_intents/{single['id']}/capture", {**step, "final_capture": "false"})
    assert error["param"] == "final_capture"


def test_a_capture_stays_within_what_was_authorized(sandbox: Sandbox) -> None:
    made = held(sandbox)
    path = f"/v1/payment_intents/{made['id']}/capture"
    error = refused(sandbox, path, {"amount_to_capture": 9999})
    assert (error["code"], error["payment_intent"]["id"]) == ("amount_too_large", made["id"])
    assert error["message"].startswith("The payment could not be captured because the requested capture amount")
    error = refused(sandbox, path, {"amount_to_capture": -100})
    assert (error.get("code"), error["message"]) == (None, "Invalid non-negative integer")
    error = refused(sandbox, path, {"amount_to_capture": 0})
    assert (error["param"], error["message"]) == ("amount", "This value must be greater than or equal to 1.")
    assert retrieved(sandbox, f"/v1/payment_intents/{made['id']}") == made


def test_an_authorization_can_be_raised(sandbox: Sandbox) -> None:
    options = {"card": {"request_incremental_authorization": "if_available"}}
    made = held(sandbox, payment_method_options=options)
    raised = sandbox.stripe.v1.payment_intents.increment_authorization(made["id"], {"amount": 8000})
    assert (raised.amount, raised.amount_capturable) == (8000, 8000)
    assert sandbox.stripe.v1.payment_intents.capture(made["id"]).amount_received == 8000
    assert refused(sandbox, f"/v1/payment_intents/{held(sandbox)['id']}/increment_authorization", {"amount": 9000})


def test_a_canceled_authorization_is_released(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    made = held(sandbox)
    receiver = hook(*EVENTS)
    canceled = sandbox.stripe.v1.payment_intents.cancel(made["id"])
    assert (canceled.status, canceled.cancellation_reason, canceled.amount_capturable) == ("canceled", None, 0)
    receiver.wait("payment_intent.canceled")
    assert receiver.types() == ["charge.refunded", "payment_intent.canceled"]
    charge = retrieved(sandbox, f"/v1/charges/{made['latest_charge']}")
    assert (charge["status"], charge["captured"], charge["refunded"]) == ("succeeded", False, True)


def test_a_checkout_can_authorize_too(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    session = sandbox.session(payment_intent_data={"capture_method": "manual"})
    receiver = hook(*EVENTS)
    assert sandbox.pay(session).status_code == 303
    receiver.wait("checkout.session.completed")
    assert receiver.types() == [
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "payment_intent.created",
        "checkout.session.completed",
    ]
    done = sandbox.stripe.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status) == ("complete", "unpaid")
    assert isinstance(done.payment_intent, str)
    sandbox.stripe.v1.payment_intents.capture(done.payment_intent)
    assert sandbox.stripe.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_charges_without_an_intent_work_the_old_way(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook(*EVENTS)
    form = {"amount": 2000, "currency": "usd", "source": "tok_visa", "capture": "false"}
    charge = sandbox.http.api("POST", "/v1/charges", form).json()
    assert (charge["payment_intent"], charge["captured"], charge["paid"]) == (None, False, True)
    captured = sandbox.http.api("POST", f"/v1/charges/{charge['id']}/capture", {"amount": "1500"}).json()
    assert (captured["captured"], captured["amount_captured"]) == (True, 1500)
    error = refused(sandbox, f"/v1/charges/{charge['id']}/capture")
    assert error["code"] == "charge_already_captured"
    receiver.wait("charge.captured")
    assert receiver.types() == ["charge.succeeded", "charge.captured"]
    freed = sandbox.http.api("POST", "/v1/charges", form).json()["id"]
    refund = sandbox.stripe.v1.refunds.create({"charge": freed})
    assert (refund.amount, refund.status, refund.balance_transaction) == (2000, "succeeded", None)
    assert retrieved(sandbox, f"/v1/charges/{freed}")["refunded"] is True
    assert refused(sandbox, f"/v1/charges/{freed}/capture")["code"] == "charge_already_refunded"
    of_intent = held(sandbox)["latest_charge"]
    assert "Cancel the PaymentIntent" in refused(sandbox, "/v1/refunds", {"charge": of_intent})["message"]
    assert "Capture the PaymentIntent instead." in refused(sandbox, f"/v1/charges/{of_intent}/capture")["message"]
    declined = {"amount": 2000, "currency": "usd", "source": "tok_chargeDeclined"}
    error = sandbox.http.refused("POST", "/v1/charges", {name: str(value) for name, value in declined.items()})
    assert (error["status"], error["code"], error["charge"][:3]) == (402, "card_declined", "ch_")


def test_a_charge_is_changed_and_found(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    paid = intent(sandbox, "pm_card_bypassPending", transfer_group="orders", **CARDS_ONLY)
    receiver = hook("charge.updated")
    changed = sandbox.stripe.v1.charges.update(
        paid["latest_charge"], {"description": "One notebook", "fraud_details": {"user_report": "safe"}}
    )
    assert (changed.description, changed.balance_transaction is None) == ("One notebook", False)
    told = receiver.wait("charge.updated").event["data"]
    assert told["previous_attributes"]["description"] is None
    [found] = sandbox.stripe.v1.charges.list({"transfer_group": "orders"}).data
    assert found.id == paid["latest_charge"]
    sandbox.stripe.v1.refunds.create({"charge": found.id, "amount": 500})
    refunds = retrieved(sandbox, f"/v1/charges/{found.id}/refunds")["data"]
    assert [one["amount"] for one in refunds] == [500]
    moved = retrieved(sandbox, "/v1/balance_transactions", source=found.id)["data"]
    assert [one["type"] for one in moved] == ["charge"]


def test_an_authorization_expires_after_a_week(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    made = held(sandbox)
    form = {"amount": "2000", "currency": "usd", "source": "tok_visa", "capture": "false"}
    charge = sandbox.http.api("POST", "/v1/charges", form).json()["id"]
    receiver = hook(*EVENTS)
    sandbox.http.browser.post("/_sim/clock", json={"seconds": WEEK + 60})
    receiver.wait("charge.expired", 2)
    over = retrieved(sandbox, f"/v1/payment_intents/{made['id']}", **{"expand[]": "latest_charge"})
    assert (over["status"], over["cancellation_reason"], over["amount_capturable"]) == ("canceled", "automatic", 0)
    assert (over["latest_charge"]["captured"], over["latest_charge"]["refunded"]) == (False, True)
    assert retrieved(sandbox, f"/v1/charges/{charge}")["amount_refunded"] == 2000
    receiver.wait("payment_intent.canceled")
    assert receiver.wait("payment_intent.canceled").event["request"] == {"id": None, "idempotency_key": None}
