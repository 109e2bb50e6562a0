"""Every recorded exchange with the reference is answered alike, or differs in exactly what is listed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx2
import pytest

from paygres.server.db.embedded import Urls
from tests.reference.comparison import differences
from tests.reference.differences import NOT_YET, ON_PURPOSE
from tests.reference.records import Record, load
from tests.reference.starts import CLOSED, OPEN, Start, connected, long_connected, nothing_configured

RECORDS = {record.number: record for record in load()}
PLAYED = [number for number in RECORDS if number not in NOT_YET]
CHAIN = [number for number in RECORDS if number[0] in "JKL"]
# A record that needs another before it: an idempotency key that was used.
BEFORE = {"E03": ("E02",), "E04": ("E02",), "F03": ("F02",)}
# Lists that Stripe fails to give while the record is played.
FAILING = {"L05": "/v1/products", "L07": "/v1/customers", "L08": "/v1/subscriptions"}


@pytest.fixture(scope="module")
def unconfigured(postgres: Urls) -> Iterator[Start]:
    with nothing_configured(postgres) as start:
        yield start


@pytest.fixture(scope="module")
def opened(postgres: Urls) -> Iterator[Start]:
    with connected(postgres, OPEN) as start:
        yield start


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def chain(postgres: Urls) -> Iterator[Chain]:
    with long_connected(postgres) as start:
        yield Chain(start)


@pytest.fixture
def replay(request: pytest.FixtureRequest) -> Callable[[Record], httpx2.Response]:
    """Plays a record from its section's starting state."""
    sections = {**dict.fromkeys("ABCD", "unconfigured"), **dict.fromkeys("EFGI", "opened"), "H": "closed"}

    def play(record: Record) -> httpx2.Response:
        start = request.getfixturevalue(sections.get(record.number[0], "chain"))
        for number in BEFORE.get(record.number, ()):
            start.replay(RECORDS[number])
        return start.replay(record)

    return play


@pytest.mark.parametrize("number", PLAYED)
def test_a_recorded_exchange_is_answered_alike(replay: Callable[[Record], httpx2.Response], number: str) -> None:
    record = RECORDS[number]
    answer = replay(record)
    found = differences(record.status, record.body, answer.status_code, answer.json())
    meant = ON_PURPOSE[number].lines if number in ON_PURPOSE else ()
    assert found == list(meant), f"{record.name}: {found} {answer.text}"


def test_what_is_left_out_or_meant_is_in_the_recording() -> None:
    assert set(NOT_YET) | set(ON_PURPOSE) <= set(RECORDS)
    assert not set(NOT_YET) & set(ON_PURPOSE)
