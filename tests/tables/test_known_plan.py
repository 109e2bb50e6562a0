"""What an event costs does not grow with what waits: its plans are made while nothing does, and kept."""

import asyncpg

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
