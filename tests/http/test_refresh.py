"""Refresh tokens: each is used once, two tabs get one answer, a thief ends the sign-in, a crash ends nothing."""

import base64
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import orjson

from paygres.server.db.embedded import Urls
from paygres.server.flows.sign_out import forget_sign_ins
from tests.flows.running_parts import parts_on
from tests.fresh_database import FreshDatabase, cloned
from tests.http.running import BODY, CHECKOUT, STATUS, Server, bearer, environment, listening_url, serving, start
from tests.http.signing_in import Person, person, refresh, refused, sql

INVALID = (401, "AUTH_UNAUTHORIZED", "Invalid or expired refresh token")
LATER = "update system.sign_ins set replaced_at = array(select t - interval '31 s' from unnest(replaced_at) t)"


def row(somebody: Person) -> dict:
    statement = "select * from system.sign_ins where sub = $1 order by created_at desc limit 1"
    return sql(somebody.server, statement, somebody.user["id"])[0]


def secret_of(text: str) -> tuple[str, str]:
    """The sign-in and the secret; between them is when the token ends, by the clock of whoever answered."""
    sign_in, _, secret = text.split(".")
    return sign_in, secret


def test_a_refresh_token_says_where_a_jwt_does_when_it_ends(server: Server) -> None:
    told = person(server).refresh_token.split(".")[1]
    (ends,) = orjson.loads(base64.urlsafe_b64decode(told + "=" * (-len(told) % 4))).values()
    assert 7 * 86400 - 60 < ends - time.time() <= 7 * 86400


def test_a_refresh_token_is_replaced_and_only_hashes_are_kept(server: Server) -> None:
    somebody = person(server)
    first = somebody.refresh_token
    answer = somebody.refresh()
    assert (answer.status_code, list(answer.json())) == (200, ["accessToken", "user", "refreshToken"])
    assert somebody.refresh_token != first
    kept = str(row(somebody))
    for secret in (first, somebody.refresh_token):
        assert secret[-64:] not in kept
        assert bytes.fromhex(secret[-64:]) not in row(somebody)["replaced_hashes"]
    assert server.client.get("/api/auth/sessions/current", headers=bearer(somebody.access_token)).status_code == 200


def test_two_tabs_that_refresh_at_once_get_the_same_next_token(server: Server) -> None:
    somebody = person(server)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: refresh(server, somebody.refresh_token), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    following = [answer.json()["refreshToken"] for answer in answers]
    assert len({secret_of(text) for text in following}) == 1
    assert len(row(somebody)["replaced_hashes"]) == 1  # rotated once, for all of them
    assert refresh(server, following.pop()).status_code == 200


def test_within_the_grace_an_older_token_leads_to_the_newest(server: Server) -> None:
    somebody = person(server)
    first = somebody.refresh_token
    for _ in range(3):
        somebody.refresh()
    assert secret_of(refresh(server, first).json()["refreshToken"]) == secret_of(somebody.refresh_token)
    assert row(somebody)["revoked_at"] is None


def test_after_the_grace_a_reused_token_ends_the_whole_sign_in_and_is_written_down(server: Server) -> None:
    somebody = person(server)
    stolen = somebody.refresh_token
    somebody.refresh()
    sql(server, LATER + " where sub = $1", somebody.user["id"])
    assert refused(refresh(server, stolen)) == INVALID
    assert refused(somebody.refresh()) == INVALID
    assert row(somebody)["revoked_because"] == "reused"
    statement = "select actor, action, details::text from system.audit_log where target = $1"
    (record,) = sql(server, statement, somebody.user["id"])
    assert (record["actor"], record["action"]) == (somebody.user["id"], "session.reuse")
    assert stolen[-64:] not in record["details"]


def test_a_made_up_token_of_no_sign_in_changes_nothing(server: Server) -> None:
    somebody = person(server)
    sid = row(somebody)["id"].hex
    assert sid not in somebody.access_token
    for made_up in (
        f"prt_{'1' * 32}.e30.{'1' * 64}",
        somebody.refresh_token[:-1],
        somebody.refresh_token.upper(),
        "x",
        "a.b.c",
    ):
        assert refresh(server, made_up).status_code == 401
    assert refused(refresh(server, f"pra_{somebody.refresh_token[4:]}"))[2] == "Invalid refresh session type"
    assert somebody.refresh().status_code == 200


def test_a_sign_in_lasts_seven_days_from_its_last_use(server: Server) -> None:
    somebody = person(server)
    sql(server, "update system.sign_ins set expires_at = now() + '1 minute' where sub = $1", somebody.user["id"])
    somebody.refresh()
    assert 6.9 < (row(somebody)["expires_at"] - row(somebody)["used_at"]).total_seconds() / 86400 <= 7.0
    sql(server, "update system.sign_ins set expires_at = now() where sub = $1", somebody.user["id"])
    assert refused(somebody.refresh()) == INVALID


def test_the_user_of_a_token_may_be_gone(server: Server) -> None:
    somebody = person(server)
    sql(server, "delete from auth.users where email = $1", somebody.email)
    assert refused(somebody.refresh()) == (401, "AUTH_UNAUTHORIZED", "User not found")
    assert row(somebody)["revoked_because"] == "user_deleted"


def test_no_token_is_taken_for_the_other_kind(server: Server) -> None:
    somebody = person(server)
    assert refused(refresh(server, somebody.access_token))[2] == "Invalid refresh token type"
    headers = bearer(somebody.refresh_token)
    for answer in (
        server.client.post(CHECKOUT, headers=headers, json=BODY),
        server.client.get(STATUS, headers=headers),
        server.client.get("/api/auth/sessions/current", headers=headers),
    ):
        assert refused(answer) == (401, "AUTH_UNAUTHORIZED", "Invalid token")


async def test_what_ended_is_deleted_by_the_worker(database: FreshDatabase) -> None:
    async with parts_on(database, "http://127.0.0.1:9") as parts:
        await parts.db.execute(
            "insert into system.sign_ins (id, kind, sub, token_hash, expires_at)"
            " select gen_random_uuid(), 'user', n::text, '', now() + make_interval(hours => n - 1200)"
            " from generate_series(1, 1300) n"
        )
        await parts.db.execute("insert into system.sign_in_counts values ('in x', now() - interval '1 s', 3)")
        assert [await forget_sign_ins(parts, 1000) for _ in range(3)] == [1001, 200, 0]
        assert await parts.db.fetchval("select count(*) from system.sign_ins") == 100


def test_a_server_killed_between_rotation_and_answer_costs_nobody_the_sign_in(postgres: Urls) -> None:
    with cloned(postgres) as database:
        env = environment(database.server_url)
        process = start(env)
        url = listening_url(process)
        with httpx2.Client(base_url=url, timeout=10) as client:
            server = Server(url, client, database.server_url, process)
            somebody = person(server)
            body = f'{{"refreshToken": "{somebody.refresh_token}"}}'
            request = (
                f"POST /api/auth/refresh?client_type=mobile HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\n\r\n{body}"
            )
            connection = socket.create_connection(("127.0.0.1", server.port))
            connection.sendall(request.encode())
            while not row(somebody)["replaced_hashes"]:  # committed; the answer is never read
                time.sleep(0.005)
            os.kill(process.pid, signal.SIGKILL)
            connection.close()
            process.communicate()
        with serving(env) as revived:
            again = refresh(revived, somebody.refresh_token)
            assert again.status_code == 200, again.text
            assert refresh(revived, again.json()["refreshToken"]).status_code == 200
