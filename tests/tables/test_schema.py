"""Migrations: what they make, that they can run again, and what they leave alone."""

import asyncpg
import pytest

from paygres.server.db.migrate import MigrationError, is_current, migrate, migration_files
from tests.fresh_database import FreshDatabase
from tests.tables.dump import dump
from tests.tables.write_schema import SCHEMA


def test_schema_sql_is_what_the_migrations_make(shared_database: FreshDatabase) -> None:
    expected = SCHEMA.read_text(encoding="utf-8")
    assert dump(shared_database.superuser_url) == expected, "run: python -m tests.tables.write_schema"


async def test_migrating_twice_changes_nothing(database: FreshDatabase) -> None:
    before = dump(database.superuser_url)
    assert await migrate(database.owner_url, server_role="paygres_server") == []
    assert dump(database.superuser_url) == before


async def test_an_edited_migration_is_refused_after_it_was_applied(database: FreshDatabase) -> None:
    owner = await asyncpg.connect(database.owner_url)
    try:
        await owner.execute("update system.migrations set checksum = 'other' where name like '0003%'")
        assert not await is_current(owner)
        with pytest.raises(MigrationError, match=r"0003\w+\.sql was edited after it had been applied"):
            await migrate(database.owner_url, server_role="paygres_server")
    finally:
        await owner.close()


async def test_a_changed_function_file_is_applied_again(database: FreshDatabase) -> None:
    owner = await asyncpg.connect(database.owner_url)
    try:
        await owner.execute(
            "update system.migrations set checksum = 'of an older version' where name = 'functions/01_times.sql';"
            "create or replace function payments.iso(moment timestamptz) returns text language sql stable strict"
            " as $$ select 'an older version' $$"
        )
        assert await migrate(database.owner_url, server_role="paygres_server") == ["functions/01_times.sql"]
        assert await owner.fetchval("select payments.iso('2030-01-01Z')") == "2030-01-01T00:00:00.000Z"
    finally:
        await owner.close()


async def test_migrating_never_overwrites_a_replaced_can_bill(database: FreshDatabase) -> None:
    owner = await asyncpg.connect(database.owner_url)
    try:
        await owner.execute(
            "create or replace function payments.can_bill(subject_type text, subject_id text) returns boolean"
            " language sql as $$ select true $$;"
            "update system.migrations set checksum = 'of an older version' where name like 'functions/%'"
        )
        applied = await migrate(database.owner_url, server_role="paygres_server")
        assert len(applied) == sum(repeatable for _, _, repeatable in migration_files())
        assert await owner.fetchval("select payments.can_bill('team', 'anything')")
    finally:
        await owner.close()


async def test_no_role_is_superuser_or_bypasses_row_level_security(transaction: asyncpg.Connection) -> None:
    strong = await transaction.fetch(
        "select rolname from pg_roles where (rolsuper or rolbypassrls) and rolname <> current_user"
    )
    assert strong == []


async def test_row_level_security_is_enabled_and_forced_on_the_session_tables(
    transaction: asyncpg.Connection,
) -> None:
    secured = await transaction.fetch(
        "select relname, relrowsecurity, relforcerowsecurity from pg_class"
        " where relnamespace = 'payments'::regnamespace and (relrowsecurity or relforcerowsecurity) order by 1"
    )
    assert [tuple(r) for r in secured] == [
        ("stripe_checkout_sessions", True, True),
        ("stripe_customer_portal_sessions", True, True),
    ]


# It takes no argument and changes nothing but statistics, which only an owner may have gathered.
OWNERS = {
    "payments.analyze_new_tables()",
    # policies ask these as callers, who may not read what they are computed from
    "payments.access_of(text,text,text)",
    "payments.default_environment()",
    "payments.has_access(text,text,text,text)",
    # fulfillment, in the role of developers' triggers: the ledger and the outbox are ours
    "payments.bought(text,jsonb)",
    "payments.money_of(text,text)",
    "payments.superseding(payments.stripe_checkout_sessions)",
    "payments.announce_fulfillment()",
    # whoever deletes a checkout, what Stripe was sent for it goes too
    "payments.forget_checkout_attempt()",
}


async def test_no_function_of_ours_runs_with_its_owners_rights(transaction: asyncpg.Connection) -> None:
    found = await transaction.fetch(
        "select oid::regprocedure::text from pg_proc where prosecdef"
        " and pronamespace in ('payments'::regnamespace, 'auth'::regnamespace, 'system'::regnamespace)"
    )
    assert {row["oid"] for row in found} - OWNERS == set()
