"""Admins sign in with a cookie of their own, make users and end their sign-ins."""

from collections.abc import Iterator

import jwt
import pytest

from paygres.server.db.embedded import Urls
from tests.fresh_database import cloned
from tests.http.running import (
    ADMIN_PASSWORD,
    API_KEY,
    STATUS,
    Server,
    admin,
    bearer,
    environment,
    serving,
    token,
    user,
)
from tests.http.signing_in import (
    ADMIN_COOKIE,
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


@pytest.fixture(scope="module")
def desk(postgres: Urls) -> Iterator[Server]:
    """A server of its own: other tests use up the shared one's wrong passwords."""
    with cloned(postgres) as database, serving(environment(database.server_url)) as server:
        yield server


def test_an_admin_ends_every_sign_in_of_a_user(desk: Server) -> None:
    somebody = person(desk)
    second = sign_in(desk, somebody.email).json()["refreshToken"]
    path = f"/api/paygres/users/{somebody.user['id']}/sessions"
    assert desk.client.delete(path, headers=bearer(somebody.access_token)).status_code == 403
    assert desk.client.delete(path, headers=admin()).json() == {"ended": 2}
    assert somebody.refresh().status_code == 401
    assert post(desk, "refresh", json={"refreshToken": second}, params=NOT_A_PAGE).status_code == 401
    (record,) = sql(desk, "select action, details::text from system.audit_log where target = $1", somebody.user["id"])
    assert (record["action"], record["details"]) == ("user.sign_out", '{"ended": 2}')
    unknown = path.replace(somebody.user["id"], "11111111-1111-4111-8111-111111111111")
    assert desk.client.delete(unknown, headers=admin()).status_code == 404


def test_admins_refresh_and_sign_out_with_a_cookie_of_their_own(desk: Server) -> None:
    answer = post(desk, "admin/sessions", json={"username": "root", "password": ADMIN_PASSWORD})
    assert list(answer.json()) == ["admin", "accessToken", "csrfToken"]
    kept = cookie(answer, ADMIN_COOKIE)
    assert (kept["path"], kept["samesite"], kept["secure"]) == ("/api/auth/admin", "None", True)
    sent = {"cookie": f"{ADMIN_COOKIE}={kept.value}"}
    assert post(desk, "admin/refresh", headers=sent).status_code == 403
    sent["x-csrf-token"] = answer.json()["csrfToken"]
    again = post(desk, "admin/refresh", headers=sent)
    assert list(again.json()) == ["accessToken", "admin", "csrfToken"]
    for one in (answer, again):
        assert jwt.get_unverified_header(one.json()["accessToken"])["alg"] == "RS256"
    assert desk.client.get(STATUS, headers=bearer(again.json()["accessToken"])).status_code == 200
    sent["cookie"] = f"{ADMIN_COOKIE}={cookie(again, ADMIN_COOKIE).value}"
    assert cookie(post(desk, "admin/logout", headers=sent), ADMIN_COOKIE)["max-age"] == "0"
    assert post(desk, "admin/refresh", headers=sent).status_code == 401


def test_a_changed_admin_password_ends_the_admins_sign_ins(postgres: Urls) -> None:
    with cloned(postgres) as database:
        with serving(environment(database.server_url)) as server:
            pair = {"username": "root", "password": ADMIN_PASSWORD}
            kept = post(server, "admin/sessions", json=pair, params=NOT_A_PAGE).json()["refreshToken"]
        changed = environment(database.server_url, ROOT_ADMIN_PASSWORD="another one entirely", PAYGRES_SIGN_UPS="off")
        with serving({**changed, "PAYGRES_PASSWORD_LENGTH": "10"}) as server:
            answer = post(server, "admin/refresh", json={"refreshToken": kept}, params=NOT_A_PAGE)
            assert answer.status_code == 401
            closed = sign_up(server, new_email())
            assert refused(closed) == (403, "AUTH_SIGNUP_DISABLED", "Sign-up is disabled")
            assert "nextActions" in closed.json()
            assert "at least 10 characters" in sign_up(server, new_email(), admin()).json()["message"]
            assert sign_up(server, new_email(), admin(), password=PASSWORD * 2).status_code == 200
            config = server.client.get("/api/auth/public-config").json()
            assert (config["disableSignup"], config["passwordMinLength"]) == (True, 10)


def test_only_somebody_may_sign_up_and_an_admin_makes_users_without_signing_them_in(desk: Server) -> None:
    assert refused(post(desk, "users", json={}))[:2] == (401, "AUTH_INVALID_CREDENTIALS")
    assert refused(sign_up(desk, new_email(), bearer("anon_wrong")))[2] == "Invalid anon key"
    assert sign_up(desk, new_email(), user()).status_code == 200
    for headers, actor in (
        (admin(), "api-key"),
        (bearer(token(sub="local:root", role="project_admin")), "local:root"),
    ):
        email = new_email()
        answer = sign_up(desk, email, headers, autoConfirm=True)
        assert list(answer.json()) == ["user", "accessToken", "requireEmailVerification"]
        assert (answer.json()["accessToken"], answer.json()["user"]["emailVerified"]) == (None, True)
        assert sql(desk, "select 1 from system.sign_ins where sub = $1", answer.json()["user"]["id"]) == []
        (record,) = sql(desk, "select actor from system.audit_log where target = $1", answer.json()["user"]["id"])
        assert record["actor"] == actor
        assert sign_in(desk, email).status_code == 200


def test_an_api_key_beside_a_user_token_still_makes_no_admin(desk: Server) -> None:
    somebody = person(desk)
    both = {**bearer(somebody.access_token), "x-api-key": API_KEY}
    assert desk.client.get(STATUS, headers=both).status_code == 403
