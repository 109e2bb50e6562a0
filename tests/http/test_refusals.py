"""Every refusal that the contract lists for a payments route, row by row: which test proves it.

The rows without a test elsewhere are proved here, with the contract's literal messages.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paygres.server.db.embedded import Urls
from tests.flows.checkouts import Shop, shop, subject
from tests.flows.webhooks import script
from tests.http.running import BODY, admin, bearer, token

ADA = "user_ada"
HERE = "tests/http/test_refusals.py"
FLOWS, HTTP = "tests/flows", "tests/http"

# Cause in the contract's words -> the test that proves status, code and message.
OF_STRIPE = {
    "key in the body without the right prefix": f"{HERE}::test_a_key_of_another_kind_is_refused",
    "key in the store without the right prefix": f"{FLOWS}/test_connect_account.py"
    "::test_an_unreadable_key_breaks_nothing_that_is_shown_and_can_be_replaced",
    "Stripe 429": f"{HERE}::test_what_stripe_refuses_is_told",
    "StripeAuthenticationError, StripePermissionError": f"{HERE}::test_what_stripe_refuses_is_told",
    "the same when a key is set": f"{HERE}::test_a_key_that_stripe_refuses_is_the_callers_mistake",
    "StripeCardError": f"{HERE}::test_what_stripe_refuses_is_told",
    "any other Stripe error": f"{HERE}::test_what_stripe_refuses_is_told",
    "no answer from Stripe": f"{HERE}::test_a_stripe_that_is_away_is_a_502",
    "unknown price": f"{FLOWS}/test_checkout_creation.py"
    "::test_a_price_that_stripe_does_not_know_is_explained_and_kept_as_failed",
    "Stripe idempotency mismatch": f"{FLOWS}/test_catalog_writes.py"
    "::test_a_product_is_answered_as_the_contract_says_and_mirrored_at_once",
    "update of a product unknown at Stripe": f"{HERE}::test_what_stripe_does_not_know_is_a_404_of_stripe",
}
OF_ROUTES = {
    "R1 not configured": f"{HERE}::test_a_missing_key_is_named",
    "R2 not configured": f"{HERE}::test_a_missing_key_is_named",
    "A7 not configured": f"{HERE}::test_a_missing_key_is_named",
    "A10-A18 not configured": f"{FLOWS}/test_catalog_writes.py::test_writes_need_a_key_and_an_admin",
    "R1 key of another request": f"{FLOWS}/test_checkout_idempotency.py"
    "::test_another_request_with_the_key_is_a_409_whatever_became_of_the_first",
    "R1 refused by policies": f"{HERE}::test_policies_refuse_in_the_contracts_words",
    "R1 unsupported role": f"{HTTP}/test_credentials.py"
    "::test_a_buyers_route_answers_each_credential_as_the_contract_says",
    "R1 reserved metadata, missing subject": f"{HTTP}/test_checkout_bodies.py::test_a_wrong_body_is_named",
    "R1 pool exhaustion (never 5xx)": f"{FLOWS}/test_checkout_idempotency.py"
    "::test_nothing_is_held_while_stripe_takes_its_time",
    "R1 policy that raises (never 5xx)": f"{HERE}::test_a_policy_that_raises_is_no_server_error",
    "R1 row vanished": f"{FLOWS}/test_checkout_states.py::test_no_history_leads_to_a_dead_url_or_a_second_sale",
    "R2 guests": f"{HERE}::test_guests_have_no_portal",
    "R2 refused by policies": f"{FLOWS}/test_portal.py"
    "::test_another_subjects_portal_is_refused_by_the_policies_and_leaves_no_row",
    "R2 unsupported role": f"{FLOWS}/test_portal.py::test_who_may_not_open_a_portal_is_told_so",
    "R2 no customer": f"{FLOWS}/test_portal.py::test_a_subject_nobody_paid_for_is_a_404_and_a_failed_row",
    "R2 no URL from Stripe": f"{FLOWS}/test_portal.py::test_whatever_stripe_answers_wrongly_is_on_the_row",
    "A5 no key": f"{HERE}::test_what_is_not_there_is_named",
    "A11 unknown product": f"{HERE}::test_what_is_not_there_is_named",
    "A16 unknown price": f"{HERE}::test_what_is_not_there_is_named",
    "A1 unreadable key (never 5xx)": f"{FLOWS}/test_webhook_endpoint_routes.py"
    "::test_an_unreadable_key_is_an_error_in_status_and_never_a_500",
    "W1 bad environment": f"{HTTP}/test_routes.py::test_a_delivery_that_cannot_be_one_is_refused",
    "W1 no signature": f"{HTTP}/test_routes.py::test_a_delivery_that_cannot_be_one_is_refused",
    "W1 no raw body": f"{HTTP}/test_routes.py::test_a_delivery_that_cannot_be_one_is_refused",
    "W1 body too large": f"{HTTP}/test_routes.py::test_a_delivery_over_one_megabyte_is_413",
    "W1 no signing secret": f"{HTTP}/test_routes.py::test_a_delivery_without_a_signing_secret_is_refused",
    "W1 no API key (not needed)": f"{FLOWS}/test_connect_account.py"
    "::test_disconnecting_keeps_account_and_signing_secrets_and_removes_our_endpoint",
    "W1 signature that does not hold": f"{FLOWS}/test_receive_event.py"
    "::test_a_signature_that_does_not_hold_stores_nothing",
}

STRIPE = "/api/payments/stripe"
BUYER = bearer(token(sub=ADA, role="authenticated"))  # one that lasts as long as the whole suite
OWN = subject("user", ADA)
REFUSED_TEXT = "The sandbox was told to refuse this request."
LIMITED_TEXT = (
    "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits."
)
REFUSALS = {
    429: (429, "RATE_LIMITED", LIMITED_TEXT),
    401: (502, "PAYMENT_CONFIG_INVALID", REFUSED_TEXT),  # 0.2: our key is wrong, not the caller's credential
    403: (502, "PAYMENT_CONFIG_INVALID", REFUSED_TEXT),
    402: (402, "PAYMENT_METHOD_DECLINED", REFUSED_TEXT),
    404: (404, "UPSTREAM_FAILURE", REFUSED_TEXT),
}
CHECKOUT_WRITE = ("POST", "checkout-sessions", {**BODY, "subject": OWN}, "/v1/checkout/sessions")
PORTAL_WRITE = ("POST", "customer-portal-sessions", {"subject": OWN}, "/v1/billing_portal/sessions")
PRICE: dict[str, Any] = {"productId": "prod_1", "currency": "usd", "unitAmount": 100}
WRITES = {
    "R1": CHECKOUT_WRITE,
    "R2": PORTAL_WRITE,
    "A10": ("POST", "catalog/products", {"name": "x"}, "/v1/products"),
    "A12": ("PATCH", "catalog/products/prod_1", {"name": "x"}, "/v1/products/prod_1"),
    "A13": ("DELETE", "catalog/products/prod_1", None, "/v1/products/prod_1"),
    "A15": ("POST", "catalog/prices", PRICE, "/v1/prices"),
    "A17": ("PATCH", "catalog/prices/price_1", {"active": True}, "/v1/prices/price_1"),
    "A18": ("DELETE", "catalog/prices/price_1", None, "/v1/prices/price_1"),
}
LITERAL = {
    "R1": "Checkout session creation is not allowed by payments.stripe_checkout_sessions RLS policies",
    "R2": "Customer portal session creation is not allowed by payments.stripe_customer_portal_sessions RLS policies",
}


@pytest.fixture(scope="module")
def connected(postgres: Urls) -> Iterator[Shop]:
    """A connected shop where Ada is a customer, in live too."""
    with shop(postgres) as opened:
        for environment in ("test", "live"):
            opened.sql(
                "insert into payments.customer_mappings (environment, provider, account_id, subject_type, subject_id,"
                " provider_customer_id) select $1, 'stripe', coalesce((select provider_account_id from"
                " payments.provider_connections where environment = $1), ''), 'user', $2, 'cus_ada'",
                environment,
                ADA,
            )
        yield opened


def refusal(
    opened: Shop, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Status, code and message of a request that must be refused."""
    answer = opened.server.client.request(method, f"{STRIPE}/{path}", headers=headers or admin(), json=body)
    error = answer.json()
    assert answer.status_code == error["statusCode"] >= 400
    return answer.status_code, error["error"], error["message"]


SLOW = ("R1", "A15")  # a rate limit is tried again for two seconds: once for each of the two rooms that ask Stripe


@pytest.mark.parametrize(("route", "status"), [(r, s) for r in WRITES for s in REFUSALS if s != 429 or r in SLOW])
def test_what_stripe_refuses_is_told(connected: Shop, route: str, status: int) -> None:
    method, path, body, at_stripe = WRITES[route]
    connected.sim("faults", answers=[{"status": status, "count": 20, "path": at_stripe}])
    try:
        told = refusal(connected, method, f"test/{path}", body, BUYER if route[0] == "R" else None)
    finally:
        connected.sim("faults", answers=[])
    assert told == REFUSALS[status]


def test_a_key_that_stripe_refuses_is_the_callers_mistake(connected: Shop) -> None:
    told = refusal(connected, "PUT", "test/config", {"secretKey": "sk_test_notARealKey12"})
    assert told == (400, "PAYMENT_CONFIG_INVALID", "Invalid API Key provided: sk_test_****ey12")


@pytest.mark.parametrize("key", ["pk_test_123", "sk_live_123456", "sk_test", "x"])
def test_a_key_of_another_kind_is_refused(connected: Shop, key: str) -> None:
    told = refusal(connected, "PUT", "test/config", {"secretKey": key})
    # 0.2: restricted keys are accepted too, so the contract's sentence goes on.
    message = "STRIPE_TEST_SECRET_KEY must start with sk_test_ or rk_test_"
    assert told == (400, "PAYMENT_CONFIG_INVALID", message)


def test_what_stripe_does_not_know_is_a_404_of_stripe(connected: Shop) -> None:
    told = refusal(connected, "PATCH", "test/catalog/products/prod_none", {"name": "x"})
    assert told == (404, "UPSTREAM_FAILURE", "No such product: 'prod_none'")


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("POST", "live/checkout-sessions", BODY, BUYER),
        ("POST", "live/customer-portal-sessions", {"subject": OWN}, BUYER),
        ("POST", "live/webhook", None, None),
    ],
)
def test_a_missing_key_is_named(connected: Shop, method: str, path: str, body: Any, headers: Any) -> None:
    told = refusal(connected, method, path, body, headers)
    assert told == (400, "PAYMENT_CONFIG_INVALID", "STRIPE_LIVE_SECRET_KEY is not configured")


@pytest.mark.parametrize("route", LITERAL)
@pytest.mark.parametrize("environment", ["test", "live"])
def test_policies_refuse_in_the_contracts_words(connected: Shop, environment: str, route: str) -> None:
    method, path, body, _ = WRITES[route]
    asked = {**(body or {}), "subject": subject("user", "somebody else")}
    assert refusal(connected, method, f"{environment}/{path}", asked, BUYER) == (
        403,
        "AUTH_UNAUTHORIZED",
        LITERAL[route],
    )


def test_guests_have_no_portal(connected: Shop) -> None:
    anonymous = {"authorization": f"Bearer {connected.env['ACCESS_ANON_KEY']}"}
    told = refusal(connected, "POST", "test/customer-portal-sessions", {"subject": OWN}, anonymous)
    assert told == (401, "AUTH_INVALID_CREDENTIALS", "Customer portal sessions require an authenticated user")


@pytest.mark.parametrize(
    ("method", "path", "code", "message"),
    [
        ("DELETE", "live/config", "PAYMENT_CONFIG_NOT_FOUND", "No Stripe key configured"),
        (
            "GET",
            "test/catalog/products/prod_x",
            "PAYMENT_PRODUCT_NOT_FOUND",
            "Stripe test product not found: prod_x",
        ),
        ("GET", "live/catalog/prices/price_x", "PAYMENT_PRICE_NOT_FOUND", "Stripe live price not found: price_x"),
    ],
)
def test_what_is_not_there_is_named(connected: Shop, method: str, path: str, code: str, message: str) -> None:
    assert refusal(connected, method, path) == (404, code, message)


@pytest.mark.parametrize("amount", [1e20, 9.3e18, 1_000_000_000_000])
def test_an_amount_beyond_every_column_is_stripes_to_refuse(connected: Shop, amount: float) -> None:
    told = refusal(connected, "POST", "test/catalog/prices", {**PRICE, "unitAmount": amount})
    assert told[:2] == (400, "UPSTREAM_FAILURE")


def test_a_policy_that_raises_is_no_server_error(connected: Shop) -> None:
    """A developer's policy casts the token's subject to a UUID, and this one's is none (contract 2.7)."""
    script(
        connected.database,
        "create policy casts on payments.stripe_checkout_sessions as restrictive for insert to authenticated"
        " with check ((auth.jwt() ->> 'sub')::uuid is not null)",
    )
    try:
        told = refusal(connected, "POST", "test/checkout-sessions", {**BODY, "subject": OWN}, BUYER)
    finally:
        script(connected.database, "drop policy casts on payments.stripe_checkout_sessions")
    assert 400 <= told[0] < 500


def test_a_stripe_that_is_away_is_a_502(connected: Shop) -> None:
    """The last test of this module: its sandbox is gone afterwards."""
    connected.sandbox.kill()
    for route in ("R1", "A10"):
        method, path, body, _ = WRITES[route]
        told = refusal(connected, method, f"test/{path}", body, BUYER if route[0] == "R" else None)
        assert told[:2] == (502, "UPSTREAM_FAILURE"), route
        assert told[2].startswith("Stripe request failed")


@pytest.mark.parametrize("proof", sorted({*OF_STRIPE.values(), *OF_ROUTES.values()}))
def test_a_named_proof_exists(proof: str) -> None:
    path, _, name = proof.partition("::")
    text = (Path(__file__).parents[2] / path).read_text(encoding="utf-8")
    assert f"def {name}(" in text
