"""One running installation for all tests that only look at it."""

from collections.abc import Iterator

import pytest

from tests.system.processes import private_folder
from tests.system.running_dev import Dev


@pytest.fixture(scope="session")
def dev() -> Iterator[Dev]:
    """A cold `paygres dev --json`, with its sample purchase."""
    with private_folder() as folder, Dev(folder) as running:
        yield running
