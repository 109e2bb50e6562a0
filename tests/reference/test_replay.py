"""Every recorded exchange with the reference is answered alike, or differs in exactly what is listed."""

from collections.abc import Callable

import httpx2
import pytest

from tests.reference.comparison import differences
from tests.reference.differences import NOT_YET, ON_PURPOSE
from tests.reference.records import RECORDS, Record

PLAYED = [number for number in RECORDS if number not in NOT_YET]
# A record that needs another before it: an idempotency key that was used.
BEFORE = {"E03": ("E02",), "E04": ("E02",), "F03": ("F02",)}


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
