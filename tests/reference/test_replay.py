"""Every recorded exchange with the reference is answered alike, or differs in exactly what is listed."""

from collections.abc import Callable

import httpx2
import pytest

from tests.reference.comparison import differences
from tests.reference.differences import ON_PURPOSE
from tests.reference.records import RECORDS, Record

# A record that needs another before it: an idempotency key that was used, a user who signed up.
BEFORE = {"A05": ("A04",), "A07": ("A06",), "A08": ("A04",), "E03": ("E02",), "E04": ("E02",), "F03": ("F02",)}


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


@pytest.mark.parametrize("number", RECORDS)
def test_a_recorded_exchange_is_answered_alike(replay: Callable[[Record], httpx2.Response], number: str) -> None:
    record = RECORDS[number]
    answer = replay(record)
    found = differences(record.status, record.body, answer.status_code, answer.json())
    meant = ON_PURPOSE[number].lines if number in ON_PURPOSE else ()
    assert found == list(meant), f"{record.name}: {found} {answer.text}"


def test_what_is_meant_is_in_the_recording() -> None:
    assert set(ON_PURPOSE) <= set(RECORDS)
