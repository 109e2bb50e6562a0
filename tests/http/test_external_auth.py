"""PAYGRES_AUTH=external: users sign in at a platform, whose schema auth is left as it is."""

import asyncpg
import pytest

from paygres.server.db.embedded import Urls
from paygres.server.db.migrate import MigrationError, is_current, migrate
from tests.fresh_database import cloned, in_its_own_loop
from tests.http.issuing import RSA_KEY, issuing, public_jwk
from tests.http.running import ADMIN_PASSWORD, ANON_KEY, STATUS, USER, admin, bearer, environment, serving
from tests.http.signing_in import NOT_A_PAGE, post, sign_in, sign_up

# What such platforms have, owned by a role that is not the developer's.
PLATFORM = """
create schema auth;
grant usage on schema auth to public;
create function auth.jwt() returns jsonb language sql stable as
    $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;
create function auth.uid() returns uuid language sql stable as $$ select (auth.jwt() ->> 'sub')::uuid $$;
create table auth.users (id uuid primary key, email text, encrypted_password text);
create table auth.sessions (id uuid primary key);
"""


async def run(url: str, script: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


async def current(url: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        return await is_current(connection)
    finally:
        await connection.close()


async def of_auth(url: str) -> list[str]:
    """Everything in schema auth, with its owners, privileges and bodies."""
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetch(
            "select row_to_json(x)::text from (select nspowner, nspacl from pg_namespace where nspname = 'auth') x"
            " union all select row_to_json(x)::text from (select relname, relowner, relacl, relrowsecurity, relchecks"
            " from pg_class where relnamespace = 'auth'::regnamespace) x"
            " union all select row_to_json(x)::text from (select proname, proowner, proacl, prosrc from pg_proc"
            " where pronamespace = 'auth'::regnamespace) x order by 1"
        )
        return [row[0] for row in found]
    finally:
        await connection.close()


def test_a_platforms_schema_stays_as_it_is_and_its_tokens_pay(postgres: Urls) -> None:
    with cloned(postgres, template="template0") as database, issuing(public_jwk(RSA_KEY, "one")) as login:
        in_its_own_loop(run(database.superuser_url, PLATFORM))
        before = in_its_own_loop(of_auth(database.superuser_url))
        with pytest.raises(MigrationError, match=r"auth\.users is a platform's, not ours; set PAYGRES_AUTH=external"):
            in_its_own_loop(migrate(database.owner_url, server_role="paygres_server"))
        in_its_own_loop(migrate(database.owner_url, server_role="paygres_server", auth="external"))
        assert in_its_own_loop(of_auth(database.superuser_url)) == before
        setting = login.setting(scoped=False)
        env = environment(database.server_url, PAYGRES_AUTH="external", PAYGRES_JWT_ISSUERS=setting)
        with serving(env) as server:
            for answer in (
                sign_up(server, "a@shop.example"),
                sign_in(server, "a@shop.example"),
                post(server, "refresh"),
                post(server, "logout"),
                server.client.get("/api/auth/sessions/current", headers=bearer(ANON_KEY)),
                server.client.delete(f"/api/paygres/users/{USER}/sessions", headers=admin()),
            ):
                assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")
                assert "your own platform" in answer.json()["nextActions"]
            assert server.client.get("/api/auth/public-config").json()["disableSignup"] is True
            theirs = bearer(login.token(sub=USER))
            assert server.client.get(f"/api/paygres/test/subjects/user/{USER}", headers=theirs).status_code == 200
            assert server.client.get(f"/api/paygres/test/subjects/user/{USER[:-1]}2", headers=theirs).status_code == 403
            pair = {"username": "root", "password": ADMIN_PASSWORD}
            admins = post(server, "admin/sessions", json=pair, params=NOT_A_PAGE).json()
            again = post(server, "admin/refresh", json={"refreshToken": admins["refreshToken"]}, params=NOT_A_PAGE)
            assert server.client.get(STATUS, headers=bearer(again.json()["accessToken"])).status_code == 200


def test_without_a_platform_external_says_what_is_missing(postgres: Urls) -> None:
    missing = r"there is no function auth\.jwt\(\) of a platform"
    with cloned(postgres, template="template0") as database, pytest.raises(MigrationError, match=missing):
        in_its_own_loop(migrate(database.owner_url, server_role="paygres_server", auth="external"))


def test_users_of_our_own_are_made_when_the_platform_has_gone(postgres: Urls) -> None:
    functions = PLATFORM.partition("create table")[0].replace("auth;", "auth authorization paygres_owner;", 1)
    handed_over = "alter function auth.jwt() owner to paygres_owner; alter function auth.uid() owner to paygres_owner"
    with cloned(postgres, template="template0") as database:
        in_its_own_loop(run(database.superuser_url, functions))
        in_its_own_loop(migrate(database.owner_url, server_role="paygres_server", auth="external"))
        in_its_own_loop(run(database.superuser_url, handed_over))
        applied = in_its_own_loop(migrate(database.owner_url, server_role="paygres_server"))
        assert applied == ["0002_auth.sql", "functions/19_users.sql"]
        assert in_its_own_loop(current(database.owner_url))
        assert in_its_own_loop(migrate(database.owner_url, server_role="paygres_server")) == []
