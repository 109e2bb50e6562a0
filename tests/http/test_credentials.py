"""Contract 1.3.1: every refusal of a credential, with its exact status, code, text and next actions."""

import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.http.running import (
    ANON_KEY,
    API_KEY,
    BODY,
    CHECKOUT,
    JWT_SECRET,
    STATUS,
    USER,
    Server,
    admin,
    bearer,
    token,
    user,
)

CHECK_TOKEN = "Check the token is valid or login to get a new token."
CHECK_KEY = "Check the API key is valid or generate a new API key."
CHECK_ADMIN = "Check the admin token is valid or login as admin to get a new token."
NO_TOKEN = (401, "AUTH_INVALID_CREDENTIALS", "No token provided", CHECK_TOKEN)
NO_ADMIN_TOKEN = (401, "AUTH_INVALID_CREDENTIALS", "No admin token provided", CHECK_TOKEN)
INVALID_TOKEN = (401, "AUTH_UNAUTHORIZED", "Invalid token", None)
INVALID_SUBJECT = (401, "AUTH_UNAUTHORIZED", "Invalid token subject", None)
INVALID_API_KEY = (401, "AUTH_INVALID_API_KEY", "Invalid API key", CHECK_KEY)
INVALID_ANON_KEY = (401, "AUTH_INVALID_CREDENTIALS", "Invalid anon key", CHECK_TOKEN)
NOT_ADMIN = (403, "AUTH_UNAUTHORIZED", "Admin access required", CHECK_ADMIN)
NO_USER = (401, "AUTH_INVALID_CREDENTIALS", "Checkout session creation requires a user token", None)
UNSUPPORTED = (403, "AUTH_UNAUTHORIZED", "Unsupported checkout role", None)
UNCONFIGURED = (400, "PAYMENT_CONFIG_INVALID", "STRIPE_TEST_SECRET_KEY is not configured", ...)
OTHER_SECRET = "ffffeeeeddddccccbbbbaaaa9999888877776666"


def signed_by_rsa() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode({"sub": USER}, key, algorithm="RS256", headers={"kid": "kid_0123456789abcdef"})


def unsigned() -> str:
    return jwt.encode({"sub": USER, "role": "project_admin"}, None, algorithm="none")


BAD_TOKENS = {
    "garbage": ("not-a-token", INVALID_TOKEN),
    "two spaces": (" " + token(sub=USER), INVALID_TOKEN),
    "other secret": (token(OTHER_SECRET, sub=USER), INVALID_TOKEN),
    "expired": (token(sub=USER, exp=time.time() - 5), INVALID_TOKEN),
    "not yet": (token(sub=USER, nbf=time.time() + 86400), INVALID_TOKEN),
    "HS512": (token(JWT_SECRET * 2, "HS512", sub=USER), INVALID_TOKEN),
    "alg none": (unsigned(), INVALID_TOKEN),
    "RS256, unknown kid": (signed_by_rsa(), INVALID_TOKEN),
    "refresh token": (token(sub=USER, type="refresh"), INVALID_TOKEN),
    "csrf token": (token(sub=USER, type="csrf"), INVALID_TOKEN),
    "role is a number": (token(sub=USER, role=7), INVALID_TOKEN),
    "far too long": ("a." * 9000, INVALID_TOKEN),
    "deeply nested header": ("eyJhbGciOiJIUzI1NiIsImEiOlt9" + "W1tb" * 1500 + ".e30.x", INVALID_TOKEN),
    "exp beyond every clock": (token(sub=USER, exp="9" * 400), INVALID_TOKEN),
    "no sub": (token(role="authenticated"), INVALID_SUBJECT),
    "empty sub": (token(sub=""), INVALID_SUBJECT),
    "NUL in sub": (token(sub="a\x00b"), INVALID_SUBJECT),
    "lone surrogate in sub": (token(sub="\ud800"), INVALID_SUBJECT),
    "huge sub": (token(sub="a" * 600), INVALID_SUBJECT),
    "wrong API key": ("ik_wrong", INVALID_API_KEY),
}
RUNTIME = {
    "nothing": ({}, NO_TOKEN),
    "basic": ({"authorization": "Basic YTpi"}, NO_TOKEN),
    "lower-case bearer": ({"authorization": f"bearer {ANON_KEY}"}, NO_TOKEN),
    "wrong anon key": (bearer("anon_wrong"), INVALID_ANON_KEY),
    "wrong x-api-key": ({"x-api-key": "whatever"}, INVALID_API_KEY),
    "anon key and wrong x-api-key": ({**bearer(ANON_KEY), "x-api-key": "whatever"}, INVALID_API_KEY),
    "API key": (bearer(API_KEY), NO_USER),
    "x-api-key": ({"x-api-key": API_KEY}, NO_USER),
    "unsupported role": (bearer(token(sub=USER, role="service_role")), UNSUPPORTED),
    "anon key": (bearer(ANON_KEY), UNCONFIGURED),
    "user": (user(), UNCONFIGURED),
    "user without role or exp": (bearer(token(sub="any text")), UNCONFIGURED),
    "old anon token": (bearer(token(sub="x", role="anon")), UNCONFIGURED),
    "admin token": (bearer(token(sub="local:root", role="project_admin")), UNCONFIGURED),
    "user beside an API key": ({**user(), "x-api-key": API_KEY}, UNCONFIGURED),
    "user beside a wrong API key": ({**user(), "x-api-key": "ik_wrong"}, UNCONFIGURED),
    "bad token beside an API key": ({**bearer("garbage"), "x-api-key": API_KEY}, NO_USER),
    **{name: (bearer(bad), refusal) for name, (bad, refusal) in BAD_TOKENS.items()},
}
ADMIN = {
    "nothing": ({}, NO_ADMIN_TOKEN),
    "basic": ({"authorization": "Basic YTpi"}, NO_ADMIN_TOKEN),
    "lower-case bearer": ({"authorization": f"bearer {API_KEY}"}, NO_ADMIN_TOKEN),
    "anon key": (bearer(ANON_KEY), INVALID_TOKEN),
    "wrong anon key": (bearer("anon_wrong"), INVALID_TOKEN),
    "wrong x-api-key": ({"x-api-key": "whatever"}, INVALID_API_KEY),
    "user": (user(), NOT_ADMIN),
    "old anon token": (bearer(token(sub="x", role="anon")), NOT_ADMIN),
    "other role": (bearer(token(sub=USER, role="service_role")), NOT_ADMIN),
    "user beside an API key": ({**user(), "x-api-key": API_KEY}, NOT_ADMIN),
    **{name: (bearer(bad), refusal) for name, (bad, refusal) in BAD_TOKENS.items()},
}


def refusal_of(response) -> tuple:
    answer = response.json()
    assert answer["statusCode"] == response.status_code
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    return response.status_code, answer["error"], answer["message"], answer.get("nextActions")


@pytest.mark.parametrize("name", RUNTIME)
def test_a_buyers_route_answers_each_credential_as_the_contract_says(server: Server, name: str) -> None:
    headers, expected = RUNTIME[name]
    assert_refused(server.client.post(CHECKOUT, headers=headers, json=BODY), expected)


@pytest.mark.parametrize("name", ADMIN)
def test_an_admin_route_answers_each_credential_as_the_contract_says(server: Server, name: str) -> None:
    headers, expected = ADMIN[name]
    assert_refused(server.client.get(STATUS, headers=headers), expected)


@pytest.mark.parametrize(
    "headers", [admin(), {"x-api-key": API_KEY}, bearer(token(sub="local:root", role="project_admin"))]
)
def test_admins_pass(server: Server, headers: dict[str, str]) -> None:
    answer = server.client.get(STATUS, headers=headers)
    assert answer.status_code == 200
    assert [one["environment"] for one in answer.json()["connections"]] == ["test", "live"]


def test_a_duplicated_authorization_header_is_refused(server: Server) -> None:
    headers = [("Authorization", f"Bearer {API_KEY}"), ("Authorization", f"Bearer {API_KEY}")]
    answer = server.client.get(STATUS, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "AUTH_INVALID_CREDENTIALS")
    assert answer.json()["message"] == "Send exactly one Authorization header"


def test_the_credential_comes_before_the_environment_and_the_body(server: Server) -> None:
    path = "/api/payments/stripe/staging/checkout-sessions"
    assert server.client.post(path, json={}).status_code == 401
    answer = server.client.post(path, headers=admin(), json={})
    assert answer.json()["message"] == ("environment: Invalid enum value. Expected 'test' | 'live', received 'staging'")
    answer = server.client.post(CHECKOUT, headers=admin(), json={})
    assert answer.json()["message"].startswith("mode: Required")


def test_a_verified_token_is_refused_once_it_expires(server: Server) -> None:
    headers = bearer(token(sub="local:root", role="project_admin", exp=int(time.time()) + 2))
    assert server.client.get(STATUS, headers=headers).status_code == 200
    time.sleep(2.1)
    assert server.client.get(STATUS, headers=headers).status_code == 401


def assert_refused(response, expected: tuple) -> None:
    found = refusal_of(response)
    assert found[:3] == expected[:3]
    assert expected[3] is ... or found[3] == expected[3]
