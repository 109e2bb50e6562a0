"""Payment intents by request: created, confirmed, changed, canceled; what Stripe refuses, and the events in order."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.paying import CARDS_ONLY, customer_with, declined, intent, listening, refused, retrieved
from tests.sandbox.running import Receiver, Sandbox


def test_a_created_intent_waits_for_a_payment_method(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = listening(hook)
    made = sandbox.stripe.v1.payment_intents.create(
        {"amount": 4900, "currency": "eur", "metadata": {"order": "6"}, "receipt_email": "ada@example.com"}
    ).to_dict()
    assert (made["status"], made["capture_method"], made["confirmation_method"]) == (
        "requires_payment_method",
        "automatic_async",
        "automatic",
    )
    assert made["automatic_payment_methods"] == {"allow_redirects": "always", "enabled": True}
    assert made["payment_method_types"] == ["card", "sepa_debit"]
    assert made["client_secret"].startswith(f"{made['id']}_secret_")
    assert (made["latest_charge"], made["payment_method"], made["amount_received"]) == (None, None, 0)
    assert receiver.wait("payment_intent.created").event["data"]["object"]["metadata"] == {"order": "6"}
    assert receiver.types() == ["payment_intent.created"]


def test_confirmed_at_once_it_is_paid_in_the_recorded_order(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = listening(hook)
    paid = intent(sandbox, "pm_card_visa", metadata={"order": "7"})
    assert (paid["status"], paid["amount_received"]) == ("succeeded", 2000)
    charge = retrieved(sandbox, f"/v1/charges/{paid['latest_charge']}")
    assert (charge["paid"], charge["captured"], charge["metadata"]) == (True, True, {"order": "7"})
    receiver.wait("charge.updated")
    assert receiver.types() == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "payment_intent.created",
        "charge.updated",
    ]


def test_confirmed_later_it_takes_the_method_it_has_or_the_customers_default(
    sandbox: Sandbox, hook: Callable[..., Receiver]
) -> None:
    customer, method = customer_with(sandbox, default=True)
    receiver = listening(hook)
    waiting = intent(sandbox, customer=customer, payment_method=method)
    assert waiting["status"] == "requires_confirmation"
    paid = sandbox.stripe.v1.payment_intents.confirm(waiting["id"])
    assert (paid.status, paid.payment_method) == ("succeeded", method)
    receiver.wait("charge.updated")
    assert receiver.types()[:3] == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    by_default = sandbox.stripe.v1.payment_intents.confirm(intent(sandbox, customer=customer)["id"])
    assert (by_default.status, by_default.payment_method) == ("succeeded", method)
    listed = sandbox.stripe.v1.payment_intents.list({"customer": customer}).data
    assert [one.id for one in listed] == [by_default.id, paid.id]


@pytest.mark.parametrize(
    ("card", "code", "decline_code", "message"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline", "Your card was declined."),
        (
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "card_declined",
            "insufficient_funds",
            "Your card has insufficient funds.",
        ),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None, "Your card has expired."),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None, "Your card's security code is incorrect."),
        ("pm_card_radarBlock", "card_declined", "fraudulent", "Your card was declined."),
    ],
)
def test_a_decline_answers_stripes_card_error(
    sandbox: Sandbox, card: str, code: str, decline_code: str | None, message: str
) -> None:
    form = {"amount": 2000, "currency": "usd", "payment_method": card, "confirm": "true", **CARDS_ONLY}
    error = declined(sandbox, "/v1/payment_intents", form)
    assert (error["type"], error["code"], error["message"]) == ("card_error", code, message)
    assert error.get("decline_code") == decline_code
    shown = error["payment_intent"]
    assert (shown["status"], shown["payment_method"]) == ("requires_payment_method", None)
    assert shown["last_payment_error"]["charge"] == error["charge"] == shown["latest_charge"]
    failed = retrieved(sandbox, f"/v1/charges/{error['charge']}")
    assert (failed["status"], failed["failure_code"], failed["paid"]) == ("failed", code, False)
    assert retrieved(sandbox, f"/v1/payment_intents/{shown['id']}") == shown


def test_a_declined_intent_can_be_paid_with_another_card(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    waiting = intent(sandbox)
    path = f"/v1/payment_intents/{waiting['id']}/confirm"
    receiver = listening(hook)
    declined(sandbox, path, {"payment_method": "pm_card_chargeDeclined"})
    paid = sandbox.stripe.v1.payment_intents.confirm(waiting["id"], {"payment_method": "pm_card_mastercard"})
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)
    receiver.wait("charge.updated")
    assert receiver.types()[:4] == [
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


def test_setup_future_usage_saves_the_card_for_the_customer(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    customer = sandbox.stripe.v1.customers.create().id
    receiver = listening(hook)
    paid = intent(sandbox, "pm_card_visa", customer=customer, setup_future_usage="off_session")
    receiver.wait("payment_intent.created")
    assert receiver.types()[:4] == [
        "charge.succeeded",
        "payment_method.attached",
        "payment_intent.succeeded",
        "payment_intent.created",
    ]
    method = retrieved(sandbox, f"/v1/payment_methods/{paid['payment_method']}")
    assert method["customer"] == customer


def test_a_card_nobody_saved_is_used_up(sandbox: Sandbox) -> None:
    method = sandbox.stripe.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}).id
    intent(sandbox, method)
    error = refused(sandbox, f"/v1/payment_intents/{intent(sandbox)['id']}/confirm", {"payment_method": method})
    assert error["message"].startswith("The provided PaymentMethod was previously used with a PaymentIntent without")


def test_what_does_not_fit_the_state_is_refused_in_stripes_words(sandbox: Sandbox) -> None:
    paid = intent(sandbox, "pm_card_visa")
    path = f"/v1/payment_intents/{paid['id']}"
    told = {
        "confirm": "You cannot confirm this PaymentIntent because it has already succeeded after being previously "
        "confirmed.",
        "cancel": "You cannot cancel this PaymentIntent because it has a status of succeeded. Only a PaymentIntent "
        "with one of the following statuses may be canceled: requires_payment_method, requires_capture, "
        "requires_reauthorization, requires_confirmation, requires_action, processing.",
        "capture": "The remaining amount on this PaymentIntent could not be captured because the remainder of the "
        "authorized amount has been released.",
    }
    for verb, message in told.items():
        error = refused(sandbox, f"{path}/{verb}")
        assert (error["code"], error["message"]) == ("payment_intent_unexpected_state", message)
        assert error["payment_intent"]["id"] == paid["id"]
    error = refused(sandbox, path, {"amount": 100})
    assert (error["param"], error["code"]) == ("amount", "payment_intent_unexpected_state")
    assert error["message"] == (
        "This PaymentIntent's amount could not be updated because it has a status of succeeded. You may only update "
        "the amount of a PaymentIntent with one of the following statuses: requires_payment_method, "
        "requires_confirmation, requires_action."
    )
    noted = sandbox.stripe.v1.payment_intents.update(paid["id"], {"metadata": {"a": "b"}, "description": "later"})
    assert (noted.to_dict()["metadata"], noted.description) == ({"a": "b"}, "later")
    error = refused(sandbox, f"/v1/payment_intents/{intent(sandbox)['id']}/capture")
    assert error["message"] == (
        "This PaymentIntent could not be captured because it has a status of requires_payment_method. Only a "
        "PaymentIntent with one of the following statuses may be captured: requires_capture."
    )


def test_an_intent_without_a_method_cannot_be_confirmed(sandbox: Sandbox) -> None:
    error = refused(sandbox, f"/v1/payment_intents/{intent(sandbox)['id']}/confirm")
    assert error["message"] == (
        "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
        "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment "
        "method or ConfirmationToken."
    )
    customer = sandbox.stripe.v1.customers.create().id
    error = refused(sandbox, f"/v1/payment_intents/{intent(sandbox, customer=customer)['id']}/confirm")
    assert error["message"].endswith(
        f"To confirm the PaymentIntent with {customer}, specify a payment method attached to this customer along with "
        f"the customer ID."
    )


def test_another_customers_card_is_refused(sandbox: Sandbox) -> None:
    owner, method = customer_with(sandbox)
    other = sandbox.stripe.v1.customers.create().id
    error = refused(sandbox, f"/v1/payment_intents/{intent(sandbox)['id']}/confirm", {"payment_method": method})
    assert (error["code"], error["param"]) == ("parameter_missing", "source")
    assert error["message"] == (
        f"The `payment_method` parameter supplied {method} belongs to the Customer {owner}. Please include the "
        f"Customer in the `customer` parameter on the PaymentIntent."
    )
    waiting = intent(sandbox, customer=other)
    error = refused(sandbox, f"/v1/payment_intents/{waiting['id']}/confirm", {"payment_method": method})
    assert (error.get("code"), error["param"]) == (None, "payment_method")
    assert error["message"].startswith(f"The PaymentMethod {method} does not belong to the Customer you supplied")


@pytest.mark.parametrize(
    ("form", "code", "param", "message"),
    [
        ({"amount": 0}, "parameter_invalid_integer", "amount", "The amount must be greater than or equal to"),
        ({"amount": 49}, "amount_too_small", "amount", "Amount must be at least $0.50 usd"),
        ({"amount": 100_000_000}, "amount_too_large", "amount", "Amount must be no more than $999,999.99"),
        ({"customer": "cus_none"}, "resource_missing", "customer", "No such customer: 'cus_none'"),
        ({"payment_method": "pm_none"}, "resource_missing", "payment_method", "No such PaymentMethod: 'pm_none'"),
        ({"on_behalf_of": "acct_1"}, None, "on_behalf_of", "The sandbox does not simulate `on_behalf_of`."),
        ({"off_session": "true"}, None, "off_session", "The parameter `off_session` cannot be passed when creating"),
        ({"payment_method_types": ["sepa_debit"]}, None, "currency", "The currency provided (usd) is invalid"),
        (
            {"automatic_payment_methods": {"enabled": "true"}, "confirm": "true", "payment_method": "pm_card_visa"},
            None,
            "return_url",
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard.",
        ),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    sandbox: Sandbox, form: dict[str, Any], code: str | None, param: str, message: str
) -> None:
    error = refused(sandbox, "/v1/payment_intents", {"amount": 2000, "currency": "usd", **form})
    assert (error.get("code"), error["param"]) == (code, param)
    assert error["message"].startswith(message)


def test_a_refused_confirmation_leaves_no_intent_behind(sandbox: Sandbox) -> None:
    before = sandbox.event_types()
    refused(sandbox, "/v1/payment_intents", {"amount": 2000, "currency": "usd", "confirm": "true"})
    assert sandbox.event_types() == before


def test_an_update_changes_what_is_paid(sandbox: Sandbox) -> None:
    waiting = intent(sandbox, payment_method="pm_card_visa")
    changed = sandbox.stripe.v1.payment_intents.update(
        waiting["id"], {"amount": 5100, "payment_method": "pm_card_amex", "statement_descriptor_suffix": "NOTEBOOK"}
    )
    assert (changed.amount, changed.status) == (5100, "requires_confirmation")
    bare = sandbox.stripe.v1.payment_intents.update(waiting["id"], {"payment_method": ""})
    assert (bare.payment_method, bare.status) == (None, "requires_payment_method")
    sandbox.stripe.v1.payment_intents.update(waiting["id"], {"payment_method": "pm_card_amex"})
    paid = sandbox.stripe.v1.payment_intents.confirm(waiting["id"], {"expand": ["payment_method"]}).to_dict()
    assert (paid["amount_received"], paid["payment_method"]["card"]["brand"]) == (5100, "amex")


def test_a_canceled_intent_stays_canceled(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    waiting = intent(sandbox)
    receiver = listening(hook)
    canceled = sandbox.stripe.v1.payment_intents.cancel(waiting["id"], {"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert canceled.canceled_at is not None
    assert receiver.wait("payment_intent.canceled").event["data"]["object"]["status"] == "canceled"
    error = refused(sandbox, f"/v1/payment_intents/{waiting['id']}/confirm", {"payment_method": "pm_card_visa"})
    assert error["message"].startswith("This PaymentIntent's payment_method could not be updated because it has a")


def test_a_secret_that_is_not_its_own_is_refused(sandbox: Sandbox) -> None:
    waiting = intent(sandbox)
    error = sandbox.http.refused("GET", f"/v1/payment_intents/{waiting['id']}", {"client_secret": "pi_1_secret_2"})
    assert error["message"].startswith("The client_secret provided does not match")
    found = retrieved(sandbox, f"/v1/payment_intents/{waiting['id']}", client_secret=waiting["client_secret"])
    assert found["id"] == waiting["id"]


def test_a_checkouts_intent_is_the_pages_to_decide(sandbox: Sandbox) -> None:
    session = sandbox.session()
    sandbox.pay(session, card_number="4000000000000002")
    made = sandbox.stripe.v1.checkout.sessions.retrieve(session.id).payment_intent
    error = refused(sandbox, f"/v1/payment_intents/{made}/cancel")
    assert "Expire the session instead." in error["message"]
