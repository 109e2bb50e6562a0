"""One migrated database for all tests that read it or roll back what they write."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from paygres.server.db.embedded import Urls
from tests.fresh_database import FreshDatabase, cloned


@pytest.fixture(scope="session")
def shared_database(postgres: Urls) -> Iterator[FreshDatabase]:
    """A migrated database that every test leaves as it was."""
    with cloned(postgres) as fresh:
        yield fresh


@pytest.fixture
async def transaction(shared_database: FreshDatabase) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's transaction that is rolled back at the end; tests take on weaker roles inside it."""
    connection = await asyncpg.connect(shared_database.superuser_url)
    try:
        begun = connection.transaction()
        await begun.start()
        yield connection
        await begun.rollback()
    finally:
        await connection.close()
