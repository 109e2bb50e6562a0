"""Sign-in with the published SDK in Node: server mode, an access token that ran out, and the helpers for frameworks
that render on a server (@insforge/sdk/ssr)."""

import datetime
import uuid
from typing import Any

import pytest

from tests.http.running import ANON_KEY
from tests.typescript.between import Between, between
from tests.typescript.conftest import Sdk
from tests.typescript.driving import Client, Node
from tests.typescript.selling import Stall, user_token

PASSWORD = "correct horse battery"
REFRESH, CHECKOUTS = "/api/auth/refresh", "/checkout-sessions"


def person() -> dict[str, str]:
    """An e-mail address of its own, and a password."""
    return {"email": f"ada.{uuid.uuid4().hex[:8]}@example.com", "password": PASSWORD}


@pytest.fixture
def signed_up(sdk: Sdk) -> tuple[Client, dict[str, Any], dict[str, str]]:
    """A client in server mode who has just signed up, what it was answered, and with what."""
    client, who = sdk(isServerMode=True), person()
    return client, client.done("auth.signUp", {**who, "name": "Ada"}), who


def test_who_signs_up_is_signed_in_and_buys(
    signed_up: tuple[Client, dict[str, Any], dict[str, str]], selling: Stall
) -> None:
    client, answer, who = signed_up
    assert {"user", "accessToken", "refreshToken", "requireEmailVerification"} <= set(answer)
    user = answer["user"]
    assert (user["email"], user["profile"]) == (who["email"], {"name": "Ada"})
    assert answer["requireEmailVerification"] is False
    assert {"id", "emailVerified", "createdAt", "updatedAt", "providers", "metadata"} <= set(user)
    made = client.checkout(selling.body(subject={"type": "user", "id": user["id"]}))
    assert (made["subjectId"], made["status"]) == (user["id"], "open")


def test_signing_in_again_gives_the_same_user(
    sdk: Sdk, signed_up: tuple[Client, dict[str, Any], dict[str, str]], selling: Stall
) -> None:
    _, answer, who = signed_up
    again = sdk(isServerMode=True)
    session = again.done("auth.signInWithPassword", who)
    assert session["user"] == answer["user"]
    assert again.checkout(selling.body(subject={"type": "user", "id": session["user"]["id"]}))["status"] == "open"


def test_the_current_user_is_that_of_the_clients_own_token(
    sdk: Sdk, signed_up: tuple[Client, dict[str, Any], dict[str, str]]
) -> None:
    _, answer, _ = signed_up
    own = sdk(accessToken=answer["accessToken"])
    assert own.done("auth.getCurrentUser") == {"user": answer["user"]}


def test_a_refresh_gives_another_pair_of_tokens(
    sdk: Sdk, signed_up: tuple[Client, dict[str, Any], dict[str, str]], selling: Stall
) -> None:
    _, answer, _ = signed_up
    later = sdk(isServerMode=True)
    next_one = later.done("auth.refreshSession", {"refreshToken": answer["refreshToken"]})
    assert next_one["user"] == answer["user"]
    assert next_one["refreshToken"] != answer["refreshToken"]
    assert later.checkout(selling.body(subject={"type": "user", "id": answer["user"]["id"]}))["status"] == "open"


def test_who_signed_out_is_a_guest_and_the_sign_in_has_ended(
    sdk: Sdk, signed_up: tuple[Client, dict[str, Any], dict[str, str]], selling: Stall
) -> None:
    client, answer, _ = signed_up
    assert client.call("auth.signOut") == {"error": None}
    error = client.refused(selling.body(subject={"type": "user", "id": answer["user"]["id"]}))
    assert (error["statusCode"], error["error"]) == (403, "AUTH_UNAUTHORIZED")
    refused = sdk(isServerMode=True).fails("auth.refreshSession", {"refreshToken": answer["refreshToken"]})
    assert (refused["statusCode"], refused["error"]) == (401, "AUTH_UNAUTHORIZED")


def test_without_server_mode_the_session_is_a_browsers_and_node_cannot_renew_it(sdk: Sdk, selling: Stall) -> None:
    client = sdk()
    answer = client.done("auth.signUp", person())
    assert ("csrfToken" in answer, "refreshToken" in answer) == (True, False)
    assert client.done("auth.getCurrentUser") == {"user": answer["user"]}
    assert client.checkout(selling.body(subject={"type": "user", "id": answer["user"]["id"]}))["status"] == "open"
    error = client.fails("auth.refreshSession")
    told = error["statusCode"], error["error"], error["message"]
    assert told == (401, "AUTH_UNAUTHORIZED", "No refresh token provided")


@pytest.mark.parametrize(
    ("path", "changes", "status", "code"),
    [
        ("auth.signUp", {}, 409, "AUTH_EMAIL_EXISTS"),
        ("auth.signUp", {"email": "no address"}, 400, "INVALID_INPUT"),
        ("auth.signUp", {"email": "short@example.com", "password": "short"}, 400, "INVALID_INPUT"),
        ("auth.signInWithPassword", {"password": "wrong horse battery"}, 401, "AUTH_UNAUTHORIZED"),
        ("auth.signInWithPassword", {"email": "nobody@example.com"}, 401, "AUTH_UNAUTHORIZED"),
    ],
)
def test_a_sign_in_that_is_refused_says_why(
    sdk: Sdk, signed_up: tuple[Client, dict[str, Any], dict[str, str]],
    path: str, changes: dict[str, str], status: int, code: str,
) -> None:  # fmt: skip
    error = sdk().fails(path, {**signed_up[2], **changes})
    assert (error["class"], error["statusCode"], error["error"]) == ("InsForgeError", status, code)
    assert error["message"]


def test_the_form_may_ask_how_users_sign_in(sdk: Sdk) -> None:
    told = sdk().done("auth.getPublicAuthConfig")
    assert (told["requireEmailVerification"], told["disableSignup"], told["passwordMinLength"]) == (False, False, 6)


# an access token that ran out


def expired(sdk: Sdk, answer: dict[str, Any], **options: Any) -> Client:
    """Somebody whose access token has run out and who still has the refresh token."""
    client = sdk(**options)
    client.call("setAccessToken", user_token(answer["user"]["id"], -60))
    client.call("http.setRefreshToken", answer["refreshToken"])
    return client


def tale(proxy: Between) -> list[tuple[str, int]]:
    """The last part of each path and its answer, in order."""
    return [(one.path.rpartition("/")[2], one.status) for one in proxy.asked]


def test_a_token_that_ran_out_is_renewed_and_the_call_repeated(
    sdk: Sdk, signed_up: tuple[Client, dict[str, Any], dict[str, str]], selling: Stall
) -> None:
    _, answer, _ = signed_up
    body = selling.body(subject={"type": "user", "id": answer["user"]["id"]})
    with between(selling.url) as proxy:
        client = expired(sdk, answer, baseUrl=proxy.url)
        made = client.checkout(body)
        renewed = proxy.asked[1]
        client.checkout(body)
    assert made["subjectId"] == answer["user"]["id"]
    assert tale(proxy) == [
        ("checkout-sessions", 401),
        ("refresh", 200),
        ("checkout-sessions", 201),
        ("checkout-sessions", 201),
    ]
    assert renewed.target == f"{REFRESH}?client_type=mobile"
    assert proxy.asked[0].headers["authorization"] != proxy.asked[2].headers["authorization"]


def test_calls_at_the_same_time_renew_it_once(
    sdk: Sdk, node: Node, signed_up: tuple[Client, dict[str, Any], dict[str, str]], selling: Stall
) -> None:
    _, answer, _ = signed_up
    with between(selling.url) as proxy:
        client = expired(sdk, answer, baseUrl=proxy.url)
        path = "payments.stripe.createCheckoutSession"
        calls = [{"client": client.name, "path": path, "args": ["test", selling.body()]} for _ in range(3)]
        answers = node.ask("together", calls=calls)
    assert [one["error"] for one in answers] == [None] * 3
    assert proxy.statuses(REFRESH) == [200]
    assert sorted(proxy.statuses(CHECKOUTS)) == [201, 201, 201, 401, 401, 401]


def test_a_refresh_that_is_refused_ends_the_session(
    sdk: Sdk, signed_up: tuple[Client, dict[str, Any], dict[str, str]], selling: Stall
) -> None:
    _, answer, _ = signed_up
    signed_up[0].call("auth.signOut")
    with between(selling.url) as proxy:
        client = expired(sdk, answer, baseUrl=proxy.url)
        error = client.refused(selling.body())
        assert (error["statusCode"], error["error"]) == (401, "AUTH_UNAUTHORIZED")
        assert client.checkout(selling.body())["subjectId"] is None
    assert tale(proxy) == [("checkout-sessions", 401), ("refresh", 401), ("checkout-sessions", 201)]
    assert proxy.asked[-1].headers["authorization"] == f"Bearer {ANON_KEY}"


def test_in_server_mode_the_401_is_the_answer(
    sdk: Sdk, signed_up: tuple[Client, dict[str, Any], dict[str, str]], selling: Stall
) -> None:
    _, answer, _ = signed_up
    with between(selling.url) as proxy:
        error = expired(sdk, answer, baseUrl=proxy.url, isServerMode=True).refused(selling.body())
    assert (error["statusCode"], error["error"]) == (401, "AUTH_UNAUTHORIZED")
    assert tale(proxy) == [("checkout-sessions", 401)]


# rendering on a server


@pytest.fixture
def rendering(node: Node, selling: Stall) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of a server that renders, and what signing somebody up there gave: the result, and its cookies."""
    options = {"baseUrl": selling.url, "anonKey": ANON_KEY}
    up = node.ask("ssr", how="createAuthActions", given={}, options=options, path="signUp", args=[person()])
    assert up["result"]["error"] is None
    return options, up


def test_a_server_that_renders_keeps_the_session_in_cookies_of_its_own(
    node: Node, rendering: tuple[dict[str, Any], dict[str, Any]], selling: Stall
) -> None:
    options, up = rendering
    user = up["result"]["data"]["user"]
    assert not {"accessToken", "refreshToken", "csrfToken"} & set(up["result"]["data"])
    access, refresh = up["cookies"]["insforge_access_token"], up["cookies"]["insforge_refresh_token"]
    assert (access["httpOnly"], bool(access["expires"])) == (False, True)
    lasts = datetime.datetime.fromisoformat(refresh["expires"]) - datetime.datetime.now(datetime.UTC)
    assert (refresh["httpOnly"], lasts.days) == (True, 6)  # and some hours: it is read from the token
    kept = {name: one["value"] for name, one in up["cookies"].items()}
    body = selling.body(subject={"type": "user", "id": user["id"]})
    path = "payments.stripe.createCheckoutSession"
    rendered = node.ask(
        "ssr", how="createServerClient", given=kept, options=options, path=path, args=["test", body]
    )  # fmt: skip
    assert rendered["result"]["data"]["checkoutSession"]["subjectId"] == user["id"]


def test_the_route_that_renews_a_rendering_servers_session(
    node: Node, rendering: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    options, up = rendering
    old = up["cookies"]["insforge_refresh_token"]["value"]
    renewed = node.ask("refresh", options=options, cookie=f"insforge_refresh_token={old}")
    assert (renewed["status"], renewed["error"]) == (200, None)
    assert renewed["data"]["user"] == up["result"]["data"]["user"]
    assert [one.partition("=")[0] for one in renewed["cookies"]] == ["insforge_access_token", "insforge_refresh_token"]
    assert renewed["refreshToken"] != old
    refused = node.ask("refresh", options=options, cookie="insforge_refresh_token=wrong")
    assert (refused["status"], refused["error"]["error"]) == (401, "AUTH_UNAUTHORIZED")


def test_a_middleware_renews_a_token_that_ran_out(node: Node, rendering: tuple[dict[str, Any], dict[str, Any]]) -> None:
    options, up = rendering
    user, refresh = up["result"]["data"]["user"]["id"], up["cookies"]["insforge_refresh_token"]["value"]
    given = {"insforge_access_token": user_token(user, -60), "insforge_refresh_token": refresh}
    updated = node.ask("update", options=options, given=given)
    assert (updated["refreshed"], updated["error"]) == (True, None)
    assert updated["cookies"]["insforge_access_token"]["value"] == updated["accessToken"]
