"""How long a request waits for a connection, whatever the others are doing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from paygres.server.db import database as module
from paygres.server.db.database import Database
from paygres.server.errors import Unavailable
from tests.fresh_database import FreshDatabase


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
