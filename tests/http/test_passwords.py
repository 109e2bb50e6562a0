"""Passwords: slow hashes, old kinds replaced, crowds told to come again, and no secret anywhere it could be read."""

import re
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import bcrypt
import httpx2
from argon2 import PasswordHasher

from paygres.server.auth.passwords import Passwords, Verdict
from paygres.server.auth.refresh_tokens import RefreshTokens
from paygres.server.auth.signing_key import new_private_key, signing_key
from paygres.server.db.embedded import Urls
from paygres.server.flows.begin_sign_in import SignedIn
from paygres.server.flows.requests.sign_in import RefreshRequest, SignInRequest, SignUpRequest
from paygres.server.http.logs import black_out
from paygres.server.tables.users import User
from tests.fresh_database import cloned
from tests.http.running import ADMIN_PASSWORD, Server, bearer, environment, listening_url, start
from tests.http.signing_in import NOT_A_PAGE, PASSWORD, new_email, person, post, refresh, sign_in, sign_up, sql

CANARY = "canary-in-the-password-7f3a"


def stored(server: Server, email: str) -> str:
    return sql(server, "select password from auth.users where email = $1", email)[0]["password"]


def test_a_password_is_kept_as_argon2id(server: Server) -> None:
    somebody, other = person(server), person(server)
    assert re.match(r"\$argon2id\$v=19\$m=24576,t=3,p=1\$", stored(server, somebody.email))
    assert stored(server, somebody.email) != stored(server, other.email)


def test_a_hash_of_the_reference_is_accepted_once_and_replaced(server: Server) -> None:
    for prefix in (b"2a", b"2b"):
        email, password = new_email(), "päss" + "x" * 80  # bcrypt looks at 72 bytes
        old = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4, prefix=prefix)).decode()
        sql(server, "insert into auth.users (email, password) values ($1, $2)", email, old)
        assert sign_in(server, email, "päss" + "y" * 80).status_code == 401
        assert stored(server, email) == old
        assert sign_in(server, email, password).status_code == 200
        assert stored(server, email).startswith("$argon2id$")
        assert sign_in(server, email, password).status_code == 200
        assert sign_in(server, email, password + "z").status_code == 401


def test_a_weaker_argon2id_hash_is_replaced_too_and_what_is_no_hash_never_matches(server: Server) -> None:
    email = new_email()
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    sql(server, "insert into auth.users (email, password) values ($1, $2)", email, weak)
    assert sign_in(server, email).status_code == 200
    assert "m=24576" in stored(server, email)
    for nonsense in ("", PASSWORD, "$2b$31$" + "x" * 53, "$argon2id$v=19$m=1$x", None):
        sql(server, "update auth.users set password = $2 where email = $1", email, nonsense)
        assert sign_in(server, email).status_code == 401


def test_an_unknown_account_costs_as_much_time_as_a_known_one(server: Server) -> None:
    email = person(server).email

    def seconds(address: str) -> float:
        began = time.perf_counter()
        assert sign_in(server, address, "wrong password").status_code == 401
        return time.perf_counter() - began

    pairs = [(seconds(email), seconds(new_email())) for _ in range(12)]
    known, unknown = (statistics.median(column) for column in zip(*pairs, strict=True))
    assert 0.5 < unknown / known < 2.0, (known, unknown)
    assert unknown > 0.02


def test_a_crowd_waits_briefly_and_then_is_told_to_come_again(server: Server) -> None:
    email = person(server).email
    with ThreadPoolExecutor(60) as threads:
        answers = list(threads.map(lambda _: sign_in(server, email), range(60)))
    told = [answer for answer in answers if answer.status_code == 503]
    assert {answer.status_code for answer in answers} == {200, 503}
    assert {(answer.json()["error"], answer.headers["retry-after"]) for answer in told} == {
        ("SERVICE_UNAVAILABLE", "1")
    }
    assert len(told) < 50
    assert sign_in(server, email).status_code == 200


def test_no_secret_is_in_a_log_an_error_or_a_row(postgres: Urls) -> None:
    with cloned(postgres) as database:
        process = start(environment(database.server_url, PAYGRES_LOG_LEVEL="debug"))
        url = listening_url(process)
        with httpx2.Client(base_url=url, timeout=20) as client:
            server = Server(url, client, database.server_url, process)
            email = new_email()
            made = sign_up(server, email, password=CANARY).json()
            admins = post(server, "admin/sessions", json={"username": "root", "password": ADMIN_PASSWORD}).json()
            secrets = [CANARY, CANARY.upper(), ADMIN_PASSWORD, made["refreshToken"], made["refreshToken"][-64:]]
            secrets += [made["accessToken"], admins["accessToken"], admins["csrfToken"]]
            sql(server, "update system.sign_ins set token_hash = ''")  # so that the token looks stolen
            answers = [
                sign_up(server, email, password=CANARY),
                sign_up(server, "no address", password=CANARY),
                sign_up(server, new_email(), password=CANARY * 60),
                sign_in(server, email, CANARY.upper()),
                post(server, "sessions", json={"email": email, "password": [CANARY]}),
                refresh(server, made["refreshToken"]),
                client.get("/api/auth/sessions/current", headers=bearer(made["refreshToken"])),
                post(server, "admin/sessions", json={"username": "root", "password": CANARY}),
            ]
            assert all(answer.status_code >= 400 for answer in answers), [answer.status_code for answer in answers]
            rows = sql(server, "select row_to_json(a)::text as line from system.audit_log a")
            rows += sql(server, "select row_to_json(s)::text as line from system.sign_ins s")
            rows += sql(server, "select row_to_json(c)::text as line from system.sign_in_counts c")
        process.terminate()
        log, errors = process.communicate(timeout=25)
        assert "refresh_token_reused" in log
        for text in (log, errors, str(rows), *(answer.text for answer in answers)):
            assert not any(secret in text for secret in secrets), text
            assert email not in log


def test_reprs_and_logs_hide_what_they_hold() -> None:
    tokens = RefreshTokens("a secret of thirty-two letters and more")
    token = tokens.first("user")
    key = signing_key(new_private_key())
    shown = [
        token,
        key,
        Verdict(True, CANARY),
        SignedIn({}, CANARY, token, CANARY),
        User("1", "a@b.example", False, "", "", True, None, None, CANARY),
        SignUpRequest(email="a@b.example", password=CANARY),
        SignInRequest(email="a@b.example", password=CANARY),
        RefreshRequest(refresh_token=CANARY),
        Passwords(),
        tokens,
    ]
    text = "".join(map(repr, shown))
    assert CANARY not in text
    assert token.secret.hex() not in text
    assert "PRIVATE KEY" not in text
    event = {"event": f"{token.text} $argon2id$v=19$m=24576,t=3,p=1$c29tZXNhbHQ$aGFzaGVkcGFzc3dvcmQ"}
    logged = str(black_out(None, "info", event))
    assert token.secret.hex() not in logged
    assert "argon2" not in logged


def test_a_client_that_sends_both_spellings_is_believed_the_newer(server: Server) -> None:
    somebody = person(server)
    body = {"refreshToken": somebody.refresh_token, "refresh_token": "prt_old"}
    assert post(server, "refresh", json=body, params=NOT_A_PAGE).status_code == 200
