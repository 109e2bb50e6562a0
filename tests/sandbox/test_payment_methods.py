"""Payment methods: made from cards, names and bank accounts; attached, changed, detached."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.paying import customer_with, declined, intent, refused, retrieved
from tests.sandbox.running import Receiver, Sandbox


@pytest.mark.parametrize(
    ("name", "brand", "last4", "funding"),
    [
        ("visa", "visa", "4242", "credit"),
        ("visa_debit", "visa", "5556", "debit"),
        ("mastercard_prepaid", "mastercard", "5100", "prepaid"),
        ("amex", "amex", "0005", "credit"),
        ("jcb", "jcb", "0505", "credit"),
    ],
)
def test_stripes_names_of_cards_are_known(sandbox: Sandbox, name: str, brand: str, last4: str, funding: str) -> None:
    given: Any = {"type": "card", "card": {"token": f"tok_{name}"}}
    card = sandbox.stripe.v1.payment_methods.create(given).to_dict()["card"]
    assert (card["brand"], card["last4"], card["funding"]) == (brand, last4, funding)
    named = retrieved(sandbox, f"/v1/payment_methods/pm_card_{name}")
    assert named["card"]["last4"] == last4


def test_a_card_is_attached_changed_and_detached(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook("payment_method.attached", "payment_method.updated", "payment_method.detached", "customer.updated")
    customer, method = customer_with(sandbox)
    changed = sandbox.stripe.v1.payment_methods.update(
        method,
        {
            "billing_details": {"name": "Ada", "address": {"city": "Graz", "country": "AT"}},
            "card": {"exp_month": 3, "exp_year": 2040},
            "metadata": {"a": "b"},
        },
    ).to_dict()
    assert (changed["billing_details"]["name"], changed["billing_details"]["address"]["city"]) == ("Ada", "Graz")
    assert (changed["card"]["exp_month"], changed["card"]["exp_year"]) == (3, 2040)
    told = receiver.wait("payment_method.updated").event["data"]["previous_attributes"]
    assert told["metadata"] == {"a": None}
    assert [one.id for one in sandbox.stripe.v1.customers.payment_methods.list(customer).data] == [method]
    assert retrieved(sandbox, f"/v1/customers/{customer}/payment_methods/{method}")["id"] == method
    sandbox.stripe.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})
    assert sandbox.stripe.v1.payment_methods.detach(method).customer is None
    assert receiver.wait("payment_method.detached").event["data"]["previous_attributes"] == {"customer": customer}
    assert retrieved(sandbox, f"/v1/customers/{customer}")["invoice_settings"]["default_payment_method"] is None
    receiver.wait("customer.updated", 2)
    error = refused(sandbox, f"/v1/payment_methods/{method}/detach")
    assert error["message"].endswith("is not attached to a customer so detachment is impossible.")
    error = refused(sandbox, f"/v1/payment_methods/{method}/attach", {"customer": customer})
    assert error["message"].endswith("you must attach it to a Customer first.")


def test_what_cannot_be_kept_is_refused(sandbox: Sandbox) -> None:
    customer, method = customer_with(sandbox)
    other = sandbox.stripe.v1.customers.create().id
    path = f"/v1/payment_methods/{method}/attach"
    error = refused(sandbox, path, {"customer": other})
    assert error["message"] == "The payment method you provided has already been attached to a customer."
    assert sandbox.http.api("POST", path, {"customer": customer}).json()["id"] == method
    form = {"customer": other}
    error = declined(sandbox, "/v1/payment_methods/pm_card_chargeDeclined/attach", form)
    assert error["code"] == "card_declined"
    loose = sandbox.stripe.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}).id
    error = refused(sandbox, f"/v1/payment_methods/{loose}", {"metadata": {"a": "b"}})
    assert error["message"] == "You must save this PaymentMethod to a customer before you can update it."


@pytest.mark.parametrize(
    ("card", "code", "param"),
    [
        ({"number": "4242424242424241", "exp_month": 1, "exp_year": 2040}, "incorrect_number", "card[number]"),
        ({"number": "4242424242424242", "exp_month": 13, "exp_year": 2040}, "invalid_expiry_month", "card[exp_month]"),
        ({"number": "4242424242424242", "exp_month": 1, "exp_year": 2020}, "invalid_expiry_year", "card[exp_year]"),
    ],
)
def test_a_card_with_a_mistake_is_refused(sandbox: Sandbox, card: dict[str, Any], code: str, param: str) -> None:
    error = declined(sandbox, "/v1/payment_methods", {"type": "card", "card": card})
    assert (error["code"], error["param"]) == (code, param)


def test_an_american_bank_account_pays_later(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook("charge.pending", "charge.succeeded", "payment_intent.processing", "payment_intent.succeeded")
    account = {"account_holder_type": "individual", "account_number": "000123456789", "routing_number": "110000000"}
    data = {"type": "us_bank_account", "us_bank_account": account, "billing_details": {"name": "Ada"}}
    made = intent(
        sandbox,
        payment_method_types=["us_bank_account"],
        payment_method_data=data,
        mandate_data={"customer_acceptance": {"type": "offline"}},
        confirm=True,
    )
    assert made["status"] == "processing"
    receiver.wait("payment_intent.succeeded")
    assert receiver.types() == [
        "charge.pending",
        "payment_intent.processing",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    charge = retrieved(sandbox, f"/v1/charges/{made['latest_charge']}")
    assert charge["payment_method_details"]["us_bank_account"]["last4"] == "6789"


def debit(sandbox: Sandbox, iban: str) -> dict[str, Any]:
    method: Any = {
        "type": "sepa_debit",
        "sepa_debit": {"iban": iban},
        "billing_details": {"name": "Bob", "email": "bob@example.com"},
    }
    made = sandbox.stripe.v1.payment_methods.create(method).id
    return intent(
        sandbox,
        made,
        currency="eur",
        payment_method_types=["sepa_debit"],
        mandate_data={"customer_acceptance": {"type": "offline", "accepted_at": 1_590_590_577}},
    )


def test_a_debit_fails_later_and_another_account_pays(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook("payment_intent.payment_failed", "payment_intent.succeeded")
    made = debit(sandbox, "AT861904300235473202")
    receiver.wait("payment_intent.payment_failed")
    failed = retrieved(sandbox, f"/v1/payment_intents/{made['id']}", **{"expand[]": "latest_charge"})
    assert (failed["status"], failed["latest_charge"]["failure_code"]) == (
        "requires_payment_method",
        "insufficient_funds",
    )
    more: Any = {"payment_method": "pm_success_de", "mandate_data": {"customer_acceptance": {"type": "offline"}}}
    assert sandbox.stripe.v1.payment_intents.confirm(made["id"], more).status == "processing"
    receiver.wait("payment_intent.succeeded")


def test_a_slow_account_keeps_everybody_waiting(sandbox: Sandbox) -> None:
    made = debit(sandbox, "AT321904300235473204")
    time.sleep(0.3)
    assert retrieved(sandbox, f"/v1/payment_intents/{made['id']}")["status"] == "processing"
    canceled = sandbox.stripe.v1.payment_intents.cancel(made["id"])
    assert canceled.status == "canceled"


def test_a_paid_debit_can_be_taken_back(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook("charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed")
    made = debit(sandbox, "AT591904300235473203")
    closed = receiver.wait("charge.dispute.closed").event["data"]["object"]
    assert (closed["status"], closed["reason"], closed["payment_intent"]) == (
        "lost",
        "debit_not_authorized",
        made["id"],
    )
    assert receiver.types() == ["charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"]
    error = refused(sandbox, "/v1/refunds", {"payment_intent": made["id"]})
    assert error["code"] == "charge_disputed"
