"""What an event costs does not grow with what waits or is stored: its plans are made while nothing is, and kept."""

import asyncpg
import orjson

from tests.fresh_database import FreshDatabase

KNOWN = "select rivals from payments.known('test', 'charge', 'ch_1', $1, 'event', 'evt_3', '{pi_1}')"
TOLD = """
insert into payments.stripe_snapshots (
    environment, account_id, object_type, object_id, as_of, source, event_id, event_type, payload)
select 'test', 'acct_1', 'charge', 'ch_1', n, 'event', 'evt_' || n, 'charge.updated', '{}' from generate_series(1, 2) n
"""
WAITING = """
insert into payments.event_queue (environment, event_id, status, attempts, reason)
select 'test', 'evt_' || n, 'pending', 1, 'parked: for this test' from generate_series(2, 2000) n
"""
MAP = "select payments.apply_mappings('test', 'acct_1', $1::jsonb)"
MANY = """
insert into payments.subject_customers (
    environment, account_id, subject_type, subject_id, customer_id, since, evidence_id)
select 'test', 'acct_1', 'user', 'u' || n, 'cus_' || n, 1, 'cs_' || n from generate_series(1, 3000) n;
insert into payments.customer_mappings (
    environment, account_id, provider, subject_type, subject_id, provider_customer_id)
select 'test', 'acct_1', 'stripe', 'user', 'u' || n, 'cus_' || n from generate_series(1, 3000) n
"""
READ_OF_MAPPINGS = """
select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int from pg_stat_xact_user_tables
where relname in ('subject_customers', 'customer_mappings', 'stripe_objects', 'attention')
"""
READ = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'event_queue'"


async def test_what_is_known_of_an_object_is_found_without_reading_the_queue(database: FreshDatabase) -> None:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        await connection.execute(TOLD)
        assert '"evt_2"' in await connection.fetchval(KNOWN, 1)
        await connection.execute(WAITING)
        async with connection.transaction():
            rivals = await connection.fetchval(KNOWN, 1)
            assert await connection.fetchval(READ) < 10
        assert '"evt_1"' in rivals
        assert '"evt_2"' not in rivals  # parked: it decides nothing
    finally:
        await connection.close()


async def test_a_new_customer_is_mapped_without_reading_all_others(database: FreshDatabase) -> None:
    connection = await asyncpg.connect(database.superuser_url)

    async def meet(name: str) -> None:
        told = {
            "subject_type": "user",
            "subject_id": name,
            "customer_id": f"cus_{name}",
            "since": 1,
            "evidence_id": "e",
        }
        await connection.execute(MAP, orjson.dumps([told]).decode())

    try:
        for number in range(7):  # more often than PostgreSQL looks for a better plan
            await meet(f"early{number}")
        await connection.execute(MANY)
        async with connection.transaction():
            before = await connection.fetchval(READ_OF_MAPPINGS)
            await meet("late")
            assert await connection.fetchval(READ_OF_MAPPINGS) - before < 30
        mapped = "select provider_customer_id from payments.customer_mappings where subject_id = 'late'"
        assert await connection.fetchval(mapped) == "cus_late"
    finally:
        await connection.close()
