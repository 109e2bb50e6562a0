"""The default policies on checkout sessions: what is denied first, then what is allowed (decision 21)."""

import asyncpg
import pytest

from paygres.server.caller import Caller
from tests.tables.acting import GUEST, SESSIONS, acting, insert, sees, user

ADA, BOB = "user_ada", "22222222-2222-4222-8222-222222222222"
STRANGER = Caller("anon", network="203.0.113.0/24")
ADMIN = Caller("project_admin")
REFUSED = pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security")
TEAM_CAN_BILL = """
create table public.team_members (team_id text, user_id text);
insert into public.team_members values ('t1', 'user_ada');
create or replace function payments.can_bill(subject_type text, subject_id text) returns boolean
language sql stable security definer set search_path = '' as $$
    select can_bill.subject_type = 'team' and exists (
        select from public.team_members m
        where m.team_id = can_bill.subject_id and m.user_id = auth.jwt() ->> 'sub')
$$;
"""


async def test_a_user_may_not_bill_another_user(transaction: asyncpg.Connection) -> None:
    with REFUSED:
        await insert(transaction, user(ADA), ("user", BOB))


async def test_a_user_may_not_bill_a_team(transaction: asyncpg.Connection) -> None:
    with REFUSED:
        await insert(transaction, user(ADA), ("team", "t1"))


async def test_a_user_may_not_bill_half_a_subject(transaction: asyncpg.Connection) -> None:
    async with acting(transaction, user(ADA)):
        savepoint = transaction.transaction()
        await savepoint.start()
        with REFUSED:
            await transaction.execute(
                f"insert into {SESSIONS} (environment, mode, subject_id, success_url, cancel_url, created_by)"
                " values ('test', 'payment', $1, 'a:b', 'a:b', $1)",
                ADA,
            )
        await savepoint.rollback()


async def test_a_user_may_not_forge_who_created_a_session(transaction: asyncpg.Connection) -> None:
    with REFUSED:
        await insert(transaction, user(ADA), created_by=BOB)


async def test_a_token_without_a_sub_may_not_create_a_session(transaction: asyncpg.Connection) -> None:
    with REFUSED:
        await insert(transaction, Caller("authenticated"))


@pytest.mark.parametrize("subject", [("user", ADA), ("team", "t1"), ("user", "")])
async def test_a_guest_may_not_name_a_subject(transaction: asyncpg.Connection, subject: tuple[str, str]) -> None:
    with REFUSED:
        await insert(transaction, GUEST, subject)


async def test_a_guest_may_not_subscribe(transaction: asyncpg.Connection) -> None:
    with REFUSED:
        await insert(transaction, GUEST, mode="subscription")


async def test_a_guest_may_not_create_in_a_users_name(transaction: asyncpg.Connection) -> None:
    with REFUSED:
        await insert(transaction, GUEST, created_by=ADA)


async def test_a_guest_may_not_create_in_another_scope(transaction: asyncpg.Connection) -> None:
    with REFUSED:
        await insert(transaction, GUEST, scope=f"user:{ADA}")


@pytest.mark.parametrize("scope", [f"subject:4:user:{BOB}", f"user:{BOB}", "guest:203.0.113.0/24", f"user:{ADA}"])
async def test_a_user_may_not_occupy_an_idempotency_key_of_another_scope(
    transaction: asyncpg.Connection, scope: str
) -> None:
    with REFUSED:
        await insert(transaction, user(ADA), ("user", ADA), scope=scope)


async def test_a_row_that_sql_writes_without_a_scope_is_allowed(transaction: asyncpg.Connection) -> None:
    assert await sees(transaction, user(ADA), await insert(transaction, user(ADA), ("user", ADA), scope=""))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("status", "'completed'"),
        ("payment_status", "'paid'"),
        ("checkout_session_id", "'cs_test_1'"),
        ("customer_id", "'cus_1'"),
        ("payment_intent_id", "'pi_1'"),
        ("subscription_id", "'sub_1'"),
        ("url", "'https://a.example.com'"),
        ("raw", """'{"id": "cs_test_1"}'"""),
        ("leased_until", "'infinity'"),
        ("superseded_by_subscription", "'sub_1'"),
        ("caller_scope", "'subject:4:user:user_bob'"),
    ],
)
@pytest.mark.parametrize("generous", [False, True])
async def test_a_user_may_not_say_what_became_of_a_checkout_whatever_developers_allow(
    transaction: asyncpg.Connection, generous: bool, column: str, value: str
) -> None:
    if generous:
        await transaction.execute(
            f"set local role paygres_owner; create policy mine on {SESSIONS} for all to authenticated"
            " using (true) with check (true); reset role"
        )
    async with acting(transaction, user(ADA)):
        savepoint = transaction.transaction()
        await savepoint.start()
        with REFUSED:
            await transaction.execute(
                f"insert into {SESSIONS} (environment, mode, subject_type, subject_id, success_url, cancel_url,"
                f" created_by, {column}) values ('test', 'payment', 'user', $1, 'a:b', 'a:b', $1, {value})",
                ADA,
            )
        await savepoint.rollback()


async def test_a_user_may_bill_only_itself(transaction: asyncpg.Connection) -> None:
    row_id = await insert(transaction, user(ADA), ("user", ADA))
    assert not await sees(transaction, user(BOB), row_id, capability=str(row_id))
    assert not await sees(transaction, GUEST, row_id, capability=str(row_id))
    assert await sees(transaction, user(ADA), row_id)
    assert await sees(transaction, ADMIN, row_id)


async def test_a_users_session_without_subject_is_its_own(transaction: asyncpg.Connection) -> None:
    row_id = await insert(transaction, user(ADA))
    assert not await sees(transaction, user(BOB), row_id, capability=str(row_id))
    assert not await sees(transaction, STRANGER, row_id, capability=str(row_id), scope=f"user:{ADA}")
    assert await sees(transaction, user(ADA), row_id)


async def test_a_guests_session_is_hidden_from_whoever_lacks_its_id(transaction: asyncpg.Connection) -> None:
    row_id = await insert(transaction, GUEST)
    assert not await sees(transaction, STRANGER, row_id)
    assert not await sees(transaction, user(ADA), row_id)
    assert await sees(transaction, STRANGER, row_id, capability=str(row_id))
    assert await sees(transaction, user(ADA), row_id, capability=str(row_id))
    assert await sees(transaction, GUEST, row_id)


async def test_a_capability_opens_one_row_only(transaction: asyncpg.Connection) -> None:
    row_id = await insert(transaction, GUEST)
    other = await insert(transaction, GUEST)
    async with acting(transaction, STRANGER, capability=str(row_id)):
        found = await transaction.fetch(f"select id from {SESSIONS}")
    assert [r["id"] for r in found] == [row_id]
    assert other != row_id


async def test_the_owner_reads_as_an_admin_and_by_policy_only(transaction: asyncpg.Connection) -> None:
    row_id = await insert(transaction, GUEST)
    await transaction.execute("set local role paygres_owner")
    assert [r["id"] for r in await transaction.fetch(f"select id from {SESSIONS}")] == [row_id]
    await transaction.execute(f"drop policy admins on {SESSIONS}")
    assert await transaction.fetch(f"select id from {SESSIONS}") == []


async def test_a_replaced_can_bill_opens_teams_to_their_members(transaction: asyncpg.Connection) -> None:
    await transaction.execute(f"set local role paygres_owner; {TEAM_CAN_BILL} reset role")
    row_id = await insert(transaction, user(ADA), ("team", "t1"))
    with REFUSED:
        await insert(transaction, user(BOB), ("team", "t1"))
    with REFUSED:
        await insert(transaction, GUEST, ("team", "t1"))
    assert not await sees(transaction, user(BOB), row_id, capability=str(row_id))
    assert await sees(transaction, user(ADA), row_id)


@pytest.mark.parametrize("subject", [("user", BOB), ("team", "t1")])
async def test_a_user_may_not_open_another_subjects_portal(
    transaction: asyncpg.Connection, subject: tuple[str, str]
) -> None:
    with REFUSED:
        await insert_portal(transaction, user(ADA), subject)


async def test_a_user_may_open_its_own_portal(transaction: asyncpg.Connection) -> None:
    await insert_portal(transaction, user(ADA), ("user", ADA))


async def test_a_guest_may_not_open_a_portal(transaction: asyncpg.Connection) -> None:
    with REFUSED:
        await insert_portal(transaction, GUEST, ("user", ADA))


async def insert_portal(connection: asyncpg.Connection, caller: Caller, subject: tuple[str, str]) -> None:
    async with acting(connection, caller):
        await connection.execute(
            "insert into payments.stripe_customer_portal_sessions (environment, subject_type, subject_id, created_by)"
            " values ('test', $1, $2, $3)",
            *subject,
            caller.sub,
        )
