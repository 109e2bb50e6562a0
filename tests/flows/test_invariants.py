"""What must always be true: a clean history breaks nothing, and each invariant fires when one row is broken."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from paygres.server.db.database import Database
from paygres.server.db.embedded import Urls
from paygres.server.flows.check_invariants import MEANINGS
from paygres.server.tables import invariants
from tests.flows.webhooks import script
from tests.fresh_database import FreshDatabase, cloned
from tests.histories import Event, purchase
from tests.http.running import API_KEY, environment, serving
from tests.playing import deliver
from tests.subscription_histories import subscribed

FULFILL = """
create function public.fulfill() returns trigger language plpgsql set search_path = '' as $$
begin
    perform payments.fulfill(new, 'orders', null, 2500, 'usd');
    return null;
end $$;
create trigger fulfill after update on payments.webhook_events for each row
    when (new.processing_status = 'processed' and new.event_type = 'checkout.session.completed')
    execute function public.fulfill();
"""
# invariant -> the one edit that breaks it.
BREAKS = {
    "refunds": "update payments.transactions set amount_lost = 99999 where provider_object_id = 'pi_o1'",
    "amounts": "update payments.transactions set amount = null where provider_object_id = 'pi_s0_1'",
    "refund_sums": "insert into payments.transactions (environment, provider, type, status, amount, currency,"
    " provider_object_type, provider_object_id, provider_parent_object_type, provider_parent_object_id)"
    " values ('test', 'stripe', 'refund', 'refunded', 5, 'usd', 'refund', 're_x', 'payment_intent', 'pi_s0_1')",
    "payments": "insert into payments.transactions (environment, provider, type, status, amount, currency,"
    " provider_object_type, provider_object_id, related_object_ids) values ('test', 'stripe', 'one_time_payment',"
    " 'succeeded', 2500, 'usd', 'charge', 'ch_o1_1', '{\"payment_intent\": \"pi_o1\"}')",
    "grants": "insert into payments.payment_invoices (environment, payment_intent_id, invoice_id)"
    " values ('test', 'pi_o1', 'in_twice');"
    "insert into payments.fulfillments (environment, rule, payment_key, status, event_id, event_type, granted_at)"
    " values ('test', 'orders', 'in_twice', 'granted', 'evt_x', 'invoice.paid', now())",
    "grant_money": "insert into payments.fulfillments (environment, rule, payment_key, status, event_id, event_type,"
    " granted_at, amount_paid, amount_kept) values ('test', 'credits', 'pi_never', 'granted', 'evt_x',"
    " 'checkout.session.completed', now(), 2500, 2500)",
    "reversals": "alter table payments.fulfillments disable trigger user;"
    "update payments.fulfillments set amount_kept = 1, updated_at = now() - interval '1 hour'"
    " where payment_key = 'pi_o1'",
    "checkouts": "insert into payments.stripe_checkout_sessions (environment, mode, status, payment_status, line_items,"
    " success_url, cancel_url, checkout_session_id, updated_at) values ('test', 'payment', 'completed', 'paid', '[]',"
    " 'https://a.example.com', 'https://a.example.com', 'cs_lost', now() - interval '1 hour')",
    "starts": "insert into payments.stripe_checkout_sessions (environment, mode, status, line_items, success_url,"
    " cancel_url, created_at) values ('test', 'payment', 'initialized', '[]', 'https://a.example.com',"
    " 'https://a.example.com', now() - interval '2 hours')",
    "subjects": "update payments.stripe_subscriptions set subject_type = null, subject_id = null",
    "plans": "insert into payments.stripe_subscriptions (environment, subscription_id, customer_id, status,"
    " subject_type, subject_id, started_at, account_id) select environment, 'sub_second', customer_id, status,"
    " subject_type, subject_id, started_at + interval '1 day', account_id from payments.stripe_subscriptions;"
    "insert into payments.stripe_subscription_items (environment, subscription_item_id, subscription_id, product_id,"
    " price_id, quantity) select environment, 'si_second', 'sub_second', product_id, price_id, quantity"
    " from payments.stripe_subscription_items limit 1",
    "periods": "update payments.stripe_subscriptions set current_period_end = now() - interval '3 days'",
    "mappings": "update payments.customers set deleted = true where provider_customer_id ="
    " (select provider_customer_id from payments.customer_mappings limit 1)",
    "pending": "insert into payments.event_queue (environment, event_id, status, next_attempt_at)"
    " values ('test', 'evt_late', 'pending', now() - interval '1 hour')",
    "dead": "insert into payments.event_queue (environment, event_id, status) values ('test', 'evt_dead', 'failed')",
    "refetches": "insert into payments.refetch_queue (environment, object_type, object_id, reason, created_at)"
    " values ('test', 'invoice', 'in_late', 'it is not known', now() - interval '2 hours')",
    "messages": "insert into payments.destinations (id, environment, kind, name, types)"
    " values ('11111111-1111-4111-8111-111111111111', 'test', 'after_commit', 'app.mail', '{fulfillment.granted}');"
    "insert into payments.outbox (destination_id, environment, type, fulfillment_id, content, created_at) values"
    " ('11111111-1111-4111-8111-111111111111', 'test', 'fulfillment.granted', gen_random_uuid(), '{}',"
    " now() - interval '2 hours')",
    "sweeps": "insert into payments.provider_connections (environment, provider, status, provider_account_id)"
    " values ('test', 'stripe', 'connected', 'acct_1') on conflict (provider, environment)"
    " do update set status = 'connected', provider_account_id = 'acct_1';"
    "insert into payments.sweeps (environment, account_id, complete_from, complete_through)"
    " values ('test', 'acct_1', 0, 1)",
}


@pytest.fixture
def lived(postgres: Urls) -> Iterator[FreshDatabase]:
    """A database with two purchases that were fulfilled and a subscription, all in order."""
    with cloned(postgres) as database:
        script(database, FULFILL)
        history = [*purchase("o1", refunded=1000), *purchase("o2", subject=("user", "u1"))]
        history += subscribed("s0", subject=("team", "t1"))
        asyncio.run(played(database, history))
        script(
            database,
            "set role paygres_service;"
            "update payments.stripe_subscriptions set current_period_end = now() + interval '9 days'",
        )
        yield database


async def played(database: FreshDatabase, history: list[Event]) -> None:
    db = await Database.connect(database.server_url, webhook_pool=1, checkout_pool=1)
    for body in history:
        assert (await deliver(db, body)).status == "processed"
    await db.close()


def broken(database: FreshDatabase) -> dict[str, int]:
    async def run() -> dict[str, int]:
        db = await Database.connect(database.server_url, webhook_pool=1, checkout_pool=1)
        try:
            await invariants.check_all(db)
            found = await invariants.select_checks(db, "test")
            assert {one.name for one in found} == set(MEANINGS)
            return {one.name: one.violations for one in found if one.violations}
        finally:
            await db.close()

    return asyncio.run(run())


def as_superuser(database: FreshDatabase, statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(database.superuser_url)
        await connection.execute(statements)
        await connection.close()

    asyncio.run(run())


def test_a_clean_history_breaks_nothing_and_each_invariant_fires_alone(lived: FreshDatabase, postgres: Urls) -> None:
    assert broken(lived) == {}
    assert set(BREAKS) == set(MEANINGS)
    for name, edit in BREAKS.items():
        with cloned(postgres, template=lived.name) as copy:
            as_superuser(copy, edit)
            assert broken(copy) == {name: 1}, name


def test_the_route_and_the_metrics_tell_of_it(lived: FreshDatabase) -> None:
    as_superuser(lived, BREAKS["dead"])
    with serving(environment(lived.server_url)) as server:
        headers = {"x-api-key": API_KEY}
        body = server.client.get("/api/paygres/test/invariants?now=true", headers=headers).json()
        assert body["ok"] is False
        first = body["invariants"][0]
        assert (first["name"], first["violations"]) == ("dead", 1)
        assert first["samples"] == [{"event": "evt_dead", "attempts": 0, "reason": None}]
        assert server.client.get("/api/paygres/live/invariants", headers=headers).json()["ok"] is True
        told = server.client.get("/metrics", headers=headers).text
        assert 'paygres_invariant_violations{environment="test",invariant="dead"} 1.0' in told
        assert server.client.get("/api/paygres/test/invariants?now=x", headers=headers).status_code == 400
        assert server.client.get("/api/paygres/test/invariants").status_code == 401
