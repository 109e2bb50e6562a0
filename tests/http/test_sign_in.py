"""Users sign up, in and out (contract 1.3.5): answers, cookies, CSRF, and the rows that stay."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import jwt
import pytest

from tests.http.running import (
    ANON_KEY,
    Server,
    admin,
    bearer,
    token,
)
from tests.http.signing_in import (
    COOKIE,
    NOT_A_PAGE,
    PASSWORD,
    cookie,
    new_email,
    person,
    post,
    refused,
    sign_in,
    sign_up,
    sql,
)

INVALID = (401, "AUTH_UNAUTHORIZED", "Invalid credentials")
FIELDS = ["id", "email", "emailVerified", "createdAt", "updatedAt", "providers", "profile", "metadata"]


def test_a_user_signs_up_and_is_known_to_payments(server: Server) -> None:
    email = new_email()
    answer = sign_up(server, email.title(), name="Ada", redirectTo="https://shop.example.com/x", other=1)
    body = answer.json()
    assert answer.status_code == 200, answer.text
    assert list(body) == ["user", "accessToken", "requireEmailVerification", "refreshToken"]
    assert list(body["user"]) == FIELDS
    assert (body["user"]["email"], body["user"]["profile"], body["user"]["providers"]) == (
        email,
        {"name": "Ada"},
        ["email"],
    )
    assert (body["user"]["emailVerified"], body["requireEmailVerification"]) == (False, False)
    checkout = server.checkout(bearer(body["accessToken"]), subject={"type": "user", "id": body["user"]["id"]})
    assert checkout.json()["error"] == "PAYMENT_CONFIG_INVALID"  # known as a user; there is no Stripe key
    current = server.client.get("/api/auth/sessions/current", headers=bearer(body["accessToken"]))
    assert current.json() == {"user": body["user"]}


def test_the_access_token_says_who_it_is_for_fifteen_minutes(server: Server) -> None:
    somebody = person(server)
    claims = jwt.decode(somebody.access_token, options={"verify_signature": False})
    assert set(claims) == {"sub", "email", "role", "sid", "iat", "exp"}
    assert (claims["sub"], claims["email"], claims["role"]) == (somebody.user["id"], somebody.email, "authenticated")
    assert claims["exp"] - claims["iat"] == 900


def test_a_page_gets_a_cookie_and_a_csrf_token_that_stays(server: Server) -> None:
    email = new_email()
    body = {"email": email, "password": PASSWORD}
    made = post(server, "users", json=body, headers=bearer(ANON_KEY))
    assert list(made.json()) == ["user", "accessToken", "requireEmailVerification", "csrfToken"]
    answer = post(server, "sessions", json=body, params={"client_type": "tablet"})  # unknown: a page
    assert list(answer.json()) == ["user", "accessToken", "csrfToken"]
    kept = cookie(answer)
    attributes = (kept["max-age"], kept["path"], kept["samesite"], kept["httponly"], kept["secure"])
    assert attributes == ("604800", "/api/auth", "None", True, True)
    sent = {"cookie": f"{COOKIE}={kept.value}", "x-csrf-token": answer.json()["csrfToken"]}
    again = post(server, "refresh", headers={**sent, **bearer("an.expired.token")})
    assert list(again.json()) == ["accessToken", "user", "csrfToken"]
    assert again.json()["csrfToken"] == answer.json()["csrfToken"]
    assert cookie(again).value != kept.value
    bare = post(server, "refresh", headers={"cookie": sent["cookie"]})
    assert refused(bare) == (403, "FORBIDDEN", "Invalid CSRF token")
    assert "set-cookie" not in bare.headers
    other = {**sent, "x-csrf-token": made.json()["csrfToken"]}
    assert post(server, "refresh", headers=other).status_code == 403


def test_what_no_page_may_refresh_with_takes_its_cookie_away(server: Server) -> None:
    somebody = person(server)
    tries = {
        "No refresh token provided": "",
        "Invalid refresh token type": f"{COOKIE}={somebody.access_token}",
        "Invalid refresh session type": f"{COOKIE}=pra_{'0' * 32}.e30.{'0' * 64}",
        "Invalid or expired refresh token": f"{COOKIE}=prt_{'0' * 32}.e30.{'0' * 64}",
    }
    for message, sent in tries.items():
        answer = post(server, "refresh", headers={"cookie": sent, "x-csrf-token": "x"})
        assert refused(answer) == (401, "AUTH_UNAUTHORIZED", message)
        gone = cookie(answer)
        assert (gone.value, gone["max-age"], gone["path"]) == ("", "0", "/api/auth")
    missing = post(server, "refresh", json={}, params=NOT_A_PAGE)
    assert refused(missing) == (400, "INVALID_INPUT", "refreshToken: Required")
    older = post(server, "refresh", json={"refresh_token": somebody.refresh_token}, params={"client_type": "server"})
    assert list(older.json()) == ["accessToken", "user", "refreshToken"]


def test_signing_out_ends_the_sign_in_and_wants_the_csrf_token_of_a_page(server: Server) -> None:
    email = new_email()
    sign_up(server, email)
    page = post(server, "sessions", json={"email": email, "password": PASSWORD})
    sent = {"cookie": f"{COOKIE}={cookie(page).value}"}
    assert refused(post(server, "logout", headers=sent)) == (403, "FORBIDDEN", "Invalid CSRF token")
    sent["x-csrf-token"] = page.json()["csrfToken"]
    answer = post(server, "logout", headers=sent)
    assert answer.json() == {"success": True, "message": "Logged out successfully"}
    assert cookie(answer)["max-age"] == "0"
    assert post(server, "refresh", headers=sent).status_code == 401
    assert post(server, "logout").status_code == 200  # nobody to sign out


@pytest.mark.parametrize("with_body", [True, False])
def test_a_client_without_cookies_signs_out_by_either_token(server: Server, with_body: bool) -> None:
    somebody, other = person(server), person(server)
    body = {"json": {"refreshToken": somebody.refresh_token}} if with_body else {}
    answer = post(server, "logout", params=NOT_A_PAGE, headers=bearer(somebody.access_token), **body)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert refused(somebody.refresh()) == (401, "AUTH_UNAUTHORIZED", "Invalid or expired refresh token")
    assert other.refresh().status_code == 200


def test_a_wrong_password_and_an_unknown_account_are_told_alike(server: Server) -> None:
    somebody = person(server)
    for email, password in ((somebody.email, "wrong"), (new_email(), PASSWORD), (somebody.email, PASSWORD.upper())):
        answer = sign_in(server, email, password)
        assert refused(answer) == INVALID
        assert set(answer.json()) == {"error", "message", "statusCode", "requestId"}
    assert sign_in(server, somebody.email.upper()).status_code == 200


def test_twenty_at_once_with_one_address_make_one_user(server: Server) -> None:
    email = new_email()

    def attempt(_: int) -> httpx2.Response:
        while (answer := sign_up(server, email)).status_code == 503:  # hashing is busy on a slow machine
            time.sleep(0.5)
        return answer

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(attempt, range(20)))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 19]
    assert {refused(a) for a in answers if a.status_code == 409} == {(409, "AUTH_EMAIL_EXISTS", "User already exists")}
    assert len(sql(server, "select 1 from auth.users where email = $1", email)) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"email": None}, "email: Expected string, received null"),
        ({"email": "nobody"}, "email: Invalid email"),
        ({"email": " a@shop.example"}, "email: Invalid email"),
        ({"email": "a" * 320 + "@shop.example"}, "email: String must contain at most 320 character(s)"),
        ({"password": "12345"}, "password: Password must be at least 6 characters long"),
        ({"password": ""}, "password: Password is required"),
        ({"password": "€" * 400}, "password: Password must be at most 1024 bytes long"),
        ({"password": 7}, "password: Expected string, received number"),
        ({"name": ""}, "name: String must contain at least 1 character(s)"),
        ({"name": "n" * 101}, "name: String must contain at most 100 character(s)"),
        ({"redirectTo": "nowhere"}, "redirectTo: Invalid url"),
        ({"autoConfirm": "yes"}, "autoConfirm: Expected boolean, received string"),
    ],
)
def test_a_wrong_body_is_refused_with_its_reason(server: Server, change: dict[str, object], message: str) -> None:
    answer = sign_up(server, new_email(), **change)
    assert refused(answer) == (400, "INVALID_INPUT", message)


def test_one_time_codes_are_refused_with_what_to_do(server: Server) -> None:
    answer = post(server, "sessions", json={"method": "otp", "email": "a@shop.example", "otp": "123456"})
    assert answer.status_code == 400
    assert "method: One-time codes are not sent by this server" in answer.json()["message"]


def test_the_current_user_is_one_of_ours(server: Server) -> None:
    path = "/api/auth/sessions/current"
    for headers in (bearer(ANON_KEY), admin()):
        answer = server.client.get(path, headers=headers)
        assert refused(answer) == (401, "AUTH_INVALID_CREDENTIALS", "User not authenticated")
    for sub in ("11111111-1111-4111-8111-111111111111", "user_1"):
        answer = server.client.get(path, headers=bearer(token(sub=sub)))
        assert refused(answer) == (401, "AUTH_INVALID_CREDENTIALS", "User not found")
    assert refused(server.client.get(path, headers=bearer("garbage"))) == (401, "AUTH_UNAUTHORIZED", "Invalid token")


def test_the_public_configuration_says_what_there_is(server: Server) -> None:
    config = server.client.get("/api/auth/public-config").json()
    assert config == {
        "oAuthProviders": [],
        "customOAuthProviders": [],
        "requireEmailVerification": False,
        "passwordMinLength": 6,
        "requireNumber": False,
        "requireLowercase": False,
        "requireUppercase": False,
        "requireSpecialChar": False,
        "verifyEmailMethod": "code",
        "resetPasswordMethod": "code",
        "disableSignup": False,
    }
