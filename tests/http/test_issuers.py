"""Tokens of other issuers: whose key, which algorithm, whose subject; never an admin, and never a busy issuer."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from paygres.server.auth.issuer_keys import IssuerKeys
from paygres.server.db.embedded import Urls
from paygres.server.errors import Upstream
from paygres.server.jwt_issuers import Issuer
from paygres.server.stripe_gateway.fetch_document import fetch_document
from tests.fresh_database import cloned
from tests.http.issuing import EC_KEY, ED_KEY, RSA_KEY, Issuing, issuing, public_jwk
from tests.http.running import JWT_SECRET, STATUS, Server, bearer, environment, serving, token
from tests.http.signing_in import refused

INVALID = (401, "AUTH_UNAUTHORIZED", "Invalid token")
KEYS = (
    public_jwk(RSA_KEY, "one"),
    public_jwk(EC_KEY, "two"),
    public_jwk(ED_KEY, "three"),
    public_jwk(RSA_KEY, "for encryption", use="enc"),
    public_jwk(RSA_KEY, "another algorithm", alg="RS512"),
    {"kty": "oct", "kid": "secret", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"},
)


@pytest.fixture(scope="module")
def login() -> Iterator[Issuing]:
    with issuing(*KEYS) as made:
        yield made


@pytest.fixture(scope="module")
def trusting(postgres: Urls, login: Issuing) -> Iterator[Server]:
    setting = login.setting(audience=["shop", "other"])
    with cloned(postgres) as database:
        env = environment(
            database.server_url, PAYGRES_JWT_ISSUERS=setting, STRIPE_TEST_SECRET_KEY="sk_test_51aB" + "c" * 30
        )
        with serving(env) as server:
            yield server


def who(server: Server, credential: str) -> tuple[int, str]:
    """Status and message of a route that wants a user of ours."""
    answer = server.client.get("/api/auth/sessions/current", headers=bearer(credential))
    return answer.status_code, answer.json()["message"]


def test_a_token_of_a_configured_issuer_is_a_user_with_a_subject_of_its_own(trusting: Server, login: Issuing) -> None:
    for key, kid, algorithm in ((RSA_KEY, "one", "RS256"), (EC_KEY, "two", "ES256")):
        credential = login.token(key, kid, algorithm, aud="shop")
        assert who(trusting, credential) == (401, "User not found")  # it holds, and is nobody of ours
        statuses = {
            subject: trusting.client.get(f"/api/paygres/test/subjects/user/{subject}", headers=bearer(credential))
            for subject in ("login:user_1", "user_1", "other:user_1")
        }
        assert {subject: answer.status_code == 403 for subject, answer in statuses.items()} == {
            "login:user_1": False,
            "user_1": True,
            "other:user_1": True,
        }, [answer.text for answer in statuses.values()]


def test_nobody_else_makes_our_admins(trusting: Server, login: Issuing) -> None:
    for role in ("project_admin", "service_role", 7, None):
        credential = login.token(aud="shop", role=role)
        assert refused(trusting.client.get(STATUS, headers=bearer(credential)))[:2] == (403, "AUTH_UNAUTHORIZED")
        assert who(trusting, credential) == (401, "User not found")
    assert who(trusting, login.token(aud="shop", role="anon")) == (401, "User not authenticated")


def test_what_does_not_hold_is_refused(trusting: Server, login: Issuing) -> None:
    tokens = {
        "no audience": login.token(),
        "another audience": login.token(aud="elsewhere"),
        "another issuer": login.token(aud="shop", iss="https://evil.example.com/"),
        "no issuer": login.token(aud="shop", iss=None),
        "issuer without its slash": login.token(aud="shop", iss=login.issuer.rstrip("/")),
        "expired": login.token(aud="shop", exp=int(time.time()) - 60),
        "without an end": login.token(aud="shop", exp=None),
        "not yet": login.token(aud="shop", nbf=int(time.time()) + 600),
        "unknown kid": login.token(kid="four", aud="shop"),
        "no kid": login.token(kid=None, aud="shop"),
        "another key's kid": login.token(EC_KEY, "one", "ES256", aud="shop"),
        "another algorithm of the key": login.token(RSA_KEY, "one", "PS256", aud="shop"),
        "an algorithm that is not allowed": login.token(ED_KEY, "three", "EdDSA", aud="shop"),
        "a key for encryption": login.token(RSA_KEY, "for encryption", aud="shop"),
        "a key of a forbidden algorithm": login.token(RSA_KEY, "another algorithm", "RS512", aud="shop"),
        "a secret in the document": login.token("secret-secret-secret-secret-secret", "secret", "HS256", aud="shop"),
        "our own secret in their name": login.token(JWT_SECRET, None, "HS256", aud="shop"),
        "a refresh token": login.token(aud="shop", type="refresh"),
        "no signature": login.token(aud="shop").rpartition(".")[0] + ".",
    }
    for name, credential in tokens.items():
        answer = trusting.client.get(STATUS, headers=bearer(credential))
        assert refused(answer) == INVALID, name
    without_sub = trusting.client.get(STATUS, headers=bearer(login.token(aud="shop", sub=None)))
    assert refused(without_sub)[2] == "Invalid token subject"
    assert trusting.client.get(STATUS, headers=bearer(token(sub="local:root", role="project_admin"))).status_code == 200


def test_the_issuer_was_asked_once_for_all_of_that(trusting: Server, login: Issuing) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: who(trusting, login.token(kid=f"unknown {n}", aud="shop")), range(40)))
    assert login.asked == 1


@pytest.fixture
def small() -> Iterator[Issuing]:
    with issuing(KEYS[0]) as made:
        yield made


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_keys_are_fetched_once_a_minute_at_most_and_kept_while_the_issuer_is_away(small: Issuing) -> None:
    clock = Clock()

    async def scenario() -> None:
        issuer = Issuer("login", small.issuer, jwks_url=f"{small.url}/keys")
        keys = IssuerKeys(issuer, fetch_document, clock=clock)
        found = await asyncio.gather(*(keys.find("one") for _ in range(20)), keys.find("two"))
        assert [one is not None for one in found] == [*[True] * 20, False]
        assert small.asked == 1
        small.keys = [public_jwk(EC_KEY, "two")]
        assert await keys.find("two") is None
        clock.now += 61
        assert await keys.find("two") is not None
        assert await keys.find("one") is None  # withdrawn
        assert small.asked == 2
        small.status = 500
        clock.now += 3600
        assert await keys.find("two") is not None  # at once; the question runs meanwhile
        await asyncio.sleep(0.2)
        assert small.asked == 3
        assert await keys.find("two") is not None
        clock.now += 86_400
        assert await keys.find("two") is None  # a day without a word: not believed any more
        small.status = 200
        clock.now += 61
        assert await keys.find("two") is not None

    asyncio.run(scenario())


def test_a_document_must_be_small_and_come_from_where_it_was_sought(small: Issuing) -> None:
    async def reason(url: str) -> str:
        with pytest.raises(Upstream) as refusal:
            await fetch_document(url)
        return refusal.value.message

    small.padding = 300_000
    assert "larger than 262144 bytes" in asyncio.run(reason(f"{small.url}/keys"))
    small.padding, small.status = 0, 302
    assert asyncio.run(reason(f"{small.url}/keys")) == "it answers 302"
    assert small.asked == 2
    assert "cannot be reached" in asyncio.run(reason("http://127.0.0.1:9/keys"))


def test_a_slow_issuer_holds_up_nobody_else(postgres: Urls) -> None:
    with issuing(KEYS[0]) as slow, cloned(postgres) as database:
        slow.pause = 2.0
        env = environment(database.server_url, PAYGRES_JWT_ISSUERS=slow.setting(), PAYGRES_POOL_SIZE="2")
        with serving(env) as server, ThreadPoolExecutor(6) as threads:
            waiting = [threads.submit(who, server, slow.token(sub=f"user_{n}")) for n in range(6)]
            time.sleep(0.3)
            began = time.monotonic()
            assert server.client.get(STATUS, headers=bearer(token(sub="a", role="project_admin"))).status_code == 200
            assert time.monotonic() - began < 1.5
            assert {future.result() for future in waiting} == {(401, "User not found")}
            assert slow.asked == 1
