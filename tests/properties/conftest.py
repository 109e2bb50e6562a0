"""One mirror for all tests of a module: they play many histories into it, and it is emptied before each."""

from collections.abc import Iterator

import pytest

from paygres.server.db.embedded import Urls
from tests.fresh_database import cloned
from tests.playing import Mirror


@pytest.fixture(scope="module")
def mirror(postgres: Urls) -> Iterator[Mirror]:
    """A migrated database that keeps its connections from one history to the next."""
    with cloned(postgres) as fresh:
        played = Mirror(fresh)
        try:
            yield played
        finally:
            played.close()
