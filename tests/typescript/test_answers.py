"""What the published SDK makes of our answers: every field of a success, every kind of error, time limits, retries."""

from typing import Any

import pytest

from tests.flows.checkouts import free_port
from tests.http.running import ANON_KEY, API_KEY, serving
from tests.typescript.between import between
from tests.typescript.conftest import Sdk
from tests.typescript.driving import Client, Node
from tests.typescript.selling import Stall, user_token

TEAM = {"type": "team", "id": "team_of_others"}
SESSION_KEYS = {
    *("id", "environment", "mode", "status", "paymentStatus", "subjectType", "subjectId", "customerEmail"),
    *("checkoutSessionId", "customerId", "paymentIntentId", "subscriptionId", "url", "lastError", "createdAt"),
    "updatedAt",
}
PORTAL = "payments.stripe.createCustomerPortalSession"


def told(error: dict[str, Any]) -> tuple[Any, ...]:
    """Class, status and code of an error; that it says something is checked here."""
    assert error["name"] == "InsForgeError"
    assert error["message"]
    return error["class"], error["statusCode"], error["error"]


def test_a_checkout_has_every_documented_field_and_no_other(sdk: Sdk, selling: Stall) -> None:
    made = sdk().checkout(selling.body(customerEmail="ada@example.com"))
    assert set(made) == SESSION_KEYS
    assert (made["environment"], made["mode"], made["status"], made["paymentStatus"]) == (
        "test",
        "payment",
        "open",
        "unpaid",
    )
    assert made["customerEmail"] == "ada@example.com"
    assert made["checkoutSessionId"].startswith("cs_test_")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lineItems": []}, "lineItems: "),
        ({"mode": "setup"}, "mode: "),
        ({"mode": "subscription"}, "subject: "),
        ({"successUrl": "no url"}, "successUrl: "),
        ({"metadata": {"insforge_x": "1"}}, "metadata: "),
        ({"idempotencyKey": "k" * 201}, "idempotencyKey: "),
    ],
)
def test_a_wrong_request_is_400_and_names_the_field(
    sdk: Sdk, selling: Stall, changes: dict[str, Any], message: str
) -> None:
    error = sdk().refused(selling.body(**changes))
    assert told(error) == ("InsForgeError", 400, "INVALID_INPUT")
    assert error["message"].startswith(message)
    assert error["requestId"]


def test_an_unknown_environment_is_400(sdk: Sdk, selling: Stall) -> None:
    assert told(sdk().refused(selling.body(), "prod")) == ("InsForgeError", 400, "INVALID_INPUT")


def test_an_environment_without_a_key_is_400_of_its_own_code(sdk: Sdk, selling: Stall) -> None:
    error = sdk().refused(selling.body(), "live")
    assert told(error) == ("InsForgeError", 400, "PAYMENT_CONFIG_INVALID")
    assert error["message"] == "STRIPE_LIVE_SECRET_KEY is not configured"


def test_what_stripe_refuses_is_told_in_stripes_words(sdk: Sdk, selling: Stall) -> None:
    error = sdk().refused(selling.body(lineItems=[{"priceId": "price_1Unknown"}]))
    assert told(error) == ("InsForgeError", 400, "UPSTREAM_FAILURE")
    assert error["message"].startswith("No such price: 'price_1Unknown'")


def test_nobody_and_a_wrong_key_are_401_with_what_to_do_next(sdk: Sdk, node: Node, selling: Stall) -> None:
    nobody = node.client(baseUrl=selling.url).refused(selling.body())
    assert told(nobody) == ("InsForgeError", 401, "AUTH_INVALID_CREDENTIALS")
    assert nobody["nextActions"] == "Check the token is valid or login to get a new token."
    wrong = sdk(anonKey="anon_wrong").refused(selling.body())
    assert (told(wrong), wrong["message"]) == (
        ("InsForgeError", 401, "AUTH_INVALID_CREDENTIALS"),
        "Invalid anon key",
    )


def test_a_portal_for_a_guest_is_401(sdk: Sdk) -> None:
    error = sdk().fails(PORTAL, "test", {"subject": TEAM})
    assert told(error) == ("InsForgeError", 401, "AUTH_INVALID_CREDENTIALS")


def test_an_admin_client_reaches_admin_routes_and_buys_nothing(node: Node, selling: Stall) -> None:
    admin = node.client("createAdminClient", baseUrl=selling.url, apiKey=API_KEY)
    body = {"subject": TEAM}
    for error in (admin.refused(selling.body()), admin.fails(PORTAL, "test", body)):
        assert told(error) == ("InsForgeError", 401, "AUTH_INVALID_CREDENTIALS")
        assert error["message"].endswith("requires a user token")
    status = admin.call("http.get", "/api/payments/stripe/status")
    assert [one["status"] for one in status["connections"]] == ["connected", "unconfigured"]
    refused = node.client("createAdminClient", baseUrl=selling.url, apiKey="ik_wrong").refused(selling.body())
    assert told(refused) == ("InsForgeError", 401, "AUTH_INVALID_API_KEY")


@pytest.mark.parametrize(
    ("path", "table"),
    [
        ("payments.stripe.createCheckoutSession", "Checkout session creation is not allowed by "
         "payments.stripe_checkout_sessions RLS policies"),
        (PORTAL, "Customer portal session creation is not allowed by "
         "payments.stripe_customer_portal_sessions RLS policies"),
    ],
)  # fmt: skip
def test_a_subject_of_others_is_403_and_says_which_policy(sdk: Sdk, selling: Stall, path: str, table: str) -> None:
    body = {"subject": TEAM} if path == PORTAL else selling.body(subject=TEAM)
    error = sdk("user_ada").fails(path, "test", body)
    assert told(error) == ("InsForgeError", 403, "AUTH_UNAUTHORIZED")
    assert error["message"].startswith(table)
    assert "can_bill" in error["nextActions"]


def test_a_portal_for_who_never_paid_is_404(sdk: Sdk) -> None:
    error = sdk("user_new").fails(PORTAL, "test", {"subject": {"type": "user", "id": "user_new"}})
    assert (told(error), error["message"]) == (
        ("InsForgeError", 404, "PAYMENT_NOT_FOUND"),
        "No Stripe customer is mapped to this billing subject",
    )


def test_a_key_used_for_another_checkout_is_409(sdk: Sdk, selling: Stall) -> None:
    client = sdk("user_ada")
    first = client.checkout(selling.body(idempotencyKey="cart:1"))
    assert client.checkout(selling.body(idempotencyKey="cart:1"))["id"] == first["id"]
    error = client.refused(selling.body(idempotencyKey="cart:1", cancelUrl="https://shop.example.com/other"))
    assert told(error) == ("InsForgeError", 409, "PAYMENT_CHECKOUT_ALREADY_EXISTS")


def test_a_route_that_is_not_there_is_404_in_json(sdk: Sdk, node: Node) -> None:
    error = node.thrown("call", client=sdk().name, path="http.get", args=["/api/nothing"])
    assert told(error) == ("InsForgeError", 404, "NOT_FOUND")
    assert error["message"] == "Endpoint /api/nothing not found"
    assert error["nextActions"]


def test_too_many_guests_are_429_and_not_tried_again(sdk: Sdk, selling: Stall) -> None:
    env = {**selling.shop.env, "PORT": str(free_port()), "PAYGRES_LIMITS": "on", "TRUST_PROXY": "0"}
    selling.shop.force(
        "insert into payments.guest_counts (minute, network, checkouts) select date_trunc('minute', now())"
        " + n * interval '1 minute', '127.0.0.0/24', 100000 from generate_series(0, 1) as n"
    )
    with serving(env) as limited, between(limited.url) as proxy:
        error = sdk(baseUrl=proxy.url).refused(selling.body(idempotencyKey="too:many"))
        assert proxy.statuses("/checkout-sessions") == [429]
    assert told(error) == ("InsForgeError", 429, "RATE_LIMITED")


# retries and time


def test_with_a_key_two_failures_are_tried_again_and_give_one_checkout(sdk: Sdk, selling: Stall) -> None:
    with between(selling.url) as proxy:
        proxy.instead = [500, 500]
        made = sdk(baseUrl=proxy.url).checkout(selling.body(idempotencyKey="order:retried"))
        assert proxy.statuses("/checkout-sessions") == [500, 500, 201]
    assert [str(row["id"]) for row in selling.shop.rows("order:retried")] == [made["id"]]


def test_without_a_key_the_first_failure_is_the_answer(sdk: Sdk, selling: Stall) -> None:
    with between(selling.url) as proxy:
        proxy.instead = [500]
        error = sdk(baseUrl=proxy.url).refused(selling.body())
        assert proxy.statuses("/checkout-sessions") == [500]
    assert told(error) == ("InsForgeError", 500, "REQUEST_FAILED")


def test_a_portal_is_never_tried_again(sdk: Sdk, selling: Stall) -> None:
    with between(selling.url) as proxy:
        proxy.instead = [503]
        error = sdk("user_ada", baseUrl=proxy.url).fails(PORTAL, "test", {"subject": TEAM})
        assert proxy.statuses("/customer-portal-sessions") == [503]
    assert told(error) == ("InsForgeError", 503, "REQUEST_FAILED")


def test_a_time_limit_ends_the_call_and_the_next_one_finds_the_same_checkout(sdk: Sdk, selling: Stall) -> None:
    body = selling.body(idempotencyKey="order:late")
    with between(selling.url) as proxy:
        proxy.late = 0.5
        error = sdk(baseUrl=proxy.url, timeout=100).refused(body)
        selling.shop.wait(lambda: proxy.statuses("/checkout-sessions") == [201])
        proxy.late = 0.0
        made = sdk(baseUrl=proxy.url).checkout(body)
    assert (told(error), error["message"]) == (
        ("InsForgeError", 408, "REQUEST_TIMEOUT"),
        "Request timed out after 100ms",
    )
    assert [str(row["id"]) for row in selling.shop.rows("order:late")] == [made["id"]]


def test_no_server_is_a_network_error(node: Node, selling: Stall) -> None:
    away = node.client(baseUrl=f"http://127.0.0.1:{free_port()}", anonKey=ANON_KEY, retryDelay=5)
    error = away.refused(selling.body(idempotencyKey="order:away"))
    assert told(error) == ("InsForgeError", 0, "NETWORK_ERROR")


# tokens


def test_set_access_token_makes_a_guest_a_user_and_back(sdk: Sdk, selling: Stall) -> None:
    client = sdk()
    own = {"type": "user", "id": "user_set"}

    def as_whom() -> str:
        answer = client.call("payments.stripe.createCheckoutSession", "test", selling.body(subject=own))
        return "user" if answer["error"] is None else answer["error"]["error"]

    before = as_whom()
    client.call("setAccessToken", user_token("user_set", email="set@example.com"))
    signed_in = as_whom()
    client.call("setAccessToken", None)
    assert (before, signed_in, as_whom()) == ("AUTH_UNAUTHORIZED", "user", "AUTH_UNAUTHORIZED")


def test_a_fixed_token_that_expired_is_401_and_nothing_is_refreshed(node: Node, selling: Stall) -> None:
    with between(selling.url) as proxy:
        fixed: Client = node.client(baseUrl=proxy.url, anonKey=ANON_KEY, accessToken=user_token("user_ada", -60))
        error = fixed.refused(selling.body())
        assert [(one.path.rpartition("/")[2], one.status) for one in proxy.asked] == [("checkout-sessions", 401)]
    assert (told(error), error["message"]) == (("InsForgeError", 401, "AUTH_UNAUTHORIZED"), "Invalid token")


def test_a_page_of_any_origin_may_ask(selling: Stall) -> None:
    asked = {"origin": "http://localhost:3000", "access-control-request-method": "POST"}
    wanted = "authorization,content-type,x-csrf-token"
    path = "/api/payments/stripe/test/checkout-sessions"
    answer = selling.shop.server.client.options(path, headers={**asked, "access-control-request-headers": wanted})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "http://localhost:3000")
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-allow-headers"] == wanted
