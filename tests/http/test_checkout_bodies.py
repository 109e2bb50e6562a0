"""Contract 1.2 and 1.5.1: what is wrong with a checkout body, in the words clients know."""

from typing import Any

import pytest

from paygres.server.flows.requests.checkout_sessions import CheckoutRequest
from paygres.server.http.validation import parse
from tests.http.running import BODY, CHECKOUT, Server, user

EMPTY = "mode: Required, lineItems: Required, successUrl: Required, cancelUrl: Required"
ITEM = {"priceId": "price_1Example"}
SUBJECT = {"type": "team", "id": "team_1"}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"foo": "bar"}, "(root): Unrecognized key(s) in object: 'foo'"),
    "unknown keys": ({"foo": 1, "bar": 2}, "(root): Unrecognized key(s) in object: 'foo', 'bar'"),
    "environment": ({"environment": "test"}, "(root): Unrecognized key(s) in object: 'environment'"),
    "snake case": ({"line_items": [ITEM]}, "(root): Unrecognized key(s) in object: 'line_items'"),
    "mode": (
        {"mode": "setup"},
        "mode: Invalid enum value. Expected 'payment' | 'subscription', received 'setup'",
    ),
    "mode is a number": ({"mode": 1}, "mode: Expected 'payment' | 'subscription', received number"),
    "no items": ({"lineItems": []}, "lineItems: Array must contain at least 1 element(s)"),
    "101 items": ({"lineItems": [ITEM] * 101}, "lineItems: Array must contain at most 100 element(s)"),
    "items is an object": ({"lineItems": {}}, "lineItems: Expected array, received object"),
    "item is a string": ({"lineItems": ["p"]}, "lineItems.0: Expected object, received string"),
    "item without price": ({"lineItems": [{}]}, "lineItems.0.priceId: Required"),
    "blank price": ({"lineItems": [{"priceId": "  "}]}, "lineItems.0.priceId: Stripe price id is required"),
    "quantity 0": (
        {"lineItems": [ITEM, {**ITEM, "quantity": 0}]},
        "lineItems.1.quantity: Number must be greater than 0",
    ),
    "quantity 1000": (
        {"lineItems": [{**ITEM, "quantity": 1000}]},
        "lineItems.0.quantity: Number must be less than or equal to 999",
    ),
    "quantity 1.5": (
        {"lineItems": [{**ITEM, "quantity": 1.5}]},
        "lineItems.0.quantity: Expected integer, received float",
    ),
    "quantity is text": (
        {"lineItems": [{**ITEM, "quantity": "2"}]},
        "lineItems.0.quantity: Expected number, received string",
    ),
    "quantity is gigantic": (
        {"lineItems": [{**ITEM, "quantity": 10**40}]},
        "lineItems.0.quantity: Number must be less than or equal to 999",
    ),
    "quantity is true": (
        {"lineItems": [{**ITEM, "quantity": True}]},
        "lineItems.0.quantity: Expected number, received boolean",
    ),
    "unknown key in an item": (
        {"lineItems": [{**ITEM, "adjustable": True}]},
        "lineItems.0: Unrecognized key(s) in object: 'adjustable'",
    ),
    "relative URL": ({"successUrl": "/ok"}, "successUrl: Success URL must be a valid URL"),
    "URL without host": ({"cancelUrl": "https://"}, "cancelUrl: Cancel URL must be a valid URL"),
    "URL with a wild port": ({"cancelUrl": "http://a:99999"}, "cancelUrl: Cancel URL must be a valid URL"),
    "subject is null": ({"subject": None}, "subject: Expected object, received null"),
    "empty subject type": (
        {"subject": {"type": " ", "id": "x"}},
        "subject.type: String must contain at least 1 character(s)",
    ),
    "long subject id": (
        {"subject": {"type": "t", "id": "x" * 256}},
        "subject.id: String must contain at most 255 character(s)",
    ),
    "subject id counted in UTF-16 units": (
        {"subject": {"type": "t", "id": "\U0001f600" * 128}},
        "subject.id: String must contain at most 255 character(s)",
    ),
    "subscription without subject": (
        {"mode": "subscription"},
        "subject: Subscription checkout requires a billing subject",
    ),
    "a mild fault and a rule between fields": (
        {"mode": "subscription", "lineItems": [], "extra": 1},
        "lineItems: Array must contain at least 1 element(s), (root): Unrecognized key(s) in object: 'extra',"
        " subject: Subscription checkout requires a billing subject",
    ),
    "a wrong type silences rules between fields": (
        {"mode": "subscription", "customerEmail": 5},
        "customerEmail: Expected string, received number",
    ),
    "metadata is null": ({"metadata": None}, "metadata: Expected object, received null"),
    "metadata is a list": ({"metadata": []}, "metadata: Expected object, received array"),
    "metadata value": ({"metadata": {"a": 1}}, "metadata.a: Expected string, received number"),
    "reserved metadata": (
        {"metadata": {"insforge_x": "1"}},
        "metadata: Metadata keys starting with insforge_ are reserved",
    ),
    "empty e-mail": ({"customerEmail": ""}, "customerEmail: Invalid email"),
    "e-mail with two dots": ({"customerEmail": "a..b@example.com"}, "customerEmail: Invalid email"),
    "e-mail without a dot": ({"customerEmail": "a@localhost"}, "customerEmail: Invalid email"),
    "empty key": ({"idempotencyKey": " "}, "idempotencyKey: Idempotency key is required"),
    "long key": (
        {"idempotencyKey": "k" * 201},
        "idempotencyKey: Idempotency key must be 200 characters or fewer",
    ),
    "key is null": ({"idempotencyKey": None}, "idempotencyKey: Expected string, received null"),
    "NUL in metadata": (
        {"metadata": {"note": "a\x00b"}},
        "metadata.note: String must not contain the NUL character",
    ),
    "NUL in a key": ({"metadata": {"a\x00b": "x"}}, "metadata: Keys must not contain the NUL character"),
    "NUL in an item": (
        {"lineItems": [{"priceId": "p\x00"}]},
        "lineItems.0.priceId: String must not contain the NUL character",
    ),
}
RIGHT: dict[str, dict[str, Any]] = {
    "as it is": {},
    "spaces around": {
        "successUrl": "  https://shop.example.com/ok\u2028",
        "customerEmail": " a@example.com ",
    },
    "quantity 2.0": {"lineItems": [{**ITEM, "quantity": 2.0}]},
    "no e-mail": {"customerEmail": None},
    "an escaped backslash before u0000": {"metadata": {"path": "C:\\u0000"}},
    "a key of 200 after trimming": {"idempotencyKey": " " + "k" * 200 + " "},
    "as much metadata as Stripe keeps": {"metadata": {str(n): "x" * 500 for n in range(47)}},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_body_is_named(server: Server, name: str) -> None:
    changes, message = WRONG[name]
    answer = server.checkout(**changes)
    expected = {"error": "INVALID_INPUT", "message": message, "statusCode": 400}
    assert answer.status_code == 400
    assert answer.json() == {**expected, "requestId": answer.headers["x-request-id"]}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_body_gets_as_far_as_the_missing_stripe_key(server: Server, name: str) -> None:
    answer = server.checkout(**RIGHT[name])
    assert (answer.status_code, answer.json()["error"]) == (400, "PAYMENT_CONFIG_INVALID")


def test_an_empty_body_names_every_required_field(server: Server) -> None:
    for sent in ({"json": {}}, {}, {"content": b"", "headers": {"content-type": "application/json"}}):
        headers = {**user(), **sent.pop("headers", {})}
        answer = server.client.post(CHECKOUT, headers=headers, **sent)
        assert (answer.status_code, answer.json()["message"]) == (400, EMPTY)


@pytest.mark.parametrize("url", ["myapp://done", "javascript:void(0)", "http://[::1]:3000", "file:///x", "a:"])
def test_a_url_of_any_scheme_is_kept_as_it_was_sent(url: str) -> None:
    wanted = parse(CheckoutRequest, {**BODY, "cancelUrl": f" {url} "})
    assert wanted.cancel_url == url
    assert wanted.success_url == BODY["successUrl"]


def test_a_thousand_faults_make_a_short_message(server: Server) -> None:
    answer = server.checkout(metadata={str(n): n for n in range(1000)})
    assert answer.status_code == 400
    assert len(answer.json()["message"]) < 2000
    assert answer.json()["message"].endswith("and 980 more")


def test_a_long_unknown_key_is_not_echoed_whole(server: Server) -> None:
    answer = server.checkout(**{"k" * 50_000: 1})
    assert answer.status_code == 400
    assert len(answer.content) < 1000


def test_the_live_environment_is_checked_by_its_own_key(server: Server) -> None:
    answer = server.client.post("/api/payments/stripe/live/checkout-sessions", headers=user(), json=BODY)
    assert (answer.status_code, answer.json()["error"]) == (400, "PAYMENT_CONFIG_INVALID")
    assert answer.json()["message"] == "STRIPE_LIVE_SECRET_KEY is not configured"
