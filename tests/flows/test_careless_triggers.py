"""Developers' triggers that set something for the session, not for their transaction: it does not outlive them."""

from collections.abc import Iterator

import pytest

from paygres.server.db.database import Database
from paygres.server.db.embedded import Urls
from tests.flows.checkouts import Shop, shop
from tests.flows.webhooks import deliver, hooked, script, sql
from tests.fresh_database import FreshDatabase
from tests.histories import START, customer, event

CARELESS = [
    "set role project_admin;",
    "set role anon;",
    "perform set_config('statement_timeout', '1', false);",
    "perform set_config('search_path', 'public', false);",
]
TRIGGER = """
create function public.careless() returns trigger language plpgsql as $$ begin {body} return null; end $$;
create trigger careless after update on {table} for each row when ({when}) execute function public.careless();
"""


@pytest.mark.parametrize("body", CARELESS)
def test_events_after_a_careless_trigger_are_processed(database: FreshDatabase, body: str) -> None:
    when = "new.processing_status = 'processed' and new.event_type = 'customer.created'"
    script(database, TRIGGER.format(body=body, table="payments.webhook_events", when=when))
    with hooked(database) as server:
        deliver(server, event("customer.created", START, customer("a")))  # fails when anon may not finish it
        for _ in range(5):  # more than there are connections
            answer = deliver(server, event("customer.updated", START, customer("a")))
            assert answer.json()["event"]["processingStatus"] == "processed", answer.text


@pytest.fixture(scope="module")
def small_shop(postgres: Urls) -> Iterator[Shop]:
    """Its requests share two connections."""
    with shop(postgres, PAYGRES_POOL_SIZE="2") as opened:
        yield opened


@pytest.mark.parametrize("body", CARELESS)
def test_checkouts_after_a_careless_trigger_are_opened(small_shop: Shop, body: str) -> None:
    when = "new.metadata ->> 'order_id' = 'careless'"
    script(small_shop.database, TRIGGER.format(body=body, table="payments.stripe_checkout_sessions", when=when))
    try:
        for _ in range(3):
            small_shop.post(metadata={"order_id": "careless"})  # fails when the role may not finish it
        for _ in range(6):
            assert small_shop.buy()["status"] == "open"
    finally:
        script(small_shop.database, "drop function public.careless cascade")


async def test_a_single_statement_leaves_nothing_to_a_transaction(database: FreshDatabase) -> None:
    """Not even one that would be let through, with other rights than ours."""
    db = await Database.connect(database.server_url, checkout_pool=1, webhook_pool=1)
    try:
        await db.execute("select set_config('role', 'project_admin', false), set_config('lock_timeout', '7', false)")
        async with db.as_service() as tx:
            found = await tx.fetchrow("select current_user::text, current_setting('lock_timeout')")
            assert tuple(found or ()) == ("paygres_service", "5s")
    finally:
        await db.close()


async def test_a_statement_refused_for_an_earlier_ones_role_is_sent_again(database: FreshDatabase) -> None:
    script(database, "create table public.seen (n int); grant all on public.seen to paygres_service")
    db = await Database.connect(database.server_url, checkout_pool=1, webhook_pool=1)
    try:
        await db.execute("insert into public.seen select 1 where set_config('role', 'anon', false) = 'anon'")
        await db.execute("insert into public.seen values (2)")
        assert sql(database, "select array_agg(n order by n) as n from public.seen") == [{"n": [1, 2]}]
    finally:
        await db.close()
