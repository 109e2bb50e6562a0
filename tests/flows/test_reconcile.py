"""The mirror compared with Stripe: every spoilt row is found and no other, and a repair makes it whole."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.reconciling import age, found, mirrored, run, spoil
from tests.flows.running_parts import Sandbox, parts_on, sandbox_process
from tests.fresh_database import FreshDatabase
from tests.mirror import digest

SHOP = {
    "products": 5,
    "customers": 900,
    "subscriptions": 60,
    "invoices": 80,
    "payment_intents": 400,
    "charges": 380,
    "refunds": 60,
    "disputes": 10,
    "checkout_sessions": 50,
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_process() as running:
        yield running


# What a sweep leaves for operators when Stripe does not list the missing events any more.
BEYOND_HORIZON = """
    insert into payments.attention (environment, account_id, reason, object_type, object_id, message)
    select 'test', provider_account_id, 'events_beyond_horizon', 'account', provider_account_id, 'Compare the objects.'
    from payments.provider_connections where environment = 'test' returning 1"""
OPEN_HORIZON = """
    select count(*) from payments.attention where reason = 'events_beyond_horizon' and closed_at is null"""

# (table, key column, what is set, where it applies, how many rows)
CORRUPTED = (
    ("transactions", "provider_object_id", "amount = amount + 1", "type = 'one_time_payment'", 5),
    ("transactions", "provider_object_id", "status = 'pending'", "type = 'subscription_invoice'", 2),
    ("transactions", "provider_object_id", "amount = 7, description = 'x'", "type = 'refund'", 3),
    ("payment_invoices", "payment_intent_id", "invoice_id = 'in_Wrong'", "invoice_id <> ''", 2),
    ("stripe_subscriptions", "subscription_id", "status = 'past_due'", "true", 4),
    ("stripe_subscription_items", "subscription_item_id", "quantity = 99", "true", 3),
    ("stripe_prices", "price_id", "unit_amount = 1", "true", 2),
    ("stripe_products", "product_id", "name = 'Another'", "true", 1),
    ("customers", "provider_customer_id", "email = 'mallory@example.com'", "true", 6),
    ("customers", "provider_customer_id", "deleted = true", "email <> 'mallory@example.com'", 1),
    ("stripe_objects", "object_id", "raw = jsonb_set(raw, '{amount}', '1')", "object_type = 'charge'", 4),
    ("stripe_objects", "object_id", "raw = '{}'", "object_type = 'customer'", 2),
    ("stripe_objects", "object_id", "raw = jsonb_set(raw, '{amount_paid}', '3')", "object_type = 'invoice'", 2),
)
DELETED = (
    ("transactions", "provider_object_id", "true", 5),
    ("customers", "provider_customer_id", "email <> 'mallory@example.com' and not deleted", 4),
    ("stripe_subscription_items", "subscription_item_id", "quantity <> 99", 2),
    ("stripe_objects", "object_id", "object_type in ('payment_intent', 'refund', 'dispute')", 6),
    ("payment_invoices", "payment_intent_id", "true", 2),
    ("customer_mappings", "concat_ws(':', subject_type, subject_id)", "true", 3),
)
# table -> rows that Stripe has nothing of; the refund stands with a payment that is written again by a repair
ADDED = {
    "customers": """
        insert into payments.customers (environment, account_id, provider, provider_customer_id)
        select 'test', provider_account_id, 'stripe', 'cus_Added' || n
        from payments.provider_connections, generate_series(1, 3) n returning provider_customer_id""",
    "transactions": """
        insert into payments.transactions (environment, account_id, provider, type, status, provider_object_type,
            provider_object_id, amount, currency, provider_created_at)
        select 'test', provider_account_id, 'stripe', 'one_time_payment', 'succeeded', 'payment_intent',
            'pi_Added' || n, 500, 'usd', '2024-01-01'
        from payments.provider_connections, generate_series(1, 3) n returning provider_object_id""",
    "stripe_subscriptions": """
        insert into payments.stripe_subscriptions (environment, account_id, subscription_id, customer_id, status,
            subject_type, subject_id, started_at)
        select 'test', provider_account_id, 'sub_Added', 'cus_Added1', 'active', 'user', 'u1', '2024-01-01'
        from payments.provider_connections returning subscription_id""",
    "stripe_objects": """
        insert into payments.stripe_objects (environment, account_id, object_type, object_id, as_of, source,
            payment_key, raw)
        select 'test', account_id, 'refund', 're_Added', 1, 'api', payment_key, jsonb_build_object(
            'id', 're_Added', 'object', 'refund', 'amount', 5, 'currency', 'usd', 'status', 'succeeded',
            'payment_intent', payment_key)
        from payments.stripe_objects where object_type = 'charge' and payment_key like 'pi%'
        order by raw ->> 'amount' = '1' desc limit 1
        returning object_id""",
}


async def spoil_much(database: FreshDatabase) -> set[tuple[str, str, str]]:
    """Spoil random rows of every table; exactly what a comparison has to find."""
    expected: set[tuple[str, str, str]] = set()
    touched: dict[str, set[str]] = {}

    async def choose(table: str, key: str, where: str, count: int) -> list[str]:
        taken = ", ".join(f"'{one}'" for one in touched.get(table, set())) or "''"
        keys = await spoil(
            database,
            f"select {key} from payments.{table} where {where} and {key} not in ({taken})"
            f" order by random() limit {count}",
        )
        assert len(keys) == count, (table, where)
        touched.setdefault(table, set()).update(keys)
        return keys

    for table, key, change, where, count in CORRUPTED:
        for one in await choose(table, key, where, count):
            await spoil(database, f"update payments.{table} set {change} where {key} = '{one}' returning {key}")
            expected.add(("stale", table, one))
    for table, key, where, count in DELETED:
        for one in await choose(table, key, where, count):
            await spoil(database, f"delete from payments.{table} where {key} = '{one}' returning 1")
            expected.add(("missing", table, one))
    for table, statement in ADDED.items():
        expected |= {("extra", table, one) for one in await spoil(database, statement)}
    return expected


async def test_exactly_the_spoilt_rows_are_found_and_repaired(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await mirrored(database, parts, sandbox, **SHOP)
        clean = await run(parts)
        whole = await digest(database.superuser_url)
        await spoil(database, BEYOND_HORIZON)
        await run(parts, fix=True, objects=("products",))
        assert await spoil(database, OPEN_HORIZON) == [1]
        expected = await spoil_much(database)
        spoilt = await digest(database.superuser_url)
        dry = await run(parts)
        untouched = await digest(database.superuser_url)
        fixed = await run(parts, fix=True)
        await age(database)
        await asyncio.sleep(2)  # what was made in the second in which a run begins is not compared
        second = await run(parts)
        repaired = await digest(database.superuser_url)
        third = await run(parts, fix=True)
    assert (clean["reconciliation"]["status"], found(clean)) == ("succeeded", set())
    assert found(dry) == expected
    assert untouched == spoilt
    assert found(fixed) == expected
    assert all(one["fixed"] for one in fixed["findings"])
    assert (found(second), found(third)) == (set(), set())
    assert await digest(database.superuser_url) == repaired
    assert await spoil(database, OPEN_HORIZON) == [0]
    assert contents(repaired) == contents(whole)


def contents(state: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Rows of the contract's tables that Stripe has. Without when a payment was paid: of one that only reads told of,
    that is when a read first found it so, and some of the rows that remembered it were deleted."""
    return {
        table: [
            {column: value for column, value in row.items() if column != "paid_at"}
            for row in rows
            if "Added" not in str(row)
        ]
        for table, rows in state.items()
        if table not in ("stripe_objects",)
    }
