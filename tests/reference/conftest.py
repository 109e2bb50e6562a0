"""One server for each starting state, and the history that webhooks, lists and syncs are one after another."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx2
import pytest

from paygres.server.db.embedded import Urls
from tests.reference.records import RECORDS, Record
from tests.reference.starts import CLOSED, OPEN, Start, connected, long_connected, nothing_configured

CHAIN = [number for number in RECORDS if number[0] in "JKL"]
# Lists that Stripe fails to give while the record is played.
FAILING = {"L05": "/v1/products", "L07": "/v1/customers", "L08": "/v1/subscriptions"}


@pytest.fixture(scope="package")
def unconfigured(postgres: Urls) -> Iterator[Start]:
    with nothing_configured(postgres) as start:
        yield start


@pytest.fixture(scope="package")
def opened(postgres: Urls) -> Iterator[Start]:
    with connected(postgres, OPEN) as start:
        yield start


@pytest.fixture(scope="package")
def closed(postgres: Urls) -> Iterator[Start]:
    with connected(postgres, CLOSED) as start:
        yield start


@dataclass
class Chain:
    """Sections J, K and L: one history, in which each record begins where the one before it ended."""

    start: Start
    answers: dict[str, httpx2.Response] = field(default_factory=dict[str, httpx2.Response])

    def replay(self, record: Record) -> httpx2.Response:
        for number in CHAIN[len(self.answers) : CHAIN.index(record.number) + 1]:
            self.answers[number] = self._play(number)
        return self.answers[record.number]

    def _play(self, number: str) -> httpx2.Response:
        assert self.start.shop is not None
        failing = [{"status": 500, "count": 100, "path": FAILING[number]}] if number in FAILING else []
        self.start.shop.sim("faults", answers=failing)
        return self.start.replay(RECORDS[number])


@pytest.fixture(scope="package")
def chain(postgres: Urls) -> Iterator[Chain]:
    with long_connected(postgres) as start:
        yield Chain(start)
