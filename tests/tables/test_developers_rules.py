"""What application developers define as the database's owner, without a superuser: policies and triggers."""

import asyncpg
import pytest

from tests.fresh_database import FreshDatabase
from tests.tables.acting import insert, sees, user

ADA, BOB = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
REFUSED = pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security")
# Word for word as it was written for the reference.
OWN_INSERT = """
CREATE POLICY own_ins ON payments.stripe_checkout_sessions FOR INSERT TO authenticated
  WITH CHECK (subject_type = 'user' AND subject_id = auth.uid()::text);
"""
OWN_SELECT = """
CREATE POLICY own_sel ON payments.stripe_checkout_sessions FOR SELECT TO authenticated
  USING (subject_type = 'user' AND subject_id = auth.uid()::text);
"""
ENABLE = "ALTER TABLE payments.stripe_checkout_sessions ENABLE ROW LEVEL SECURITY;"
DROP_DEFAULTS = """
DROP POLICY users_insert ON payments.stripe_checkout_sessions;
DROP POLICY users_select ON payments.stripe_checkout_sessions;
"""
MEMBERS = """
CREATE TABLE public.members (org text, member text);
INSERT INTO public.members VALUES ('o1', '11111111-1111-4111-8111-111111111111');
GRANT SELECT ON public.members TO authenticated;
CREATE POLICY org_ins ON payments.stripe_checkout_sessions FOR INSERT TO authenticated
  WITH CHECK (subject_type = 'org' AND EXISTS (
    SELECT 1 FROM public.members m WHERE m.org = subject_id AND m.member = auth.uid()::text));
CREATE POLICY org_sel ON payments.stripe_checkout_sessions FOR SELECT TO authenticated
  USING (subject_type = 'org' AND EXISTS (
    SELECT 1 FROM public.members m WHERE m.org = subject_id AND m.member = auth.uid()::text));
"""
FULFILL = """
create table public.orders (id text primary key, status text not null);
grant select, update on public.orders to payments_trigger;
create function public.fulfill() returns trigger language plpgsql set search_path = '' as $$
begin
    if new.provider = 'stripe' and new.event_type = 'checkout.session.completed'
       and new.processing_status = 'processed' then
        update public.orders set status = 'paid' where id = new.payload #>> '{data,object,metadata,order_id}';
    end if;
    return new;
end $$;
create trigger fulfill after insert or update on payments.webhook_events
    for each row execute function public.fulfill();
create trigger welcome after insert or update on payments.customers
    for each row execute function public.fulfill();
create trigger opened after insert or update on payments.stripe_checkout_sessions
    for each row execute function public.fulfill();
"""


async def as_owner(connection: asyncpg.Connection, statements: str) -> None:
    await connection.execute(f"set local role paygres_owner; {statements} reset role")


async def test_the_references_policies_work_beside_the_defaults(transaction: asyncpg.Connection) -> None:
    await as_owner(transaction, ENABLE + OWN_INSERT + OWN_SELECT)
    with REFUSED:
        await insert(transaction, user(ADA), ("user", BOB))
    row_id = await insert(transaction, user(ADA), ("user", ADA))
    assert await sees(transaction, user(ADA), row_id)


async def test_the_references_policies_work_in_place_of_the_defaults(transaction: asyncpg.Connection) -> None:
    await as_owner(transaction, DROP_DEFAULTS + OWN_INSERT + OWN_SELECT)
    with REFUSED:
        await insert(transaction, user(ADA), ("user", BOB))
    row_id = await insert(transaction, user(ADA), ("user", ADA))
    assert await sees(transaction, user(ADA), row_id)
    assert not await sees(transaction, user(BOB), row_id)


async def test_an_insert_policy_alone_refuses_every_checkout(transaction: asyncpg.Connection) -> None:
    await as_owner(transaction, DROP_DEFAULTS + OWN_INSERT)
    with REFUSED:
        await insert(transaction, user(ADA), ("user", ADA))


async def test_a_policy_that_casts_uid_refuses_a_sub_that_is_no_uuid(transaction: asyncpg.Connection) -> None:
    await as_owner(transaction, DROP_DEFAULTS + OWN_INSERT + OWN_SELECT)
    with REFUSED:
        await insert(transaction, user("user_29w83sxm"), ("user", "user_29w83sxm"))


async def test_a_policy_may_read_the_applications_tables(transaction: asyncpg.Connection) -> None:
    await as_owner(transaction, MEMBERS)
    with REFUSED:
        await insert(transaction, user(BOB), ("org", "o1"))
    row_id = await insert(transaction, user(ADA), ("org", "o1"))
    assert await sees(transaction, user(ADA), row_id)
    assert not await sees(transaction, user(BOB), row_id)


async def test_a_restrictive_policy_narrows_the_defaults(transaction: asyncpg.Connection) -> None:
    await as_owner(
        transaction,
        "create policy only_payments on payments.stripe_checkout_sessions as restrictive for insert"
        " to authenticated with check (mode = 'payment');",
    )
    with REFUSED:
        await insert(transaction, user(ADA), ("user", ADA), mode="subscription")
    await insert(transaction, user(ADA), ("user", ADA))


async def test_the_owner_creates_and_drops_the_documented_triggers(database: FreshDatabase) -> None:
    owner = await asyncpg.connect(database.owner_url)
    try:
        assert not await owner.fetchval("select rolsuper or rolbypassrls from pg_roles where rolname = current_user")
        await owner.execute(FULFILL)
        await owner.execute(
            "drop trigger fulfill on payments.webhook_events; drop trigger welcome on payments.customers;"
            "drop trigger opened on payments.stripe_checkout_sessions"
        )
    finally:
        await owner.close()


async def test_an_admin_creates_triggers_where_the_contract_says(transaction: asyncpg.Connection) -> None:
    await transaction.execute("grant create on schema public to project_admin; set local role project_admin")
    await transaction.execute(
        "create function public.noted() returns trigger language plpgsql as $$ begin return new; end $$"
    )
    hooks = ("webhook_events", "customers", "stripe_checkout_sessions", "stripe_customer_portal_sessions")
    for table in hooks:
        await transaction.execute(
            f"create trigger noted after insert on payments.{table} for each row execute function public.noted()"
        )
