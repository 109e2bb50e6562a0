"""One shop for all tests of checkouts that do not need a server of their own."""

from collections.abc import Iterator

import pytest

from paygres.server.db.embedded import Urls
from tests.flows.checkouts import Shop, shop
from tests.fresh_database import FreshDatabase, cloned


@pytest.fixture(scope="session")
def open_shop(postgres: Urls) -> Iterator[Shop]:
    """Sandbox and server for the session; four connections, no limits. Tests tell their orders apart by name."""
    with shop(postgres, PAYGRES_POOL_SIZE="4") as opened:
        yield opened


@pytest.fixture(scope="session")
def emptied(postgres: Urls) -> Iterator[FreshDatabase]:
    """One database for tests that empty it themselves before they begin."""
    with cloned(postgres) as database:
        yield database
