"""Test clocks: created, advanced, deleted. A customer that belongs to one lives in its time, with all that it buys;
clock_runs.py lets that time pass."""

from typing import Any

import orjson

from paygres.sandbox import ids
from paygres.sandbox.clock import CLOCKED, TEST_CLOCK
from paygres.sandbox.objects import customers, periods, subscription_terms
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, bad_parameter
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

# As in the examples of Stripe's reference.
KEPT_FOR = 7 * periods.DAY
# How far a clock without subscriptions may go at once.
YEARS = 2
MOVED = "INSERT INTO clock_timers (account, clock, due, name, subject) SELECT account, ?, due, name, subject "
OF_SUBJECT = f"FROM timers WHERE subject = ? AND name IN ({', '.join('?' * len(CLOCKED))})"


def create(work: Work, params: Params) -> Object:
    deletes_after = work.now + KEPT_FOR
    clock = work.add(
        {
            "id": ids.new(TEST_CLOCK),
            "object": TEST_CLOCK,
            "created": work.now,
            "deletes_after": deletes_after,
            "frozen_time": params["frozen_time"],
            "livemode": False,
            "name": params.get("name"),
            "status": "ready",
            "status_details": {},
        }
    )
    work.world.clock.forget_test_clocks()
    work.emit("test_helpers.test_clock.created", clock)
    work.at(deletes_after, "delete_test_clock", clock["id"])
    if "customer" in params:
        _attach(work, params["customer"], clock)
    return clock


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find_living(TEST_CLOCK, id, "test_clock", in_path=True)


def list_all(work: Work, params: Params) -> Page:
    return answer_list(work, TEST_CLOCK, params, "/v1/test_helpers/test_clocks")


def advance(work: Work, params: Params, id: str) -> Object:
    """The run begins when the answer has been made; until it is over the clock's status is `advancing`."""
    clock = _find_ready(work, id)
    target: int = params["frozen_time"]
    if target <= clock["frozen_time"]:
        raise bad_parameter(
            "The `frozen_time` must be after the test clock's current `frozen_time`: a test clock only moves forward.",
            "frozen_time",
        )
    latest = _latest(work, clock)
    if target > latest:
        raise bad_parameter(
            "The `frozen_time` cannot be more than two intervals in the future from the shortest subscription in this "
            f"test clock, or two years without one. The latest is {latest}.",
            "frozen_time",
        )
    work.change(clock, status="advancing", status_details={"advancing": {"target_frozen_time": target}})
    work.emit("test_helpers.test_clock.advancing", clock)
    work.world.wake_timers()
    return clock


def arrive(work: Work, id: str) -> None:
    """The end of a run."""
    clock = work.get(id)
    if clock is not None and clock.get("status") == "advancing":
        target = clock["status_details"]["advancing"]["target_frozen_time"]
        work.change(clock, frozen_time=target, status="ready", status_details={})
        work.emit("test_helpers.test_clock.ready", clock, automatic=True)


def delete(work: Work, params: Params, id: str) -> Object:
    return _delete(work, _find_ready(work, id))


def expire(work: Work, id: str) -> None:
    """The timer: its time is over."""
    clock = work.get(id)
    if clock is None or clock.get("deleted"):
        return
    if clock["status"] == "advancing":
        work.later(60, "delete_test_clock", id)
    else:
        _delete(work, clock)


def _delete(work: Work, clock: Object) -> Object:
    """With its customers, whose subscriptions are canceled."""
    work.enter_time(clock)
    while bodies := work.store.page(work.account, "customer", links={"test_clock": clock["id"]}, limit=100):
        for body in bodies:
            customers.delete(work, {}, orjson.loads(body)["id"])
    work.store.run("DELETE FROM clock_timers WHERE clock = ?", (clock["id"],))
    tombstone = work.bury(clock)
    work.emit("test_helpers.test_clock.deleted", clock)
    work.world.clock.forget_test_clocks()
    return tombstone


def _find_ready(work: Work, id: str) -> Object:
    clock = work.find_living(TEST_CLOCK, id, "test_clock", in_path=True)
    work.refuse_while_advancing(clock)
    return clock


def _latest(work: Work, clock: Object) -> int:
    now: int = clock["frozen_time"]
    found = [periods.later(now, "year", YEARS)]
    bodies = work.store.page(work.account, "subscription", links={"test_clock": clock["id"]}, limit=1000)
    for subscription in map(orjson.loads, bodies):
        if subscription["status"] not in subscription_terms.ENDED:
            for item in subscription["items"]["data"]:
                every = item["price"]["recurring"]
                found.append(periods.later(now, every["interval"], 2 * every["interval_count"]))
    return min(found)


def _attach(work: Work, id: str, clock: Object) -> None:
    """The customer, what it has already bought, and what waits for it go over into the clock's time."""
    customer = work.find_living("customer", id, "customer")
    if customer["test_clock"] is not None:
        raise Refusal(f"The customer {id} is attached to a test clock already.", param="customer")
    work.change(customer, test_clock=clock["id"])
    names: tuple[Any, ...] = tuple(sorted(CLOCKED))
    for kind in ("subscription", "invoice", "invoiceitem"):
        bodies = work.store.page(work.account, kind, links={"customer": id}, limit=1000)
        for item in map(orjson.loads, bodies):
            work.change(item, test_clock=clock["id"])
            work.store.run(MOVED + OF_SUBJECT, (clock["id"], item["id"], *names))
            work.store.run(f"DELETE {OF_SUBJECT}", (item["id"], *names))
    work.emit("customer.updated", customer, {"test_clock": None})


ROUTES: Routes = {
    "POST /v1/test_helpers/test_clocks": create,
    "GET /v1/test_helpers/test_clocks": list_all,
    "GET /v1/test_helpers/test_clocks/{test_clock}": retrieve,
    "POST /v1/test_helpers/test_clocks/{test_clock}/advance": advance,
    "DELETE /v1/test_helpers/test_clocks/{test_clock}": delete,
}
