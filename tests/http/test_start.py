"""Starting and stopping real processes: exit codes, one sentence each, no traceback, no secret."""

import asyncio
import contextlib
import json
import signal
import socket
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from paygres.server.db.embedded import Urls
from tests.fresh_database import FreshDatabase, cloned, in_its_own_loop
from tests.http.running import (
    ADMIN_PASSWORD,
    ANON_KEY,
    API_KEY,
    JWT_SECRET,
    STATUS,
    bearer,
    environment,
    listening_url,
    serving,
    start,
)

NOWHERE = "postgresql://nobody@127.0.0.1:9/none"
SECRETS = (JWT_SECRET, API_KEY, ADMIN_PASSWORD)


def end_of(env: dict[str, str], *arguments: str) -> tuple[int, str]:
    process = start(env, *arguments)
    _, errors = process.communicate(timeout=20)
    return process.returncode, errors


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({"JWT_SECRET": "changeme"}, 64, "JWT_SECRET is a placeholder"),
        ({"PAYGRES_POOLSIZE": "3"}, 64, "did you mean PAYGRES_POOL_SIZE?"),
        ({}, 12, "PostgreSQL at DATABASE_URL cannot be reached"),
    ],
)
def test_a_server_that_cannot_start_says_why_in_one_line(changes, code: int, sentence: str) -> None:
    ended, errors = end_of(environment(NOWHERE, **changes))
    assert (ended, errors.count("\n")) == (code, 1)
    assert sentence in errors
    assert not any(secret in errors for secret in SECRETS)


@pytest.mark.parametrize("arguments", [("serve", "--prot", "1"), ("dance",), ("serve", "--port", "x")])
def test_wrong_arguments_are_exit_64(arguments: tuple[str, ...]) -> None:
    ended, errors = end_of(environment(NOWHERE), *arguments)
    assert ended == 64
    assert "Traceback" not in errors


def test_a_busy_port_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended, errors = end_of(environment(NOWHERE), "serve", "--port", port)
    assert (ended, errors.count("\n")) == (12, 1)
    assert f"Cannot listen on 127.0.0.1:{port}" in errors


def test_a_database_without_schema_names_the_command(postgres: Urls) -> None:
    with cloned(postgres, template="template0") as empty:
        for arguments in ((), ("worker",)):
            ended, errors = end_of(environment(empty.server_url), *arguments)
            assert (ended, errors.count("\n")) == (12, 1)
            assert "paygres db migrate" in errors


@pytest.mark.parametrize("arguments", [(), ("worker",)], ids=["server", "worker"])
async def test_a_database_that_goes_away_while_a_program_starts_is_told_in_one_line(
    database: FreshDatabase, arguments: tuple[str, ...]
) -> None:
    """Every connection breaks at the first statement about keys, which comes after the schema was looked at."""
    parts = urlsplit(database.server_url)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, asks = await asyncio.open_connection(parts.hostname, parts.port)

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while (told := await source.read(65536)) and b"api_keys" not in told:
                    target.write(told)
            target.close()

        await asyncio.gather(pump(reader, asks), pump(answers, writer))

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        through = urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}"))
        ended, errors = await asyncio.to_thread(end_of, environment(through), *arguments)
    assert (ended, errors) == (12, "The database connection was lost; try again shortly\n")


def test_migrate_brings_an_empty_database_to_the_schema(postgres: Urls) -> None:
    with cloned(postgres, template="template0") as empty:
        env = environment(empty.owner_url, PAYGRES_SERVER_ROLE="paygres_server")
        assert end_of(env, "migrate")[0] == 0
        with serving(environment(empty.server_url)) as server:
            assert server.client.get("/readyz").status_code == 200


def test_a_caller_role_above_row_security_is_refused(postgres: Urls, database: FreshDatabase) -> None:
    in_its_own_loop(_execute(postgres.superuser, "alter role authenticated bypassrls"))
    try:
        ended, errors = end_of(environment(database.server_url))
    finally:
        in_its_own_loop(_execute(postgres.superuser, "alter role authenticated nobypassrls"))
    assert (ended, errors.count("\n")) == (12, 1)
    assert "Role authenticated is not bound by row-level security" in errors


def test_a_silent_stripe_does_not_keep_the_server_from_answering(database: FreshDatabase) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        base = f"http://127.0.0.1:{silent.getsockname()[1]}"
        key = {"STRIPE_TEST_SECRET_KEY": "sk_test_1a2b3c4d5e6f", "STRIPE_API_BASE": base}
        with serving(environment(database.server_url, **key)) as server:
            silent.settimeout(10)
            connection, _ = silent.accept()  # the key is being tried
            assert server.client.get("/api/health").status_code == 200
            assert server.client.get("/readyz").status_code == 200
            connection.close()


async def test_nobody_could_administer_means_no_start(database: FreshDatabase) -> None:
    closed = {"ACCESS_API_KEY": "", "ROOT_ADMIN_PASSWORD": ""}
    ended, errors = end_of(environment(database.server_url, **closed))
    assert (ended, errors.count("\n")) == (64, 1)
    assert "set ACCESS_API_KEY" in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_server_exits_0_and_has_written_only_json(database: FreshDatabase, number: int) -> None:
    process = start(environment(database.server_url))
    listening_url(process)
    process.send_signal(number)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert all(json.loads(line) for line in output.splitlines())


def test_a_stopped_worker_exits_0(database: FreshDatabase) -> None:
    process = start(environment(database.server_url), "worker")
    with pytest.raises(Exception, match="timed out"):
        process.communicate(timeout=2)
    process.send_signal(signal.SIGTERM)
    assert (process.communicate(timeout=20)[1], process.returncode) == ("", 0)


async def test_keys_of_the_environment_are_stored_once_and_rotate(database: FreshDatabase) -> None:
    new_key = "ik_" + "c0ffee" * 8
    for key in (API_KEY, API_KEY, new_key):
        with serving(environment(database.server_url, ACCESS_API_KEY=key)) as server:
            assert server.client.get(STATUS, headers=bearer(API_KEY)).status_code == 200
            assert server.client.get(STATUS, headers=bearer(key)).status_code == 200
    rows = await _api_keys(database)
    assert [(row["kind"], row["value"], row["expires_at"] is None) for row in rows] == [
        ("anon", ANON_KEY, True),
        ("api", None, False),
        ("api", None, True),
    ]
    assert all(API_KEY not in str(row) and new_key not in str(row) for row in rows)


async def test_an_anon_key_is_made_when_none_is_given(database: FreshDatabase) -> None:
    with serving(environment(database.server_url, ACCESS_ANON_KEY="")) as server:
        key = server.client.get("/api/metadata/anon-key", headers=bearer(API_KEY)).json()["anonKey"]
    assert len(key) == len("anon_") + 64
    assert [row["value"] for row in await _api_keys(database)] == [key, None]


async def _api_keys(database: FreshDatabase) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database.owner_url)
    try:
        return await connection.fetch(
            "select kind, hash, value, expires_at from system.api_keys order by kind, created_at"
        )
    finally:
        await connection.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
