"""Events about one payment wait for each other before they take a connection, and for no other payment's."""

import asyncio
import time

import orjson

from paygres.server.flows.apply_event import LOCK_SECONDS, Applied, Road, apply_event
from paygres.server.flows.parts import Parts
from paygres.server.flows.turns import Turns
from paygres.server.projections.events import read_event
from tests.flows.running_parts import parts_on, rows
from tests.flows.webhooks import script
from tests.fresh_database import FreshDatabase
from tests.histories import Event, event, intent, purchase

NOWHERE = "http://127.0.0.1:9"
SLOW = """
create function public.slow() returns trigger language plpgsql set search_path = '' as $$
begin perform pg_catalog.pg_sleep(0.15); return new; end $$;
create trigger slow after update on payments.webhook_events for each row execute function public.slow();
"""


async def applied(parts: Parts, told: Event, seconds: float = 5.0) -> Applied:
    payload = orjson.dumps(told).decode()
    road = Road("test", "", 0, parts.installation_id, seconds=seconds, turns=parts.turns)
    return await apply_event(parts.db, road, read_event(orjson.loads(payload)), payload)


async def at_once(parts: Parts, told: list[Event]) -> tuple[set[str], int]:
    """What became of these, and how many connections they had at most."""
    most = 0
    working = asyncio.gather(*(applied(parts, one) for one in told))
    while not working.done():
        await asyncio.sleep(0.01)
        most = max(most, parts.db.in_use()["webhook"])
    return {one.status for one in await working}, most


async def test_a_burst_about_one_payment_holds_one_connection(database: FreshDatabase) -> None:
    script(database, SLOW)
    burst = [told for told in purchase("one") if told["data"]["object"]["object"] != "customer"]
    assert len(burst) >= 4
    async with parts_on(database, NOWHERE) as parts:
        statuses, most = await at_once(parts, burst)
        assert statuses == {"processed"}
        assert len(parts.turns) == 0
    assert most == 1
    (payment,) = await rows(database, "select status from payments.transactions")
    assert payment == {"status": "succeeded"}


async def test_payments_do_not_wait_for_each_other(database: FreshDatabase) -> None:
    script(database, SLOW)
    async with parts_on(database, NOWHERE) as parts:
        told = [event("payment_intent.succeeded", 1_790_000_000, intent(name)) for name in ("a", "b", "c")]
        _, most = await at_once(parts, told)
    assert most == 3


async def test_a_turn_that_does_not_come_leaves_time_for_one_attempt(database: FreshDatabase) -> None:
    async with parts_on(database, NOWHERE) as parts, parts.turns.turn("test", "pi_late", 1.0):
        began = time.monotonic()
        told = event("payment_intent.succeeded", 1_790_000_000, intent("late", status="succeeded"))
        assert (await applied(parts, told, seconds=1.5)).status == "processed"
        assert time.monotonic() - began >= 1.5 - LOCK_SECONDS
        assert len(parts.turns) == 1


async def test_whoever_leaves_the_queue_or_fails_holds_nobody_up() -> None:
    turns = Turns()
    order: list[str] = []

    async def work(name: str, *, fails: bool = False) -> None:
        async with turns.turn("test", "pi_1", 5.0):
            order.append(name)
            await asyncio.sleep(0.01)
            if fails:
                raise ValueError(name)

    first, leaving, failing, last = (
        asyncio.create_task(work(name, fails=name == "failing")) for name in ("first", "leaving", "failing", "last")
    )
    await asyncio.sleep(0)
    leaving.cancel()
    outcomes = await asyncio.gather(first, leaving, failing, last, return_exceptions=True)
    assert order == ["first", "failing", "last"]
    assert [type(outcome).__name__ for outcome in outcomes] == ["NoneType", "CancelledError", "ValueError", "NoneType"]
