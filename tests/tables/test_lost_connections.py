"""A connection that PostgreSQL ends is told as 503, whenever it happens; the next request has a new one."""

import asyncio
from collections.abc import AsyncIterator

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


async def test_a_mistake_of_ours_is_not_told_as_unavailable(db: Database) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await db.fetchval("select * from no_such_table")
