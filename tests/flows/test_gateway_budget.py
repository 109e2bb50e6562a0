"""The request budget: bursts, order, the guests' share, and who is refused at once. Time is set by hand."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from paygres.server.errors import RateLimit
from paygres.server.stripe_gateway.budget import ORDER, Budget, Priority, endpoint_of


class Clock:
    """Seconds that pass only when a test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def started(*work: Coroutine[Any, Any, None]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(one) for one in work]


async def served(tasks: list[asyncio.Task[None]], expected: int) -> int:
    """How many of `tasks` are through, once `expected` are or five seconds are over; then a moment longer."""
    for _ in range(500):
        if sum(task.done() for task in tasks) >= expected:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    return sum(task.done() for task in tasks)


async def stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def spend(budget: Budget, requests: int) -> None:
    for _ in range(requests):
        await budget.take("checkout")


async def test_a_burst_is_less_than_a_second_of_the_rate_which_holds_from_then_on() -> None:
    clock = Clock()
    budget = Budget(50, clock=clock)
    tasks = started(*(budget.take("checkout") for _ in range(120)))
    assert await served(tasks, 40) == 40
    clock.now += 0.2
    assert await served(tasks, 50) == 50
    await stop(tasks)


async def test_urgent_requests_go_before_those_that_waited_longer() -> None:
    clock = Clock()
    budget = Budget(50, clock=clock)
    await spend(budget, 40)
    order: list[Priority] = []

    async def ask(priority: Priority) -> None:
        await budget.take(priority)
        order.append(priority)

    tasks = started(*(ask(priority) for priority in sorted(ORDER, key=lambda p: -ORDER[p])))
    await asyncio.sleep(0)
    clock.now += 2
    await served(tasks, 5)
    assert order == ["checkout", "portal", "refetch", "sweep", "backfill"]


async def test_background_work_leaves_half_of_the_burst_to_people() -> None:
    budget = Budget(50, clock=Clock())
    tasks = started(*(budget.take("backfill") for _ in range(60)))
    assert await served(tasks, 20) == 20
    people = started(*(budget.take("checkout") for _ in range(20)))
    assert await served(people, 20) == 20
    await stop(tasks)


async def test_guests_get_thirty_percent_and_leave_the_rest_to_others() -> None:
    clock = Clock()
    budget = Budget(50, clock=clock)
    guests = started(*(budget.take("checkout", guest=True) for _ in range(30)))
    assert await served(guests, 12) == 12
    others = started(*(budget.take("checkout") for _ in range(28)))
    assert await served(others, 28) == 28
    clock.now += 0.5
    assert await served(guests, 19) == 19
    await stop(guests)


async def test_a_queue_longer_than_two_seconds_refuses_at_once_with_retry_after() -> None:
    budget = Budget(5, clock=Clock())
    await spend(budget, 4)
    tasks = started(*(budget.take("checkout") for _ in range(40)))
    assert await served(tasks, 30) == 30
    refused = [task.exception() for task in tasks if task.done()]
    assert {type(error) for error in refused} == {RateLimit}
    assert {error.retry_after for error in refused if isinstance(error, RateLimit)} == {2}
    await stop(tasks)


async def test_whoever_waited_two_seconds_in_vain_is_told_to_come_back() -> None:
    budget = Budget(5, clock=Clock())
    await spend(budget, 4)
    with pytest.raises(RateLimit, match="at the limit of requests Stripe allows"):
        await budget.take("checkout")


async def test_stripes_429_stops_everybody_for_a_moment() -> None:
    clock = Clock()
    budget = Budget(50, clock=clock)
    budget.pause(0.3)
    tasks = started(*(budget.take("checkout") for _ in range(3)))
    assert await served(tasks, 0) == 0
    clock.now += 0.4
    assert await served(tasks, 3) == 3


async def test_a_caller_who_gives_up_does_not_spend_a_request() -> None:
    clock = Clock()
    budget = Budget(50, clock=clock)
    await spend(budget, 40)
    impatient = started(*(budget.take("checkout") for _ in range(10)))
    await asyncio.sleep(0.01)
    await stop(impatient)
    clock.now += 0.2
    tasks = started(*(budget.take("checkout") for _ in range(20)))
    assert await served(tasks, 10) == 10
    await stop(tasks)


async def test_refused_callers_are_told_who_is_at_the_limit() -> None:
    budget = Budget(1, clock=Clock())
    budget.pause(30)
    with pytest.raises(RateLimit, match="Guest checkouts are at the limit") as raised:
        await budget.take("checkout", guest=True)
    assert raised.value.retry_after == 30


async def test_an_endpoint_has_a_rate_of_its_own_and_holds_up_no_other() -> None:
    clock = Clock()
    budget = Budget(1000, endpoint_rate=50, clock=clock)
    charges = started(*(budget.take("refetch", endpoint="get charges") for _ in range(120)))
    assert await served(charges, 40) == 40
    refunds = started(*(budget.take("refetch", endpoint="get refunds") for _ in range(40)))
    assert await served(refunds, 40) == 40
    clock.now += 0.2
    assert await served(charges, 50) == 50
    await stop([*charges, *refunds])


async def test_a_checkout_is_served_at_once_while_a_sync_stands_in_line() -> None:
    budget = Budget(50, clock=Clock())
    listing = started(*(budget.take("backfill", endpoint="get customers") for _ in range(80)))
    assert await served(listing, 10) == 10  # half of what the endpoint may have at once
    before = [task.done() for task in listing]
    await asyncio.wait_for(budget.take("checkout", endpoint="post checkout/sessions"), 0.5)
    assert [task.done() for task in listing] == before
    await stop(listing)


async def test_the_reserve_costs_a_sync_no_rate() -> None:
    budget = Budget(400, endpoint_rate=400)
    for _ in range(160):  # the burst, down to the reserve
        await budget.take("backfill", endpoint="get customers")
    done = 0

    async def lane() -> None:
        nonlocal done
        while True:
            await budget.take("backfill", endpoint="get customers")
            done += 1

    began = time.monotonic()
    lanes = started(*(lane() for _ in range(4)))
    await asyncio.sleep(1.0)
    rate = done / (time.monotonic() - began)
    await stop(lanes)
    assert 0.9 * 400 <= rate <= 1.1 * 400


@pytest.mark.parametrize(
    ("method", "path", "endpoint"),
    [
        ("get", "/v1/customers", "get customers"),
        ("get", "/v1/customers/cus_1", "get customers"),
        ("post", "/v1/checkout/sessions", "post checkout/sessions"),
        ("post", "/v1/checkout/sessions/cs_1/expire", "post checkout/sessions"),
        ("get", "/v1/account", "get account"),
    ],
)
def test_ids_do_not_make_an_endpoint(method: str, path: str, endpoint: str) -> None:
    assert endpoint_of(method, path) == endpoint
