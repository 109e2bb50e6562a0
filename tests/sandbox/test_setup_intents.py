"""Setup intents: a payment method saved without a payment, by request and through a checkout."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.paying import CARDS_ONLY, answer_challenge, customer_with, declined, intent, refused, retrieved
from tests.sandbox.running import Receiver, Sandbox

EVENTS = (
    "setup_intent.created",
    "setup_intent.succeeded",
    "setup_intent.setup_failed",
    "setup_intent.requires_action",
    "setup_intent.canceled",
    "payment_method.attached",
    "checkout.session.completed",
)
ASKING = "pm_card_authenticationRequired"
IBAN = "AT611904300234573201"


def setup(sandbox: Sandbox, card: str | None = None, **more: Any) -> dict[str, Any]:
    given: Any = {**CARDS_ONLY, **more}
    if card is not None:
        given = {"payment_method": card, "confirm": True, **given}
    return sandbox.stripe.v1.setup_intents.create(given).to_dict()


def test_a_card_is_saved_for_the_customer(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    customer = sandbox.stripe.v1.customers.create().id
    receiver = hook(*EVENTS)
    made = setup(sandbox, customer=customer, metadata={"a": "b"})
    assert (made["status"], made["usage"], made["payment_method"]) == ("requires_payment_method", "off_session", None)
    done = sandbox.stripe.v1.setup_intents.confirm(
        made["id"], {"payment_method": "pm_card_visa", "expand": ["payment_method", "latest_attempt"]}
    ).to_dict()
    assert (done["status"], done["payment_method"]["customer"]) == ("succeeded", customer)
    attempt = done["latest_attempt"]
    assert (attempt["object"], attempt["status"], attempt["setup_intent"]) == ("setup_attempt", "succeeded", made["id"])
    receiver.wait("setup_intent.succeeded")
    assert receiver.types() == ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]
    [found] = sandbox.stripe.v1.setup_intents.list({"customer": customer}).data
    assert found.id == made["id"]


def test_a_card_that_asks_is_saved_after_its_challenge(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    customer = sandbox.stripe.v1.customers.create().id
    receiver = hook(*EVENTS)
    asked = setup(sandbox, ASKING, customer=customer, return_url="https://shop.example.com/saved")
    assert asked["status"] == "requires_action"
    url = asked["next_action"]["redirect_to_url"]["url"]
    assert "Nothing is charged" in sandbox.http.browser.get(url).text
    left = sandbox.http.browser.post(url, data={"outcome": "complete"})
    assert left.headers["location"].startswith(f"https://shop.example.com/saved?setup_intent={asked['id']}&")
    receiver.wait("setup_intent.succeeded")
    assert receiver.types() == [
        "setup_intent.created",
        "setup_intent.requires_action",
        "payment_method.attached",
        "setup_intent.succeeded",
    ]
    saved = retrieved(sandbox, f"/v1/setup_intents/{asked['id']}")["payment_method"]
    assert intent(sandbox, saved, customer=customer, off_session=True)["status"] == "succeeded"


def test_a_challenge_that_is_not_passed_saves_nothing(sandbox: Sandbox) -> None:
    asked = setup(sandbox, ASKING)
    assert asked["next_action"]["type"] == "use_stripe_sdk"
    assert answer_challenge(sandbox, asked["id"], passed=False)["status"] == "requires_payment_method"
    failed = retrieved(sandbox, f"/v1/setup_intents/{asked['id']}")
    assert failed["last_setup_error"]["code"] == "setup_intent_authentication_failure"


@pytest.mark.parametrize(
    ("card", "code", "decline_code", "param"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline", None),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", "exp_month"),
    ],
)
def test_a_card_that_cannot_be_saved_is_declined(
    sandbox: Sandbox, card: str, code: str, decline_code: str, param: str | None
) -> None:
    error = declined(sandbox, "/v1/setup_intents", {"payment_method": card, "confirm": "true", **CARDS_ONLY})
    assert (error["type"], error["code"], error["decline_code"]) == ("card_error", code, decline_code)
    assert error.get("param") == param
    shown = error["setup_intent"]
    assert (shown["status"], shown["last_setup_error"]["code"]) == ("requires_payment_method", code)
    assert error["payment_method"]["type"] == "card"
    late = "charge.updated"  # of an earlier test's payment
    assert [one for one in sandbox.event_types() if one != late][-1] == "setup_intent.setup_failed"


def test_a_card_that_only_fails_later_is_saved(sandbox: Sandbox) -> None:
    customer = sandbox.stripe.v1.customers.create().id
    done = setup(sandbox, "pm_card_chargeCustomerFail", customer=customer)
    assert done["status"] == "succeeded"
    form = {
        "amount": 100,
        "currency": "usd",
        "customer": customer,
        "payment_method": done["payment_method"],
        "confirm": "true",
        **CARDS_ONLY,
    }
    assert declined(sandbox, "/v1/payment_intents", form)["code"] == "card_declined"


def test_a_bank_account_is_saved_with_its_mandate(sandbox: Sandbox) -> None:
    customer = sandbox.stripe.v1.customers.create().id
    given: Any = {
        "customer": customer,
        "payment_method_types": ["sepa_debit"],
        "payment_method_data": {
            "type": "sepa_debit",
            "sepa_debit": {"iban": IBAN},
            "billing_details": {"name": "Ada", "email": "ada@example.com"},
        },
        "confirm": True,
    }
    path = "/v1/setup_intents"
    unpermitted = {**given, "confirm": "true"}
    assert refused(sandbox, path, unpermitted)["message"].startswith("This SetupIntent requires a mandate")
    given["mandate_data"] = {"customer_acceptance": {"type": "offline"}}
    done = sandbox.stripe.v1.setup_intents.create({**given, "expand": ["mandate"]}).to_dict()
    assert done["status"] == "succeeded"
    assert (done["mandate"]["status"], done["mandate"]["payment_method"]) == ("active", done["payment_method"])
    euros: Any = {"amount": 2000, "currency": "eur", "payment_method_types": ["sepa_debit"], "customer": customer}
    more = {"payment_method": done["payment_method"], "confirm": True, "off_session": True}
    assert sandbox.stripe.v1.payment_intents.create({**euros, **more}).status == "processing"


def test_what_does_not_fit_the_state_is_refused_in_stripes_words(sandbox: Sandbox) -> None:
    bare = setup(sandbox)
    error = refused(sandbox, f"/v1/setup_intents/{bare['id']}/confirm")
    assert (error["code"], error["setup_intent"]["id"]) == ("setup_intent_unexpected_state", bare["id"])
    assert error["message"].startswith("You cannot confirm this SetupIntent because it's missing a payment method.")
    done = setup(sandbox, "pm_card_visa")
    path = f"/v1/setup_intents/{done['id']}"
    assert refused(sandbox, f"{path}/confirm")["message"] == (
        "You cannot confirm this SetupIntent because it has already succeeded."
    )
    assert refused(sandbox, f"{path}/cancel")["message"] == (
        "You cannot cancel this SetupIntent because it has a status of succeeded. Only a SetupIntent with one of the "
        "following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, or `requires_action`."
    )
    owner, method = customer_with(sandbox)
    error = refused(sandbox, "/v1/setup_intents", {"payment_method": method, **CARDS_ONLY})
    assert error["message"] == (
        f"The payment method supplied ({method}) belongs to the Customer {owner}. Please include the Customer in the "
        f"`customer` parameter on the SetupIntent."
    )


def test_a_canceled_intent_stays_canceled(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    made = setup(sandbox, payment_method="pm_card_visa", description="For later")
    assert made["status"] == "requires_confirmation"
    receiver = hook(*EVENTS)
    reason: Any = {"cancellation_reason": "requested_by_customer"}
    canceled = sandbox.stripe.v1.setup_intents.cancel(made["id"], reason)
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "requested_by_customer")
    receiver.wait("setup_intent.canceled")
    path = f"/v1/setup_intents/{made['id']}"
    assert refused(sandbox, f"{path}/confirm")["message"].endswith("it has been canceled.")
    assert refused(sandbox, f"{path}/cancel")["message"].endswith("it is already canceled.")
    renamed = sandbox.stripe.v1.setup_intents.update(made["id"], {"description": "Never"})
    assert renamed.description == "Never"
    assert refused(sandbox, path, {"payment_method": "pm_card_amex"})["param"] == "payment_method"


def checkout(sandbox: Sandbox, **more: Any) -> Any:
    given: Any = {
        "mode": "setup",
        "currency": "eur",
        "success_url": "https://shop.example.com/saved?id={CHECKOUT_SESSION_ID}",
        "setup_intent_data": {"metadata": {"a": "b"}},
        **more,
    }
    return sandbox.stripe.v1.checkout.sessions.create(given)


def test_a_checkout_saves_a_card_without_a_payment(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    customer = sandbox.stripe.v1.customers.create({"email": "ada@example.com"}).id
    receiver = hook(*EVENTS)
    session = checkout(sandbox, customer=customer)
    assert (session.amount_total, session.payment_status, session.payment_method_types) == (
        None,
        "no_payment_required",
        ["card", "sepa_debit"],
    )
    page = sandbox.http.api("GET", f"/v1/payment_pages/{session.id}").json()
    assert (page["setup_intent"], page["total_summary"]["due"]) == (session.setup_intent, 0)
    form = {"payment_method": "pm_card_visa", "expected_amount": "0"}
    sandbox.http.api("POST", f"/v1/payment_pages/{session.id}/confirm", form)
    done = sandbox.stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]}).to_dict()
    saved = done["setup_intent"]
    assert (done["status"], saved["status"], saved["metadata"]) == ("complete", "succeeded", {"a": "b"})
    receiver.wait("checkout.session.completed")
    assert receiver.types() == [
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
        "checkout.session.completed",
    ]
    assert retrieved(sandbox, f"/v1/payment_methods/{saved['payment_method']}")["customer"] == customer


def test_its_page_asks_and_declines_too(sandbox: Sandbox) -> None:
    session = checkout(sandbox)
    path = f"/v1/payment_pages/{session.id}/confirm"
    error = sandbox.http.refused("POST", path, {"payment_method": "pm_card_chargeDeclined"})
    assert (error["status"], error["code"]) == (402, "card_declined")
    asked = sandbox.http.api("POST", path, {"payment_method": ASKING}).json()
    assert asked["next_action"]["redirect_to_url"]["url"] == session.url
    for outcome, status in (("fail", 402), ("complete", 303)):
        sandbox.http.api("POST", path, {"payment_method": ASKING})
        left = sandbox.http.browser.post(f"{session.url}/challenge", data={"outcome": outcome})
        assert left.status_code == status
    assert sandbox.stripe.v1.checkout.sessions.retrieve(session.id).customer is None


def test_a_checkout_saves_a_bank_account_at_once(sandbox: Sandbox) -> None:
    session = checkout(sandbox, customer_creation="always")
    paid = sandbox.http.browser.post("/_sim/pay", json={"session": session.id, "iban": IBAN}).json()
    assert paid["status"] == "complete"
    done = sandbox.stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]}).to_dict()
    assert (done["setup_intent"]["status"], done["setup_intent"]["customer"]) == ("succeeded", done["customer"])


def test_a_setup_checkout_that_cannot_be_is_refused(sandbox: Sandbox) -> None:
    form = {"mode": "setup", "success_url": "https://shop.example.com/saved"}
    assert refused(sandbox, "/v1/checkout/sessions", form)["message"] == "Missing required param: currency."
    sold = {**form, "currency": "usd", "payment_intent_data": {"description": "x"}}
    assert refused(sandbox, "/v1/checkout/sessions", sold)["param"] == "payment_intent_data"
