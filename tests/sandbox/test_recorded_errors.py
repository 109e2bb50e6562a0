"""Errors as they were recorded from Stripe, word for word: status, type, code, param and message."""

import re
from typing import Any

import pytest

from tests.sandbox.running import Sandbox

TYPES = {"api_error", "card_error", "idempotency_error", "invalid_request_error"}
CUSTOMER = "/v1/customers"


@pytest.mark.parametrize(
    ("method", "path", "form", "status", "code", "param", "message"),
    [
        ("POST", CUSTOMER, "balance=abc", 400, "parameter_invalid_integer", "balance", "Invalid integer: abc"),
        ("POST", CUSTOMER, "wat=1", 400, "parameter_unknown", "wat", "Received unknown parameter: wat"),
        (
            "POST",
            CUSTOMER,
            "invoice_settings[nope]=1",
            400,
            "parameter_unknown",
            "invoice_settings[nope]",
            "Received unknown parameter: invoice_settings[nope]",
        ),
        (
            "POST",
            "/v1/checkout/sessions",
            "mode=payment&success_url=https://shop.example.com&line_items[0][price_data][unit_amount]=5",
            400,
            "parameter_missing",
            "line_items[0][price_data][currency]",
            "Missing required param: line_items[0][price_data][currency].",
        ),
        ("GET", f"{CUSTOMER}/cus_aaa", "", 404, "resource_missing", "id", "No such customer: 'cus_aaa'"),
        (
            "GET",
            f"{CUSTOMER}?starting_after=cus_aaa",
            "",
            400,
            "resource_missing",
            "starting_after",
            "No such customer: 'cus_aaa'",
        ),
        (
            "GET",
            f"{CUSTOMER}?starting_after=cus_a&ending_before=cus_b",
            "",
            400,
            None,
            None,
            "Received both starting_after and ending_before parameters. Please pass in only one.",
        ),
        (
            "POST",
            "/v1/checkout/sessions",
            "mode=subscription&success_url=https://shop.example.com&customer_creation=always"
            "&line_items[0][quantity]=1&line_items[0][price_data][currency]=usd"
            "&line_items[0][price_data][unit_amount]=5&line_items[0][price_data][product_data][name]=A"
            "&line_items[0][price_data][recurring][interval]=month",
            400,
            None,
            "customer_creation",
            re.compile(r".*[Cc]an only be (set|used) in `payment` and `setup` mode\.?"),
        ),
    ],
)
def test_an_error_says_what_was_recorded(
    sandbox: Sandbox,
    method: str,
    path: str,
    form: str,
    status: int,
    code: str | None,
    param: str | None,
    message: str | re.Pattern[str],
) -> None:
    error = sandbox.http.refused(method, path, form)
    assert (error["status"], error.get("code"), error.get("param")) == (status, code, param)
    told = error["message"]
    assert message.fullmatch(told) if isinstance(message, re.Pattern) else told == message


def refusals(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Errors of many sorts, as they came."""
    declined = {"amount": "500", "currency": "usd", "payment_method": "pm_card_visa_chargeDeclined", "confirm": "true"}
    declined["automatic_payment_methods[enabled]"] = "true"
    declined["automatic_payment_methods[allow_redirects]"] = "never"
    sandbox.http.api("POST", CUSTOMER, "name=A", Idempotency_Key="facts")
    return [
        sandbox.http.api(method, path, form, **headers).json()["error"]
        for method, path, form, headers in (
            ("POST", CUSTOMER, "metadata[" + "k" * 41 + "]=1", {}),
            ("POST", CUSTOMER, "name=B", {"Idempotency_Key": "facts"}),
            ("GET", "/v1/nothing", "", {}),
            ("GET", f"{CUSTOMER}?expand[]=wat", "", {}),
            ("POST", "/v1/payment_intents", declined, {}),
        )
    ]


def test_errors_have_one_of_four_types_and_no_nulls(sandbox: Sandbox) -> None:
    found = refusals(sandbox)
    assert {error["type"] for error in found} == {"invalid_request_error", "idempotency_error", "card_error"}
    for error in found:
        assert error["type"] in TYPES
        assert None not in error.values()
        assert error["message"]
        assert error["request_log_url"].startswith("https://dashboard.stripe.com/test/logs/req_")
        assert ("doc_url" in error) == ("code" in error)


@pytest.mark.parametrize("path", ["a.b.c.d.e", "data.a.b.c.d.e"])
def test_expand_goes_four_levels_deep(sandbox: Sandbox, path: str) -> None:
    where = CUSTOMER if path.startswith("data.") else f"{CUSTOMER}/{sandbox.stripe.v1.customers.create({}).id}"
    error = sandbox.http.refused("GET", where, {"expand[]": path})
    assert error["message"] == f"You cannot expand more than 4 levels of a property. Property: {path}"


def test_metadata_holds_what_stripe_says_it_holds(sandbox: Sandbox) -> None:
    most = {f"metadata[{'k' * 38}{number:02}]": "v" * 500 for number in range(50)}
    made = sandbox.http.api("POST", CUSTOMER, most).json()
    assert len(made["metadata"]) == 50
    one_more = sandbox.http.refused("POST", f"{CUSTOMER}/{made['id']}", {"metadata[more]": "1"})
    assert one_more["message"] == "Metadata can have up to 50 keys, but you passed in a hash with 51 keys."
    swapped = sandbox.http.api(
        "POST", f"{CUSTOMER}/{made['id']}", {f"metadata[{'k' * 38}00]": "", "metadata[more]": "1"}
    )
    assert len(swapped.json()["metadata"]) == 50
