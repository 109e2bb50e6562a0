"""3-D Secure: intents whose bank asks the buyer, on its page and off session, and callers that show no question."""

from collections.abc import Callable

from tests.sandbox.paying import CARDS_ONLY, answer_challenge, customer_with, declined, intent, listening, retrieved
from tests.sandbox.running import Receiver, Sandbox

ASKING = "pm_card_threeDSecure2Required"


def test_three_d_secure_redirects_and_returns_to_the_shop(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = listening(hook)
    asked = intent(sandbox, ASKING, return_url="https://shop.example.com/back?cart=1")
    assert (asked["status"], asked["latest_charge"]) == ("requires_action", None)
    redirect = asked["next_action"]["redirect_to_url"]
    assert redirect["return_url"] == "https://shop.example.com/back?cart=1"
    page = sandbox.http.browser.get(redirect["url"])
    assert "Your bank asks for authentication" in page.text
    left = sandbox.http.browser.post(redirect["url"], data={"outcome": "complete"})
    assert left.status_code == 303
    assert left.headers["location"].startswith(
        f"https://shop.example.com/back?cart=1&payment_intent={asked['id']}&payment_intent_client_secret="
    )
    assert left.headers["location"].endswith("&redirect_status=succeeded")
    paid = retrieved(sandbox, f"/v1/payment_intents/{asked['id']}", **{"expand[]": "latest_charge"})
    assert (paid["status"], paid["next_action"]) == ("succeeded", None)
    secured = paid["latest_charge"]["payment_method_details"]["card"]["three_d_secure"]
    assert secured["result"] == "authenticated"
    receiver.wait("charge.updated")
    assert receiver.types() == [
        "payment_intent.requires_action",
        "payment_intent.created",
        "payment_intent.succeeded",
        "charge.succeeded",
        "charge.updated",
    ]
    assert "There is nothing to confirm" in sandbox.http.browser.get(redirect["url"]).text


def test_a_challenge_that_is_not_passed_asks_for_another_card(sandbox: Sandbox) -> None:
    asked = intent(sandbox, ASKING)
    assert asked["next_action"]["type"] == "use_stripe_sdk"
    assert asked["next_action"]["use_stripe_sdk"]["stripe_js"] == f"{sandbox.url}/3ds/{asked['id']}"
    assert answer_challenge(sandbox, asked["id"], passed=False)["status"] == "requires_payment_method"
    failed = retrieved(sandbox, f"/v1/payment_intents/{asked['id']}")
    assert failed["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert failed["payment_method"] is None
    paid = sandbox.stripe.v1.payment_intents.confirm(asked["id"], {"payment_method": "pm_card_visa"})
    assert paid.status == "succeeded"


def test_a_card_can_be_declined_after_its_challenge(sandbox: Sandbox) -> None:
    asked = intent(sandbox, "pm_card_threeDSecureRequiredChargeDeclined")
    assert answer_challenge(sandbox, asked["id"])["status"] == "requires_payment_method"
    failed = retrieved(sandbox, f"/v1/payment_intents/{asked['id']}")
    assert failed["last_payment_error"]["decline_code"] == "generic_decline"


def test_the_server_confirms_again_where_confirmation_is_manual(sandbox: Sandbox) -> None:
    asked = intent(sandbox, ASKING, confirmation_method="manual", return_url="https://shop.example.com/back")
    assert answer_challenge(sandbox, asked["id"])["status"] == "requires_confirmation"
    assert sandbox.stripe.v1.payment_intents.confirm(asked["id"]).status == "succeeded"


def test_nobody_can_answer_a_challenge_off_session(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    customer, method = customer_with(sandbox, ASKING)
    receiver = listening(hook)
    form = {
        "amount": 3300,
        "currency": "usd",
        "customer": customer,
        "payment_method": method,
        "confirm": "true",
        "off_session": "true",
        **CARDS_ONLY,
    }
    error = declined(sandbox, "/v1/payment_intents", form)
    assert (error["code"], error["decline_code"]) == ("authentication_required", "authentication_required")
    assert error["message"] == "Your card was declined. This transaction requires authentication."
    assert "charge" not in error
    assert error["payment_method"]["id"] == method
    assert error["payment_intent"]["status"] == "requires_payment_method"
    receiver.wait("payment_intent.payment_failed")
    assert receiver.types() == ["payment_intent.created", "payment_intent.payment_failed"]
    assert not sandbox.stripe.v1.charges.list({"customer": customer}).data


def test_a_card_that_was_set_up_is_charged_off_session(sandbox: Sandbox) -> None:
    customer = sandbox.stripe.v1.customers.create().id
    first = intent(sandbox, "pm_card_authenticationRequired", customer=customer, setup_future_usage="off_session")
    answer_challenge(sandbox, first["id"])
    [method] = sandbox.stripe.v1.customers.payment_methods.list(customer).data
    again = intent(sandbox, method.id, customer=customer, off_session=True)
    assert again["status"] == "succeeded"


def test_a_caller_without_challenges_is_refused(sandbox: Sandbox) -> None:
    form = {"amount": 2000, "currency": "usd", "payment_method": ASKING, "confirm": "true", **CARDS_ONLY}
    error = declined(sandbox, "/v1/payment_intents", {**form, "error_on_requires_action": "true"})
    assert (error["code"], error["decline_code"]) == ("authentication_required", "authentication_not_handled")
    assert "`error_on_requires_action` was set" in error["message"]
