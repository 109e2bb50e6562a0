"""What waiting costs: no connection, no table read as a whole, one question to Stripe, nothing left behind."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator

import asyncpg
import pytest

from paygres.server.caller import Caller
from paygres.server.db.embedded import Urls
from paygres.server.errors import NotFound, Unavailable
from paygres.server.flows.wait_for_checkout import wait_for_checkout
from paygres.server.flows.waiters import MOST_WAITERS, Waiters
from paygres.server.tables.named import queries
from tests.flows.running_parts import parts_on
from tests.fresh_database import FreshDatabase, cloned, in_its_own_loop

ADMIN = Caller(role="project_admin", network="192.0.2.0/24")
Q = queries("settled_checkouts")
READ = (
    "stripe_checkout_sessions",
    "stripe_snapshots",
    "stripe_objects",
    "event_queue",
    "stripe_subscriptions",
    "fulfillments",
    "reversal_queue",
)
# Purchases 1 to 2000, every other one a subscription; all are done but every tenth, whose event waits for the worker.
PURCHASES = """
set session_replication_role = replica;
insert into payments.stripe_checkout_sessions (
    id, environment, mode, status, payment_status, success_url, cancel_url, checkout_session_id, payment_intent_id,
    subscription_id)
select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'test',
       case n % 2 when 0 then 'payment' else 'subscription' end, 'completed', 'paid', '', '', 'cs_' || n,
       case n % 2 when 0 then 'pi_' || n end, case n % 2 when 1 then 'sub_' || n end
from generate_series(1, 2000) n;
insert into payments.stripe_snapshots (
    environment, account_id, object_type, object_id, as_of, source, event_id, event_type, payload)
select 'test', '', 'checkout.session', 'cs_' || n, n, 'event', 'evt_cs_' || n, 'checkout.session.completed',
       '{"data": {"object": {"payment_status": "paid"}}}'
from generate_series(1, 2000) n
union all
select 'test', '', 'invoice', 'in_' || n, n, 'event', 'evt_in_' || n, 'invoice.paid', '{}'
from generate_series(1, 2000, 2) n;
insert into payments.stripe_objects (environment, account_id, object_type, object_id, as_of, source, payment_key, raw)
select 'test', '', 'checkout.session', 'cs_' || n, n, 'event', case n % 2 when 0 then 'pi_' else 'in_' end || n, '{}'
from generate_series(1, 2000) n;
insert into payments.stripe_subscriptions (environment, subscription_id, customer_id, status)
select 'test', 'sub_' || n, 'cus_' || n, 'active' from generate_series(1, 2000, 2) n;
insert into payments.event_queue (environment, event_id, status, next_attempt_at)
select 'test', 'evt_cs_' || n, 'failed', now() + interval '1 hour' from generate_series(10, 2000, 10) n;
insert into payments.fulfillments (environment, rule, payment_key, key, status, event_id, event_type)
select 'test', 'orders', 'pi_' || n, n::text, 'granted', 'evt_cs_' || n, 'checkout.session.completed'
from generate_series(2, 2000, 2) n;
insert into payments.reversal_queue (environment, payment_key) values ('test', 'pi_4');
"""


def row(number: int) -> uuid.UUID:
    return uuid.UUID(f"00000000-0000-4000-8000-{number:012}")


@pytest.fixture(scope="module")
def trading(postgres: Urls) -> Iterator[FreshDatabase]:
    """A shop that has sold something."""
    with cloned(postgres) as fresh:
        in_its_own_loop(run(fresh, PURCHASES))
        yield fresh


async def run(database: FreshDatabase, statements: str) -> None:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


async def until(holds: Callable[[], bool], seconds: float = 2.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        if holds():
            return
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("analyzed", [False, True])
async def test_a_look_reads_no_table_as_a_whole(trading: FreshDatabase, analyzed: bool) -> None:
    if analyzed:
        await run(trading, "analyze")
    settings = {"role": "paygres_service", "search_path": "", "jit": "off", "plan_cache_mode": "force_generic_plan"}
    connection = await asyncpg.connect(trading.server_url, server_settings=settings)
    try:
        async with connection.transaction():
            ended = {one["id"] for one in await connection.fetch(Q.ended, [row(n) for n in range(1, 41)])}
            assert ended == {row(n) for n in range(1, 41) if n % 10 and n != 4}
            told = {n: dict(one) for n in (2, 4, 10) for one in await connection.fetch(Q.settlement, row(n))}
            assert [told[n]["waits_for"] for n in (2, 4, 10)] == [None, "reversal", "processing"]
            assert told[2]["fulfillments"] == '[{"rule" : "orders", "key" : "2", "status" : "granted"}]'
            scans = "select pg_catalog.pg_stat_get_xact_numscans(('payments.' || $1)::regclass)"
            assert {name: await connection.fetchval(scans, name) for name in READ} == dict.fromkeys(READ, 0)
    finally:
        await connection.close()


async def test_waiting_holds_no_connection_and_leaves_no_task(trading: FreshDatabase) -> None:
    async with parts_on(trading, "http://127.0.0.1:9") as parts:
        before = asyncio.all_tasks()
        waiting = [asyncio.create_task(wait_for_checkout(parts, ADMIN, "test", str(row(n)), 30)) for n in (10, 20, 20)]
        await until(lambda: parts.waiters.count == 3)
        taken = [parts.db.in_use()["checkout"] for _ in range(20) if not await asyncio.sleep(0.01)]
        assert max(taken) <= 1
        assert 0 in taken
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert parts.waiters.count == 0
        await until(lambda: not asyncio.all_tasks() - before)


async def test_a_thousand_may_wait_and_the_next_is_told_to_come_again(trading: FreshDatabase) -> None:
    async with parts_on(trading, "http://127.0.0.1:9") as parts:
        waiting = [
            asyncio.create_task(wait_for_checkout(parts, ADMIN, "test", str(row(10)), 30)) for _ in range(MOST_WAITERS)
        ]
        await until(lambda: parts.waiters.count == MOST_WAITERS, 20.0)
        with pytest.raises(Unavailable) as refused:
            await wait_for_checkout(parts, ADMIN, "test", str(row(20)), 30)
        assert refused.value.retry_after == 2
        assert (await wait_for_checkout(parts, ADMIN, "test", str(row(2)), 30))["settled"] is True
        parts.waiters.close()
        assert {one["waitsFor"] for one in await asyncio.gather(*waiting)} == {"processing"}
        with pytest.raises(NotFound):
            await wait_for_checkout(parts, ADMIN, "test", str(uuid.UUID(int=7)), 30)


async def test_stripe_is_asked_about_a_checkout_once_a_second_at_most() -> None:
    waiters, asked = Waiters(), list[float]()

    async def ask(number: int, environment: str) -> None:
        async with waiters.turn(environment, row(number)):
            asked.append(time.monotonic())

    async with asyncio.TaskGroup() as group:
        for number in range(2):
            group.create_task(ask(number, "test"))
        group.create_task(ask(3, "live"))
    asked.sort()
    assert asked[1] - asked[0] < 0.5
    assert asked[2] - asked[0] > 0.99
