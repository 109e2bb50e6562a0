"""Fixtures every test may use: real PostgreSQL, a fresh migrated database per test."""

from collections.abc import Iterator

import pytest

from paygres.server.db.embedded import Urls
from tests.fresh_database import FreshDatabase, cloned, private_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Urls]:
    """One PostgreSQL for the whole session."""
    with private_postgres() as urls:
        yield urls


@pytest.fixture
def database(postgres: Urls) -> Iterator[FreshDatabase]:
    """A migrated, empty database for one test: `owner_url`, `server_url`, `superuser_url`."""
    with cloned(postgres) as fresh:
        yield fresh
