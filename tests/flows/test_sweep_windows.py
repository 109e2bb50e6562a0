"""Which seconds a sweep reads and which of them it may call complete."""

import asyncio
import random
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paygres.server.flows.sweep_events import sweep_window
from paygres.server.flows.sweep_windows import (
    KEPT_SECONDS,
    LAG_SECONDS,
    MOST_HELD,
    MOST_TYPES,
    SHORT_SECONDS,
    Stretch,
    complete_through,
    earliest,
    groups,
    plan,
    shorter,
    step,
)
from paygres.server.projections.events import EVENT_TYPES
from paygres.server.stripe_gateway.gateway import Page
from paygres.server.tables.sweeps import Claim
from tests.flows.running_parts import Sandbox, parts_on, rows
from tests.flows.sweeping import HOUR, connect_at, now, sandbox_with
from tests.fresh_database import FreshDatabase
from tests.histories import event

NOW = 1_800_000_000
DAY = 86_400


def claim(through: int, *, since: int = NOW - DAY, wanted: int | None = None, long: bool = False) -> Claim:
    return Claim("test", "acct_1", since, through, wanted, long, uuid.uuid4())


@given(
    through=st.integers(NOW - 35 * DAY, NOW),
    since=st.integers(NOW - 40 * DAY, NOW),
    wanted=st.none() | st.integers(NOW - 40 * DAY, NOW),
    long=st.booleans(),
)
def test_a_sweep_begins_where_nothing_can_be_missing_before(
    through: int, since: int, wanted: int | None, long: bool
) -> None:
    since = min(since, through + 1)
    made = plan(claim(through, since=since, wanted=wanted, long=long), NOW)
    assert made.since >= max(since, NOW - KEPT_SECONDS)
    assert made.lost == (through + 1 < NOW - KEPT_SECONDS)
    assert made.lost or made.since <= through + 1
    assert made.since <= max(NOW - SHORT_SECONDS, since)


def test_the_usual_sweep_looks_two_minutes_back_and_that_of_the_hour_an_hour() -> None:
    assert plan(claim(NOW - 70), NOW).since == NOW - 129
    assert plan(claim(NOW - 40), NOW).since == NOW - 120
    assert plan(claim(NOW - 70, long=True), NOW).since == NOW - HOUR
    assert plan(claim(NOW - 70, wanted=NOW - 900), NOW).since == NOW - 900
    assert plan(claim(NOW - 70, wanted=NOW - 9 * DAY, since=NOW - 20 * DAY), NOW).since == NOW - DAY
    assert plan(claim(NOW - 3 * DAY, since=NOW - 20 * DAY), NOW).since == NOW - 3 * DAY - 59
    assert [plan(claim(NOW - gone), NOW).undelivered_first for gone in (70, HOUR)] == [False, True]


def test_the_first_sweep_begins_when_the_account_was_connected() -> None:
    assert earliest(NOW - DAY, NOW) == NOW - DAY
    assert NOW - KEPT_SECONDS < earliest(0, NOW) < NOW - 29 * DAY
    assert not plan(claim(earliest(0, NOW) - 1, since=earliest(0, NOW)), NOW + 120).lost


@given(since=st.integers(0, 3 * DAY), seconds=st.integers(1, DAY), until=st.none() | st.integers(1, 3 * DAY))
def test_stretches_touch_and_the_open_one_reaches_past_the_lag(since: int, seconds: int, until: int | None) -> None:
    start, end = NOW - since, None if until is None else NOW - since + until
    made = step(start, seconds, end, NOW)
    assert made.since == start
    if end is not None:
        assert made.until is not None
        assert start < made.until <= end
    elif made.until is not None:
        assert made.until <= NOW - 2 * LAG_SECONDS  # all of it is complete when it was read


async def test_a_crowd_of_the_last_minutes_is_divided_and_not_asked_for_again_and_again(
    database: FreshDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, key = Sandbox.new_account()
    at = now() - 30
    many = [
        event("payout.paid", at + n % 30, {"id": f"po_{n}", "object": "payout", "amount": 100})
        for n in range(MOST_HELD + 150)
    ]
    with sandbox_with(tmp_path, account, many) as sandbox:
        async with parts_on(database, sandbox.url, limits=False) as parts:
            await connect_at(parts, database, key, at - 3600)
            asked: list[Any] = []
            page = parts.gateway.page

            async def counted(key: str, path: str, query: Any, **more: Any) -> Page:
                asked.append(query)
                return await page(key, path, query, **more)

            monkeypatch.setattr(parts.gateway, "page", counted)
            async with asyncio.timeout(60):
                swept = await sweep_window(parts, "test", at - 30)
    assert swept.missing == len(many)
    assert len(asked) < 80, len(asked)  # twelve would do if it were known beforehand how many there are


@given(since=st.integers(0, 3 * DAY), seconds=st.integers(1, DAY))
def test_a_divided_stretch_ends_before_now(since: int, seconds: int) -> None:
    made = step(NOW - since, seconds, None, NOW, divided=True)
    assert made.until == (NOW - since + seconds if seconds <= since else None)


@given(length=st.integers(1, DAY))
def test_what_holds_too_much_is_halved_down_to_a_second(length: int) -> None:
    half = shorter(Stretch(NOW - length, NOW), NOW)
    assert half == (length // 2 if length > 1 else None)


def test_a_second_is_complete_when_it_was_listed_a_minute_later() -> None:
    assert complete_through(Stretch(NOW - 200, None), NOW) == NOW - LAG_SECONDS
    assert complete_through(Stretch(NOW - 200, NOW - 100), NOW) == NOW - 101
    assert complete_through(Stretch(NOW - 200, NOW - 10), NOW) == NOW - LAG_SECONDS


def test_every_type_we_read_is_asked_for_once_and_never_too_many_together() -> None:
    made = groups(None)
    assert sorted(one for group in made for one in group) == list(EVENT_TYPES)
    assert max(map(len, made)) <= MOST_TYPES
    assert groups(["invoice.paid", "invoice.paid"]) == [["invoice.paid"]]


@pytest.mark.parametrize("seed", [1])
async def test_more_than_can_be_held_is_stored_in_smaller_pieces(
    database: FreshDatabase, tmp_path: Path, seed: int
) -> None:
    account, key = Sandbox.new_account()
    rng = random.Random(seed)
    began = now() - 50 * 60
    many = [
        event("payout.paid", began + rng.randrange(2400), {"id": f"po_{number}", "object": "payout", "amount": 100})
        for number in range(MOST_HELD + 200)
    ]
    with sandbox_with(tmp_path, account, many) as sandbox:
        async with parts_on(database, sandbox.url, limits=False) as parts:
            await connect_at(parts, database, key, began - 60)
            swept = await sweep_window(parts, "test", began - 60)
    assert (swept.listed, swept.missing, swept.outcomes) == (len(many), len(many), {"ignored": len(many)})
    order = await rows(database, "select as_of from payments.stripe_snapshots where event_id is not null order by seq")
    assert [row["as_of"] for row in order] == sorted(one["created"] for one in many)
