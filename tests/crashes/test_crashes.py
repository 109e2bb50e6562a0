"""The crash proof's short form. `python3 run.py chaos` is the long one."""

import datetime
import os
from collections.abc import Iterator

import psutil
import pytest

from tests.crashes.report import told
from tests.crashes.run import Plan, Report, prove
from tests.crashes.statements import Boundary
from tests.crashes.storm import POSTGRES, Storm, Target
from tests.system.processes import private_folder

# Another one every day, so that in the long run each boundary has its turn; a failure names it.
SEED = int(os.environ.get("PAYGRES_TEST_CHAOS_SEED") or datetime.datetime.now(datetime.UTC).toordinal())
KILLS = 30


def programs() -> list[psutil.Process]:
    """Ours that run below this process."""
    below = psutil.Process().children(recursive=True)
    return [one for one in below if "paygres." in " ".join(one.cmdline())]


@pytest.fixture(scope="module")
def others() -> set[int]:
    """Those of other tests, which were there before."""
    return {one.pid for one in programs()}


@pytest.fixture(scope="module")
def report(others: set[int]) -> Iterator[Report]:
    """One run for all tests of this module."""
    with private_folder() as folder:
        folder.mkdir(mode=0o711)
        yield prove(Plan(SEED, deliveries=400, kills=KILLS, seconds=28, hurry=True, buyers=5, rest=1.0), folder)


def test_whatever_is_killed_nothing_is_lost_and_every_payment_is_fulfilled_once(report: Report) -> None:
    assert not report.faults, told(report, history=True)
    assert report.figures["grants"] == report.figures["payments"] != 0


def test_server_worker_and_postgresql_died_at_boundaries_of_the_roads(report: Report) -> None:
    seen = {target.boundary.statement for target in report.storm.targets}
    assert {
        "events.open_event",
        "events.close_event",
        "COMMIT after events.close_event",
        "checkout_sessions.reserve",
        "checkout_sessions.finish",
        "events.lease_events",
    } <= seen
    assert len(report.storm.history) >= 5, told(report, history=True)


def test_deliveries_were_doubled_delayed_and_dropped(report: Report) -> None:
    for fault in ("doubled", "delayed", "dropped", "lost"):
        assert report.figures[fault], told(report, history=True)


def test_nothing_that_was_started_is_left(report: Report, others: set[int]) -> None:
    assert report.figures
    assert not [one for one in programs() if one.pid not in others]


def test_a_boundary_off_the_roads_kills_nobody() -> None:
    killed: list[str] = []
    storm = Storm(7, killed.append)
    storm.rage()
    for statement in ("COMMIT after syncs.finish", "connections.select_all", "select 1", "SET x", ""):
        assert not storm.strike(Boundary("server", "checkout", statement, "before"))
    assert not killed


def test_every_target_has_its_turn_before_one_has_a_second() -> None:
    killed: list[str] = []
    storm = Storm(7, killed.append)
    boundaries = [Boundary("server", "webhook", f"events.{name}", "after") for name in ("open_event", "close_event")]
    for boundary in boundaries:
        assert not storm.strike(boundary)
    while storm.missed:
        storm.rage()
        while not any(storm.strike(boundary) for boundary in boundaries):
            pass
    assert sorted(killed) == [POSTGRES, POSTGRES, "server", "server"]
    assert storm.hits == {Target(boundary, victim): 1 for boundary in boundaries for victim in ("server", POSTGRES)}
