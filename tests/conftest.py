"""Fixtures every test may use: real PostgreSQL, a fresh migrated database per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from paygres.server.db.embedded import Urls
from tests.fresh_database import FreshDatabase, cloned, private_postgres

HERE = Path(__file__).parent
# Files go whole to the next free worker. Quick ones come last, so that no worker is left alone with a long one.
QUICK = ("client", "projections", "tables", "test_docs.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: HERE in item.path.parents and item.path.relative_to(HERE).parts[0] in QUICK)


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
