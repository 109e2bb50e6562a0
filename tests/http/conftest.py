"""One server process, on a database of its own, for all tests of the HTTP shell."""

from collections.abc import Iterator

import pytest

from paygres.server.db.embedded import Urls
from tests.fresh_database import cloned
from tests.http.running import Server, environment, serving


@pytest.fixture(scope="session")
def server(postgres: Urls) -> Iterator[Server]:
    """The API with every kind of credential, and no Stripe behind it."""
    with cloned(postgres) as fresh, serving(environment(fresh.server_url)) as running:
        yield running
