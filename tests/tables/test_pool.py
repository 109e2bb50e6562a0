"""How long a request waits for a connection, whatever the others are doing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from paygres.server.db import database as module
from paygres.server.db.database import Database
from paygres.server.errors import Unavailable
from tests.flows.listening import until
from tests.fresh_database import FreshDatabase

_OURS = "from pg_stat_activity where datname = current_database() and application_name = 'paygres checkout'"
ONLY_ONE = f"select count(*) = 1 {_OURS}"
ENDED = f"select pg_terminate_backend(pid, 5000) {_OURS}"


@contextlib.asynccontextmanager
async def _stalling(url: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The same database behind a proxy that passes nothing on while the event is not set."""
    parts = urlsplit(url)
    flowing = asyncio.Event()
    flowing.set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await flowing.wait()
                writer.write(data)
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(pump(reader, downstream), pump(upstream, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}")), flowing
    finally:
        flowing.set()
        server.close()


async def test_a_connection_that_is_still_being_given_back_is_not_waited_for_without_end(
    database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ACQUIRE_SECONDS", 0.3)
    async with _stalling(database.server_url) as (url, flowing):
        db = await Database.connect(url, checkout_pool=1, webhook_pool=1)
        try:
            first = asyncio.create_task(db.fetchval("select pg_sleep(1)"))
            await asyncio.sleep(0.1)
            flowing.clear()
            first.cancel()  # asyncpg asks PostgreSQL to cancel the statement, and does not hear of it
            await asyncio.sleep(0.1)
            assert not first.done()
            assert db.in_use()["checkout"] == 1
            with pytest.raises(Unavailable):
                await asyncio.wait_for(db.fetchval("select 1"), 2)
            flowing.set()
            with contextlib.suppress(asyncio.CancelledError):
                await first
            assert await db.fetchval("select 1") == 1
            assert db.in_use()["checkout"] == 0
        finally:
            flowing.set()
            await asyncio.wait_for(db.close(), 5)


async def test_a_request_whose_connection_breaks_while_it_is_cancelled_ends_as_cancelled(
    database: FreshDatabase,
) -> None:
    async with _stalling(database.server_url) as (url, flowing):
        db = await Database.connect(url, checkout_pool=1, webhook_pool=1)
        try:

            async def asking() -> None:
                async with db.as_service() as tx:
                    await tx.fetchval("select pg_sleep(5)")

            asked = asyncio.create_task(asking())
            await asyncio.sleep(0.1)
            flowing.clear()
            asked.cancel()  # waits for PostgreSQL to cancel the statement, and to roll back
            await asyncio.sleep(0.1)
            await _as_superuser(database, ENDED)
            flowing.set()
            with pytest.raises(asyncio.CancelledError):
                await asked
            assert await db.fetchval("select 1") == 1
        finally:
            flowing.set()
            await asyncio.wait_for(db.close(), 5)


async def test_connections_that_nobody_needs_any_more_are_closed(
    database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEEP_SECONDS", 0.2)
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.2)
    db = await Database.connect(database.server_url, checkout_pool=5, webhook_pool=1)
    try:
        await asyncio.gather(*(db.fetchval("select pg_sleep(0.1)") for _ in range(5)))
        await until(lambda: _as_superuser(database, ONLY_ONE))  # asyncpg keeps one
    finally:
        await asyncio.wait_for(db.close(), 5)


async def _as_superuser(database: FreshDatabase, statement: str) -> Any:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
