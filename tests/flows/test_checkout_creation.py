"""POST checkout-sessions against the sandbox: the answer, the row that is kept, and what Stripe was told."""

import re
import uuid
from typing import Any

import orjson
import pytest

from paygres.server.flows.checkout_draft import request_hash
from paygres.server.flows.requests.checkout_sessions import CheckoutRequest
from tests.flows.checkouts import ADA, BOB, Shop, guest, signed_in, subject
from tests.http.running import CHECKOUT, bearer, token

KEYS = (
    "id environment mode status paymentStatus subjectType subjectId customerEmail checkoutSessionId customerId"
    " paymentIntentId subscriptionId url lastError createdAt updatedAt"
)
LIVE = CHECKOUT.replace("/test/", "/live/")
OWN = subject("user", ADA)
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def stripe_session(shop: Shop, session: dict[str, Any]) -> dict[str, Any]:
    return shop.sandbox.http.api("GET", f"/v1/checkout/sessions/{session['checkoutSessionId']}").json()


def test_a_guest_gets_the_contracts_object_key_by_key(open_shop: Shop) -> None:
    answer = open_shop.post(customerEmail="ada@example.com")
    assert answer.status_code == 201
    assert list(answer.json()) == ["checkoutSession"]
    session = answer.json()["checkoutSession"]
    assert list(session) == KEYS.split()
    assert TIMESTAMP.fullmatch(session["createdAt"])
    assert TIMESTAMP.fullmatch(session["updatedAt"])
    assert str(uuid.UUID(session["id"])) == session["id"]
    assert session["checkoutSessionId"].startswith("cs_test_")
    assert session["url"].startswith(open_shop.sandbox.url)
    assert {k: v for k, v in session.items() if not k.endswith(("At", "url")) and "ession" not in k and k != "id"} == {
        "environment": "test",
        "mode": "payment",
        "status": "open",
        "paymentStatus": "unpaid",
        "subjectType": None,
        "subjectId": None,
        "customerEmail": "ada@example.com",
        "customerId": None,
        "paymentIntentId": None,
        "subscriptionId": None,
        "lastError": None,
    }


def test_the_row_keeps_what_was_asked_and_what_stripe_froze(open_shop: Shop) -> None:
    session = open_shop.buy(signed_in(ADA), subject=OWN, metadata={"order_id": "frozen"})
    row = open_shop.row(session["id"])
    assert (row["currency"], row["amount_subtotal"]) == ("usd", 3000)
    assert orjson.loads(row["line_items"]) == [{"priceId": open_shop.price, "quantity": 2}]
    assert orjson.loads(row["metadata"]) == {
        "order_id": "frozen",
        "insforge_checkout_mode": "payment",
        "insforge_subject_type": "user",
        "insforge_subject_id": ADA,
    }
    assert (row["created_by"], row["generation"]) == (ADA, 1)
    assert row["account_id"] == open_shop.sandbox.ready["accountId"]
    assert orjson.loads(row["raw"])["id"] == session["checkoutSessionId"]
    assert open_shop.sent(session["id"])["client_reference_id"] == session["id"]


def test_stripe_is_told_who_and_what_and_nothing_else(open_shop: Shop) -> None:
    session = open_shop.buy(
        signed_in(ADA), subject=subject("user", ADA), metadata={"order_id": "told"}, customerEmail="ada@example.com"
    )
    params = open_shop.sent(session["id"])
    stamped = params["metadata"]
    assert params.keys() - {"customer", "customer_email", "customer_creation"} == {
        "mode",
        "line_items",
        "success_url",
        "cancel_url",
        "metadata",
        "client_reference_id",
        "payment_intent_data",
    }
    (installation,) = open_shop.sql("select id::text from system.installation")
    assert stamped == {
        "order_id": "told",
        "insforge_checkout_mode": "payment",
        "insforge_subject_type": "user",
        "insforge_subject_id": ADA,
        "insforge_checkout_session_id": session["id"],
        "insforge_installation_id": installation["id"],
    }
    assert params["payment_intent_data"] == {"metadata": stamped}
    at_stripe = stripe_session(open_shop, session)
    assert (at_stripe["metadata"], at_stripe["client_reference_id"]) == (stamped, session["id"])
    assert at_stripe["success_url"] == "https://shop.example.com/ok?s={CHECKOUT_SESSION_ID}"


def test_a_payment_with_a_subject_lets_stripe_create_the_customer(open_shop: Shop) -> None:
    buyer = subject("user", BOB)
    first = open_shop.buy(signed_in(BOB), subject=buyer, customerEmail="bob@example.com")
    params = open_shop.sent(first["id"])
    assert (params["customer_creation"], params["customer_email"]) == ("always", "bob@example.com")
    assert "customer" not in params


def test_the_customer_of_the_first_completion_replaces_the_email_hint(open_shop: Shop) -> None:
    buyer = {"headers": signed_in("user_carol"), "subject": subject("user", "user_carol")}
    first = open_shop.buy(**buyer, customerEmail="carol@example.com")
    open_shop.pay(first)
    paid = open_shop.row(first["id"])
    assert (paid["status"], paid["payment_status"]) == ("completed", "paid")
    (mapping,) = open_shop.sql(
        "select subject_type, subject_id, provider_customer_id from payments.customer_mappings where subject_id = $1",
        "user_carol",
    )
    assert mapping == {
        "subject_type": "user",
        "subject_id": "user_carol",
        "provider_customer_id": paid["customer_id"],
    }
    second = open_shop.buy(**buyer, customerEmail="other@example.com")
    params = open_shop.sent(second["id"])
    assert params["customer"] == paid["customer_id"]
    assert params.keys().isdisjoint({"customer_email", "customer_creation"})
    assert (second["customerEmail"], second["customerId"]) == ("other@example.com", paid["customer_id"])


def test_a_subscription_stamps_the_subscription(open_shop: Shop) -> None:
    monthly = open_shop.sandbox.price(900, recurring={"interval": "month"})
    session = open_shop.buy(
        signed_in(ADA), mode="subscription", subject=OWN, lineItems=[{"priceId": monthly, "quantity": 1}]
    )
    assert (session["mode"], session["status"]) == ("subscription", "open")
    params = open_shop.sent(session["id"])
    assert params["subscription_data"] == {"metadata": params["metadata"]}
    assert params.keys().isdisjoint({"payment_intent_data", "customer_creation"})


def test_the_request_hash_is_the_contracts() -> None:
    wanted = CheckoutRequest.model_validate_json(
        '{"mode":"payment","lineItems":[{"priceId":"price_A","quantity":2}],'
        '"successUrl":"https://shop.example/ok?s={CHECKOUT_SESSION_ID}","cancelUrl":"https://shop.example/cart",'
        '"metadata":{"order_id":"o-17"},"idempotencyKey":"order:o-17"}'
    )
    metadata = {"order_id": "o-17", "insforge_checkout_mode": "payment"}
    assert request_hash("test", wanted, metadata) == "401f760406f3e54eb39bfff69084ebb0b706edbc484ac0953dda3532022b8415"


@pytest.mark.parametrize(
    ("headers", "changes"),
    [
        (signed_in(ADA), {"subject": subject("user", BOB)}),
        (signed_in(ADA), {"subject": subject("team", "t1")}),
        (guest("192.0.2.1"), {"subject": OWN}),
        (guest("192.0.2.1"), {"subject": OWN, "mode": "subscription"}),
    ],
)
def test_a_subject_one_may_not_bill_is_refused_and_leaves_no_row(
    open_shop: Shop, headers: dict[str, str], changes: dict[str, Any]
) -> None:
    key = f"denied:{uuid.uuid4()}"
    for environment in ("test", "live"):  # live has no key: who may not is told so, before what is missing
        route = CHECKOUT.replace("/test/", f"/{environment}/")
        body = {**refusable(open_shop), "idempotencyKey": key, **changes}
        answer = open_shop.server.client.post(route, headers=headers, json=body)
        assert (answer.status_code, answer.json()["error"]) == (403, "AUTH_UNAUTHORIZED")
        assert "payments.stripe_checkout_sessions RLS policies" in answer.json()["message"]
    assert open_shop.rows(key) == []


def refusable(shop: Shop) -> dict[str, Any]:
    return {
        "mode": "payment",
        "lineItems": [{"priceId": shop.price}],
        "successUrl": "https://shop.example.com/ok",
        "cancelUrl": "https://shop.example.com/no",
    }


def test_an_unconfigured_environment_is_a_400_and_leaves_no_row(open_shop: Shop) -> None:
    body = {**refusable(open_shop), "idempotencyKey": "unconfigured"}
    for headers in (guest("192.0.2.1"), signed_in(ADA)):
        answer = open_shop.server.client.post(LIVE, headers=headers, json=body)
        assert (answer.status_code, answer.json()["error"]) == (400, "PAYMENT_CONFIG_INVALID")
        assert answer.json()["message"] == "STRIPE_LIVE_SECRET_KEY is not configured"
    assert open_shop.rows("unconfigured") == []


def test_test_buyers_may_return_anywhere(open_shop: Shop) -> None:
    assert open_shop.buy(successUrl="http://localhost:5173/ok")["status"] == "open"


def test_an_admin_may_bill_any_subject(open_shop: Shop) -> None:
    session = open_shop.buy(bearer(token(sub="local:root", role="project_admin")), subject=subject("team", "t9"))
    assert (session["subjectType"], session["subjectId"]) == ("team", "t9")


def test_a_price_that_stripe_does_not_know_is_explained_and_kept_as_failed(open_shop: Shop) -> None:
    error = open_shop.refused(400, idempotencyKey="unknown price", lineItems=[{"priceId": "price_1Nowhere"}])
    assert error["error"] == "UPSTREAM_FAILURE"
    assert "No such price: 'price_1Nowhere'" in error["message"]
    assert "lineItems.0.priceId" in error["message"]
    (row,) = open_shop.rows("unknown price")
    assert (row["status"], row["checkout_session_id"], row["url"]) == ("failed", None, None)
    assert "No such price: 'price_1Nowhere'" in row["last_error"]
