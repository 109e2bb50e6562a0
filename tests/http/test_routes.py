"""Unknown routes, CORS, request ids, health, sign-in, keys, the webhook route's own checks."""

import socket
import time

import pytest

from tests.http.running import (
    ADMIN_PASSWORD,
    ANON_KEY,
    API_KEY,
    BODY,
    CHECKOUT,
    STATUS,
    USER,
    Server,
    admin,
    bearer,
    user,
)

DOCUMENTATION = "Please check the API documentation for available endpoints"
WEBHOOK = "/api/webhooks/stripe/test"
NO_SIGNATURE = (401, "AUTH_UNAUTHORIZED", "Missing stripe-signature header")
SIGNED = {"stripe-signature": "t=1,v1=a", "content-type": "application/json"}
SHOP = "https://shop.example.com"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/api/nothing?here=1"),
        ("POST", "/api/health"),
        ("DELETE", "/api/webhooks/stripe/test"),
        ("GET", "/api/payments/stripe"),
        ("GET", "/api/payments/stripe/"),
    ],
)
def test_an_unknown_route_is_a_json_404(server: Server, method: str, path: str) -> None:
    answer = server.client.request(method, path)
    refusal = answer.json()
    assert answer.status_code == 404
    assert refusal["requestId"] == answer.headers["x-request-id"]
    assert {key: refusal[key] for key in refusal if key != "requestId"} == {
        "error": "NOT_FOUND",
        "message": f"Endpoint {path} not found",
        "statusCode": 404,
        "nextActions": DOCUMENTATION,
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", CHECKOUT),
        ("GET", "/api/payments/stripe/sync"),
        ("GET", "/api/payments/stripe/test"),
        ("PATCH", "/api/payments/stripe/test/config"),
        ("GET", "/api/payments/stripe/test/nothing/here"),
    ],
)
def test_below_stripe_only_admins_learn_what_is_unknown(server: Server, method: str, path: str) -> None:
    assert server.client.request(method, path).status_code == 401
    assert server.client.request(method, path, headers=user()).status_code == 403
    assert server.client.request(method, path, headers=admin()).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/api/metadata/api-key", "/api/database/advance/rawsql", "/api/secrets", "/api/secrets/JWT_SECRET"],
)
def test_what_is_left_out_on_purpose_says_what_to_do(server: Server, path: str) -> None:
    assert server.client.get(path).status_code == 401
    answer = server.client.get(path, headers=admin())
    assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")
    assert len(answer.json()["nextActions"]) > 20


def test_a_wrong_environment_is_named_to_admins(server: Server) -> None:
    answer = server.client.post("/api/payments/stripe/foo/sync", headers=admin())
    assert answer.status_code == 400
    assert answer.json()["message"] == "environment: Invalid enum value. Expected 'test' | 'live', received 'foo'"
    assert server.client.post("/api/payments/stripe/foo/sync", headers=user()).status_code == 403


def test_an_unconfigured_installation_shows_two_empty_environments(server: Server) -> None:
    connections = server.client.get(STATUS, headers=admin()).json()["connections"]
    assert [one["status"] for one in connections] == ["unconfigured", "unconfigured"]
    keys = server.client.get("/api/payments/stripe/config", headers=admin()).json()["keys"]
    nothing = {"value": None, "hasKey": False, "maskedKey": None}
    assert keys == [{"environment": "test", **nothing}, {"environment": "live", **nothing}]
    catalog = server.client.get("/api/payments/stripe/test/catalog", headers=admin())
    assert catalog.json() == {"products": [], "prices": []}
    assert server.client.delete("/api/payments/stripe/test/config", headers=admin()).status_code == 404


@pytest.mark.parametrize("path", ["/api/payments/stripe/test/checkout-sessions/", "/api/payments/stripe/status/"])
def test_a_path_with_a_slash_too_many_is_unknown(server: Server, path: str) -> None:
    answer = server.client.post(path, json={}, headers=admin())
    assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")
    assert "location" not in answer.headers


def test_catalog_reads_check_what_they_are_asked(server: Server) -> None:
    catalog = "/api/payments/stripe/test/catalog"
    get = server.client.get
    assert get(f"{catalog}/prices?productId=prod_1", headers=admin()).json() == {"prices": []}
    answer = get(f"{catalog}/prices?limit=3", headers=admin())
    assert answer.json()["message"] == "(root): Unrecognized key(s) in object: 'limit'"
    assert get(f"{catalog}/prices?productId=%00", headers=admin()).status_code == 400
    answer = get(f"{catalog}/products/prod_none", headers=admin())
    assert (answer.status_code, answer.json()["error"]) == (404, "PAYMENT_PRODUCT_NOT_FOUND")
    assert get(f"{catalog}/prices/price_none", headers=admin()).status_code == 404


@pytest.mark.parametrize("session", ["cs_test_none", USER, "x", "%F0%9F%98%80"])
def test_an_unknown_session_is_404_for_everyone(server: Server, session: str) -> None:
    path = f"/api/paygres/test/checkout-sessions/{session}"
    assert server.client.get(path).status_code == 401
    for headers in (user(), admin(), bearer(ANON_KEY)):
        assert server.client.get(path, headers=headers).status_code == 404


def test_a_nul_in_the_path_is_400(server: Server) -> None:
    answer = server.client.get("/api/paygres/test/checkout-sessions/a%00b", headers=user())
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_INPUT")


# -- webhooks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "headers", "content", "expected"),
    [
        ("/api/webhooks/stripe/staging", {}, b"{}", (400, "INVALID_INPUT", "Invalid Stripe environment")),
        (WEBHOOK, {}, b"{}", NO_SIGNATURE),
        (WEBHOOK, {"stripe-signature": ""}, b"{}", NO_SIGNATURE),
        (
            WEBHOOK,
            {"stripe-signature": "t=1,v1=a", "content-type": "text/plain"},
            b"{}",
            (400, "INVALID_INPUT", "Stripe webhook requires raw request body"),
        ),
        (
            WEBHOOK,
            SIGNED,
            b"",
            (400, "INVALID_INPUT", "Stripe webhook requires raw request body"),
        ),
    ],
)
def test_a_delivery_that_cannot_be_one_is_refused(server: Server, path, headers, content, expected) -> None:
    answer = server.client.post(path, headers=headers, content=content)
    assert (answer.status_code, answer.json()["error"], answer.json()["message"]) == expected


def test_a_duplicated_signature_header_is_400(server: Server) -> None:
    headers = [*SIGNED.items(), ("stripe-signature", "t=1,v1=a")]
    assert server.client.post(WEBHOOK, headers=headers, content=b"{}").status_code == 400


def test_a_delivery_over_one_megabyte_is_413(server: Server) -> None:
    assert server.client.post(WEBHOOK, headers=SIGNED, content=b"x" * 1_000_001).status_code == 413


def test_a_delivery_without_a_signing_secret_is_refused(server: Server) -> None:
    answer = server.client.post(WEBHOOK, headers=SIGNED, content=b"{}")
    assert 400 <= answer.status_code < 500
    assert answer.json()["message"] == "STRIPE_TEST_WEBHOOK_SECRET is not configured"


# -- CORS and request ids ------------------------------------------------------------------------------


def test_test_routes_reflect_any_origin(server: Server) -> None:
    answer = server.client.post(CHECKOUT, headers={"origin": "http://localhost:3000"}, json=BODY)
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "Content-Range, Preference-Applied" in answer.headers["access-control-expose-headers"]
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(("origin", "listed"), [(SHOP, True), ("https://other.example.com", False), ("null", False)])
def test_live_routes_answer_only_listed_origins(server: Server, origin: str, listed: bool) -> None:
    path = CHECKOUT.replace("/test/", "/live/")
    for answer in (
        server.client.post(path, headers={"origin": origin}, json=BODY),
        server.client.options(path, headers={"origin": origin, "access-control-request-headers": "authorization"}),
    ):
        assert answer.headers.get("access-control-allow-origin") == (origin if listed else None)


def test_a_preflight_echoes_the_headers_it_asks_for(server: Server) -> None:
    asked = {
        "origin": SHOP,
        "access-control-request-method": "POST",
        "access-control-request-headers": "a,b-c",
    }
    answer = server.client.options(CHECKOUT, headers=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-headers"] == "a,b-c"
    assert answer.headers["access-control-allow-methods"] == "GET,HEAD,PUT,PATCH,POST,DELETE"


def test_outside_the_api_no_origin_is_allowed(server: Server) -> None:
    answer = server.client.get("/livez", headers={"origin": SHOP})
    assert "access-control-allow-origin" not in answer.headers


def test_a_request_id_is_kept_when_it_is_harmless(server: Server) -> None:
    assert server.client.get("/livez", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    for wild in ("a b", "x" * 65, "<script>"):
        given = server.client.get("/livez", headers={"x-request-id": wild}).headers["x-request-id"]
        assert given.startswith("req_")
        assert given != wild


# -- health, sign-in, keys -----------------------------------------------------------------------------


def test_health_answers_without_a_credential(server: Server) -> None:
    answer = server.client.get("/api/health").json()
    assert list(answer) == ["status", "version", "service", "timestamp"]
    assert answer["status"] == "ok"
    assert answer["timestamp"].endswith("Z")
    assert server.client.get("/livez").json() == {"status": "ok"}
    assert server.client.head("/api/health").status_code == 200


def test_ready_names_every_check(server: Server) -> None:
    answer = server.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["worker"] == {"ok": True, "state": "running"}
    assert answer.json()["checks"]["migrations"]["ok"]


def test_an_admin_signs_in_and_is_recognized(server: Server) -> None:
    pair = {"username": "root", "password": ADMIN_PASSWORD, "remember": True}
    answer = server.client.post("/api/auth/admin/sessions", json=pair)
    assert answer.status_code == 200
    assert answer.json()["admin"] == {"sub": "local:root"}
    token = bearer(answer.json()["accessToken"])
    current = server.client.get("/api/auth/admin/sessions/current", headers=token)
    assert current.json() == {"admin": {"sub": "local:root"}}
    assert server.client.get(STATUS, headers=token).status_code == 200


def test_the_anon_key_is_told_to_admins_only(server: Server) -> None:
    key = server.client.get("/api/metadata/anon-key", headers=admin())
    assert key.json() == {"anonKey": ANON_KEY}
    assert server.client.post("/api/auth/tokens/anon", headers=admin()).json() == {"accessToken": ANON_KEY}
    assert server.client.get("/api/metadata/anon-key", headers=bearer(ANON_KEY)).status_code == 401


def test_wrong_passwords_are_slowed_down(server: Server) -> None:
    wrong = {"username": "root", "password": "nope"}
    answers = [server.client.post("/api/auth/admin/sessions", json=wrong) for _ in range(12)]
    assert answers[0].json()["message"] == "Invalid admin credentials"
    assert (answers[0].status_code, answers[0].json()["error"]) == (401, "AUTH_UNAUTHORIZED")
    assert (answers[-1].status_code, answers[-1].json()["error"]) == (429, "RATE_LIMITED")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 61


# -- raw bytes -----------------------------------------------------------------------------------------

RAW = {
    "not HTTP": b"\x16\x03\x01\x00\xff\x01\r\n\r\n",
    "bytes in the path": b"GET /api/\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute target": b"GET http://other.example.com/api/health HTTP/1.1\r\nHost: a\r\n\r\n",
    "two lengths": b"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "bad length": b"POST " + CHECKOUT.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    "percent nonsense": b"GET /api/%zz%c0%ae?%ff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
def test_raw_nonsense_gets_no_server_error(server: Server, name: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(RAW[name])
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert not answer.startswith(b"HTTP/1.1 5")
    assert server.client.get("/livez").status_code == 200


def test_a_body_that_ends_too_early_stores_nothing(server: Server) -> None:
    head = (
        f"POST {CHECKOUT} HTTP/1.1\r\nHost: a\r\nx-api-key: {API_KEY}\r\n"
        "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(head.encode())
    time.sleep(0.1)
    assert server.client.get("/livez").status_code == 200
