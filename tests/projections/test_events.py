"""One fixture an event: what arrives, and the rows it becomes when nothing else is known of its object."""

import json
from pathlib import Path

import pytest

from paygres.server.projections.events import EVENT_TYPES, PROJECTED, RECORDED, read_event
from paygres.server.projections.project import project

FIXTURES = sorted(Path(__file__).with_name("events").glob("*.json"))


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_an_event_becomes_these_rows(fixture: Path) -> None:
    case = json.loads(fixture.read_text())
    event = read_event(case["event"])
    assert event.type == fixture.stem
    assert event.kind is not None
    assert project(event.kind, event.snapshot(), (), None, ()) == case["rows"]


def test_every_projected_event_has_a_fixture() -> None:
    assert [path.stem for path in FIXTURES] == sorted(PROJECTED)


def test_the_subscription_is_what_is_projected_or_recorded() -> None:
    assert sorted({*PROJECTED, *RECORDED}) == list(EVENT_TYPES)
    assert not {*PROJECTED} & {*RECORDED}
