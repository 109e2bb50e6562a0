"""Bank debits: a session completes unpaid, and its payment succeeds or fails later."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.sandbox.running import Receiver, Sandbox

PAYS, FAILS = "AT61 1904 3002 3457 3201", "AT861904300235473202"
COMPLETION = ["charge.pending", "payment_intent.processing", "payment_intent.created", "checkout.session.completed"]


def euros(sandbox: Sandbox, recurring: Any = None, **more: Any) -> Any:
    each = {"recurring": recurring} if recurring else {}
    return sandbox.session(sandbox.price(currency="eur", **each), **more)


def debit(sandbox: Sandbox, session: Any, iban: str) -> Any:
    typed = {"method": "sepa_debit", "email": "ada@example.com", "name": "Ada", "iban": iban}
    return sandbox.http.browser.post(session.url, data=typed)


def state(sandbox: Sandbox, id: str) -> tuple[str | None, str, str, bool]:
    """(session status, payment status, intent status, whether the charge is paid)"""
    params: Any = {"expand": ["payment_intent.latest_charge"]}
    session = sandbox.stripe.v1.checkout.sessions.retrieve(id, params).to_dict()
    intent = session["payment_intent"]
    return session["status"], session["payment_status"], intent["status"], intent["latest_charge"]["paid"]


def test_the_page_completes_unpaid_and_is_paid_later(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    session = euros(sandbox)
    assert session.payment_method_types == ["card", "sepa_debit"]
    assert "IBAN" in sandbox.http.browser.get(session.url).text
    receiver = hook()
    left = debit(sandbox, session, PAYS)
    assert (left.status_code, left.headers["location"]) == (303, f"https://shop.example.com/thanks?id={session.id}")
    receiver.wait("charge.updated")
    later = ["charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded"]
    assert receiver.types() == [*COMPLETION, *later, "charge.updated"]
    completed = receiver.wait("checkout.session.completed").event["data"]["object"]
    assert (completed["status"], completed["payment_status"]) == ("complete", "unpaid")
    pending = receiver.wait("charge.pending").event["data"]["object"]
    assert (pending["status"], pending["paid"], pending["payment_method_details"]["type"]) == (
        "pending",
        False,
        "sepa_debit",
    )
    succeeded = receiver.wait("checkout.session.async_payment_succeeded").event
    assert succeeded["data"]["object"]["payment_status"] == "paid"
    assert succeeded["request"] == {"id": None, "idempotency_key": None}
    assert state(sandbox, session.id) == ("complete", "paid", "succeeded", True)
    intent = succeeded["data"]["object"]["payment_intent"]
    assert sandbox.stripe.v1.refunds.create({"payment_intent": intent}).status == "succeeded"
    receipt = sandbox.stripe.v1.charges.retrieve(pending["id"]).receipt_url
    assert receipt is not None
    assert "3201" in sandbox.http.browser.get(receipt).text


def test_a_debit_can_fail_later(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    session = euros(sandbox)
    receiver = hook()
    debit(sandbox, session, FAILS)
    receiver.wait("checkout.session.async_payment_failed")
    later = ["charge.failed", "payment_intent.payment_failed", "checkout.session.async_payment_failed"]
    assert receiver.types() == [*COMPLETION, *later]
    assert state(sandbox, session.id) == ("complete", "unpaid", "requires_payment_method", False)
    failed = receiver.wait("payment_intent.payment_failed").event["data"]["object"]
    assert failed["last_payment_error"]["payment_method"]["type"] == "sepa_debit"
    assert debit(sandbox, session, PAYS).status_code == 400
    assert state(sandbox, session.id)[1] == "unpaid"


def test_the_pages_own_backend_takes_bank_debits(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook("checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed")
    params: Any = {
        "type": "sepa_debit",
        "sepa_debit": {"iban": PAYS},
        "billing_details": {"name": "Ada", "email": "ada@example.com"},
    }
    method = sandbox.stripe.v1.payment_methods.create(params)
    assert method.sepa_debit is not None
    assert method.sepa_debit.last4 == "3201"
    for one in (method.id, "pm_failed_at"):
        session = euros(sandbox)
        confirmed = sandbox.http.api("POST", f"/v1/payment_pages/{session.id}/confirm", {"payment_method": one})
        assert (confirmed.json()["status"], confirmed.json()["payment_status"]) == ("complete", "unpaid")
    assert receiver.wait("checkout.session.async_payment_succeeded").event["data"]["object"]["payment_status"] == "paid"
    assert receiver.wait("checkout.session.async_payment_failed").event["data"]["object"]["id"] == session.id


def test_a_control_pays_by_bank_debit_too(sandbox: Sandbox) -> None:
    session = euros(sandbox, customer_creation="always")
    paid = sandbox.http.browser.post("/_sim/pay", json={"session": session.id, "iban": PAYS}).json()
    assert paid["status"] == "complete"
    assert sandbox.stripe.v1.checkout.sessions.retrieve(session.id).customer is not None


def test_other_sessions_take_no_bank_debits(sandbox: Sandbox) -> None:
    session = sandbox.session()
    assert session.payment_method_types == ["card"]
    assert "IBAN" not in sandbox.http.browser.get(session.url).text
    debit(sandbox, session, PAYS)
    assert sandbox.stripe.v1.checkout.sessions.retrieve(session.id).status == "open"
    with pytest.raises(stripe.InvalidRequestError, match="sepa_debit"):
        sandbox.session(payment_method_types=["sepa_debit"])
    assert euros(sandbox, payment_method_types=["card"]).payment_method_types == ["card"]


@pytest.mark.parametrize(
    ("iban", "status", "payment_status", "ends"),
    [
        (PAYS, "active", "paid", "checkout.session.async_payment_succeeded"),
        (FAILS, "past_due", "unpaid", "checkout.session.async_payment_failed"),
    ],
)
def test_a_subscription_begins_before_its_debit_is_paid(
    sandbox: Sandbox, hook: Callable[..., Receiver], iban: str, status: str, payment_status: str, ends: str
) -> None:
    session = euros(sandbox, mode="subscription", recurring={"interval": "month"})
    assert session.payment_method_types == ["card", "sepa_debit"]
    receiver = hook()
    assert debit(sandbox, session, iban).status_code == 303
    completed = receiver.wait("checkout.session.completed").event["data"]["object"]
    assert (completed["status"], completed["payment_status"]) == ("complete", "unpaid")
    receiver.wait(ends)
    assert receiver.types()[:10] == [
        "charge.pending",
        "payment_method.attached",
        "customer.created",
        "customer.updated",
        "checkout.session.completed",
        "customer.subscription.created",
        "payment_intent.created",
        "payment_intent.processing",
        "invoice.created",
        "invoice.finalized",
    ]
    params: Any = {"expand": ["subscription.latest_invoice"]}
    done = sandbox.stripe.v1.checkout.sessions.retrieve(session.id, params).to_dict()
    assert (done["payment_status"], done["subscription"]["status"]) == (payment_status, status)
    assert done["subscription"]["latest_invoice"]["status"] == ("paid" if payment_status == "paid" else "open")


@pytest.mark.parametrize("typed", [{"iban": "DE00"}, {"name": ""}, {"email": "nobody"}])
def test_a_form_that_is_wrong_says_so(sandbox: Sandbox, typed: dict[str, str]) -> None:
    session = euros(sandbox)
    form = {"method": "sepa_debit", "email": "ada@example.com", "name": "Ada", "iban": PAYS, **typed}
    answer = sandbox.http.browser.post(session.url, data=form)
    assert answer.status_code == 402
    assert 'role="alert"' in answer.text
