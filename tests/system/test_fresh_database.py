"""The suite's own ground: databases for tests are real, migrated and separate."""

import asyncpg

from tests.fresh_database import FreshDatabase


async def test_a_fresh_database_is_migrated(database: FreshDatabase) -> None:
    connection = await asyncpg.connect(database.owner_url)
    assert await connection.fetchval("select count(*) from payments.webhook_events") == 0
    await connection.close()


async def test_the_server_role_is_weak(database: FreshDatabase) -> None:
    connection = await asyncpg.connect(database.server_url)
    role = await connection.fetchrow("select * from pg_roles where rolname = current_user")
    assert role is not None
    powers = [name for name in ("rolsuper", "rolcreaterole", "rolcreatedb", "rolbypassrls") if role[name]]
    assert powers == []
    await connection.close()


async def test_rows_of_one_test_are_not_seen_by_another(database: FreshDatabase) -> None:
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute("create table public.marks (id int)")
    await connection.close()
    assert database.name in database.server_url
