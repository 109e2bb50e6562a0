"""A connection that PostgreSQL ends is told as 503, whenever it happens; the next request has a new one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from paygres.server.db.database import Database
from paygres.server.errors import Unavailable
from tests.fresh_database import FreshDatabase


@pytest.fixture
async def db(database: FreshDatabase) -> AsyncIterator[Database]:
    opened = await Database.connect(database.server_url, checkout_pool=2, webhook_pool=1)
    yield opened
    await opened.close()


async def _end_all(database: FreshDatabase) -> None:
    """Every connection of the server ends, as when PostgreSQL is stopped."""
    connection = await asyncpg.connect(database.superuser_url)
    try:
        ended = await connection.fetchval(
            "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        assert ended > 0
    finally:
        await connection.close()


@pytest.mark.parametrize("pause", [0.0, 0.2])  # the client has not noticed yet; it has
async def test_a_connection_lost_within_a_transaction_is_unavailable(
    db: Database, database: FreshDatabase, pause: float
) -> None:
    async def lost() -> None:
        async with db.as_service() as tx:
            await tx.fetchval("select 1")
            await _end_all(database)
            await asyncio.sleep(pause)
            await tx.fetchval("select 1")

    with pytest.raises(Unavailable):
        await lost()
    assert await db.fetchval("select 1") == 1


@pytest.mark.parametrize("pause", [0.0, 0.2])
async def test_a_connection_lost_before_commit_is_unavailable(
    db: Database, database: FreshDatabase, pause: float
) -> None:
    async def lost() -> None:
        async with db.as_service("webhook") as tx:
            await tx.fetchval("select 1")
            await _end_all(database)
            await asyncio.sleep(pause)

    with pytest.raises(Unavailable):
        await lost()
    assert await db.fetchval("select 1", pool="webhook") == 1


async def test_connections_lost_while_idle_are_unavailable_once_at_most(db: Database, database: FreshDatabase) -> None:
    await asyncio.gather(*(db.fetchval("select pg_sleep(0.05)") for _ in range(2)))
    await _end_all(database)
    answers = await asyncio.gather(*(db.fetchval("select 1") for _ in range(6)), return_exceptions=True)
    assert {type(answer) for answer in answers} <= {int, Unavailable}
    assert await db.fetchval("select 1") == 1


@contextlib.asynccontextmanager
async def _never_hanging_up(url: str) -> AsyncIterator[str]:
    """The same database behind a proxy that passes everything on but the end of a connection."""
    parts = urlsplit(url)
    open_ends: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_connection(parts.hostname, parts.port)
        open_ends.extend((writer, downstream))
        await asyncio.gather(pump(reader, downstream), pump(upstream, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}"))
    finally:
        server.close()
        for one in open_ends:
            one.close()


async def test_a_connection_that_is_told_of_its_end_but_not_closed_is_unavailable_once(database: FreshDatabase) -> None:
    async with _never_hanging_up(database.server_url) as url:
        db = await Database.connect(url, checkout_pool=1, webhook_pool=1)
        try:
            await _end_all(database)
            await asyncio.sleep(0.1)
            with pytest.raises(Unavailable):
                await db.fetchval("select 1")
            assert await db.fetchval("select 1") == 1
        finally:
            with contextlib.suppress(TimeoutError):  # the other pool's connection has not noticed anything
                await asyncio.wait_for(db.close(), 1)


async def test_a_mistake_of_ours_is_not_told_as_unavailable(db: Database) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await db.fetchval("select * from no_such_table")
