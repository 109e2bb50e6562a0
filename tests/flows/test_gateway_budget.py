"""The request budget: bursts, order, the guests' share, and who is refused at once."""

import asyncio
import time

import pytest
from paygres.server.errors import RateLimit
from paygres.server.stripe_gateway.budget import Budget


async def test_two_seconds_worth_may_be_spent_at_once_then_the_rate_holds() -> None:
    budget = Budget(50)
    started = time.monotonic()
    await asyncio.gather(*(budget.take("checkout") for _ in range(100)))
    at_once = time.monotonic() - started
    await asyncio.gather(*(budget.take("checkout") for _ in range(10)))
    later = time.monotonic() - started
    assert at_once < 0.15
    assert 0.15 < later < 0.8


async def test_a_checkout_goes_before_background_work_that_waited_longer() -> None:
    budget = Budget(20)
    await asyncio.gather(*(budget.take("checkout") for _ in range(40)))
    order: list[str] = []

    async def ask(priority: str) -> None:
        await budget.take(priority)  # type: ignore[arg-type]
        order.append(priority)

    waiting = [asyncio.create_task(ask(p)) for p in ("backfill", "refetch", "portal", "checkout")]
    await asyncio.gather(*waiting[1:])
    waiting[0].cancel()
    assert order == ["checkout", "portal", "refetch"]


async def test_background_work_leaves_half_of_the_burst_to_people() -> None:
    budget = Budget(10)
    await asyncio.gather(*(budget.take("backfill") for _ in range(10)))
    started = time.monotonic()
    await asyncio.gather(*(budget.take("checkout") for _ in range(9)))
    assert time.monotonic() - started < 0.05


async def test_guests_get_thirty_percent_and_leave_the_rest_to_others() -> None:
    budget = Budget(10)
    await asyncio.gather(*(budget.take("checkout", guest=True) for _ in range(6)))
    started = time.monotonic()
    await asyncio.gather(*(budget.take("checkout") for _ in range(14)))
    assert time.monotonic() - started < 0.05
    started = time.monotonic()
    await budget.take("checkout", guest=True)
    assert 0.25 < time.monotonic() - started < 0.6


async def test_a_queue_longer_than_two_seconds_refuses_at_once_with_retry_after() -> None:
    budget = Budget(5)
    await asyncio.gather(*(budget.take("checkout") for _ in range(10)))
    started = time.monotonic()
    outcomes = await asyncio.gather(*(budget.take("checkout") for _ in range(40)), return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, RateLimit)]
    assert 28 <= len(refused) <= 31
    assert all(one.retry_after is not None and one.retry_after >= 1 for one in refused)
    assert time.monotonic() - started < 2.5


async def test_stripes_429_stops_everybody_for_a_moment() -> None:
    budget = Budget(100)
    budget.pause(0.3)
    started = time.monotonic()
    await budget.take("checkout")
    assert 0.25 < time.monotonic() - started < 0.8


async def test_a_caller_who_gives_up_does_not_spend_a_request() -> None:
    budget = Budget(10)
    await asyncio.gather(*(budget.take("checkout") for _ in range(20)))
    impatient = [asyncio.create_task(budget.take("checkout")) for _ in range(10)]
    await asyncio.sleep(0)
    for task in impatient:
        task.cancel()
    await asyncio.gather(*impatient, return_exceptions=True)
    started = time.monotonic()
    await budget.take("checkout")
    assert time.monotonic() - started < 0.4


async def test_refused_callers_are_told_who_is_at_the_limit() -> None:
    budget = Budget(1)
    budget.pause(30)
    with pytest.raises(RateLimit, match="Guest checkouts are at the limit") as raised:
        await budget.take("checkout", guest=True)
    assert raised.value.retry_after == 30
