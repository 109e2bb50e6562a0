"""Nothing of one request reaches the next: no role, claim, setting or lock survives on a pooled connection."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paygres.server.caller import Caller
from paygres.server.db.database import Database
from paygres.server.errors import NotConfigured, PaygresError, PermissionDenied
from paygres.server.tables import checkout_sessions
from paygres.server.tables.checkout_sessions import Draft, GuestLimit
from paygres.server.tables.sqlstates import TooLong, translated
from tests.fresh_database import FreshDatabase

CALLERS = (
    Caller("anon", network="198.51.100.0/24"),
    Caller("authenticated", sub="user_ada", email="ada@example.com"),
    Caller("authenticated", sub="o'brien\\"),
    Caller("authenticated"),
    Caller("project_admin"),
)
STATE = """
select current_user::text as role, current_setting('role') as named, coalesce(auth.jwt()::text, '') as claims,
       coalesce(payments.caller_scope(), '') as scope, coalesce(payments.capability(), '') as capability,
       current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
       current_setting('search_path') as path,
       (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks
"""
CLEAN_BUT_TIMEOUTS = {
    "role": "paygres_service",
    "named": "paygres_service",
    "claims": "",
    "scope": "",
    "capability": "",
    "path": "",
    "locks": 0,
}
Request = Callable[[Database, Caller], Awaitable[object]]


class Dropped(Exception):
    """What a flow may raise in the middle of a transaction."""


async def reads(db: Database, caller: Caller) -> None:
    await checkout_sessions.read(db, caller, "test", str(uuid.uuid4()))


async def looks(db: Database, caller: Caller) -> None:
    async with db.as_caller(caller) as tx:
        assert await tx.fetchval("select current_user::text") == caller.role
        assert await tx.fetchval("select auth.jwt() ->> 'role'") == caller.role
        assert await tx.fetchval("select auth.jwt() ->> 'sub'") == caller.sub


async def drops_it(db: Database, caller: Caller) -> None:
    with suppress(Dropped):
        async with db.as_caller(caller):
            raise Dropped


async def is_refused(db: Database, caller: Caller) -> None:
    with suppress(PermissionDenied), translated():
        async with db.as_caller(caller) as tx:
            await tx.execute("delete from payments.stripe_checkout_sessions")


async def divides_by_zero(db: Database, caller: Caller) -> None:
    with suppress(PaygresError), translated():
        async with db.as_caller(caller) as tx:
            await tx.fetchval("select 1 / 0")


async def works_as_the_service(db: Database, caller: Caller) -> None:
    async with db.as_service(settings="SET LOCAL statement_timeout = 1234; SET LOCAL lock_timeout = 567") as tx:
        await tx.execute("select pg_advisory_xact_lock(7), set_config('role', 'payments_trigger', true)")


async def takes_too_long(db: Database, caller: Caller) -> None:
    with suppress(TooLong), translated():
        async with db.as_service(settings="SET LOCAL statement_timeout = 5") as tx:
            await tx.execute("select pg_advisory_xact_lock(8), set_config('role', 'anon', true), pg_sleep(1)")


async def is_cancelled(db: Database, caller: Caller) -> None:
    """The client hangs up: the task is cancelled inside a statement."""

    async def sleeps() -> None:
        async with db.as_caller(caller) as tx:
            await tx.execute("select pg_sleep(2)")

    with suppress(TimeoutError):
        await asyncio.wait_for(sleeps(), 0.02)


async def fails_without_a_transaction(db: Database, caller: Caller) -> None:
    with suppress(PaygresError), translated():
        await db.execute("select set_config('role', 'anon', true), 1 / (random() * 0)::integer")


def reserves(*, configured: bool, keyed: bool, subject: tuple[str, str] | None) -> Request:
    """The checkout's own function: it takes on the caller's role inside, and may be refused."""

    async def request(db: Database, caller: Caller) -> None:
        draft = Draft(
            id=uuid.uuid4(),
            environment="test",
            account_id="acct_1",
            mode="payment",
            subject=subject,
            customer_email=None,
            line_items=[],
            success_url="a:b",
            cancel_url="a:b",
            idempotency_key="order:1" if keyed else None,
            request_hash=caller.role,
            metadata={},
            params={},
        )
        limit = GuestLimit(1000, 1000) if caller.role == "anon" else None
        with suppress(PermissionDenied, NotConfigured):
            await checkout_sessions.reserve(
                db, caller, draft, configured=configured, guest_limit=limit, lease=timedelta(seconds=1)
            )

    return request


REQUESTS: list[Request] = [
    reads,
    looks,
    drops_it,
    is_refused,
    divides_by_zero,
    works_as_the_service,
    takes_too_long,
    is_cancelled,
    fails_without_a_transaction,
    *(
        reserves(configured=configured, keyed=keyed, subject=subject)
        for configured in (True, False)
        for keyed in (True, False)
        for subject in (None, ("user", "user_ada"))
    ),
]
STEPS = st.lists(st.tuples(st.sampled_from(REQUESTS), st.sampled_from(CALLERS)), min_size=1, max_size=12)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_no_role_claim_setting_or_lock_leaks_to_the_next_request(
    database: FreshDatabase, steps: list[tuple[Request, Caller]]
) -> None:
    asyncio.run(run(database.server_url, steps))


async def run(url: str, steps: list[tuple[Request, Caller]]) -> None:
    """Every step on the one connection there is, and a look at it after each."""
    db = await Database.connect(url, checkout_pool=1, webhook_pool=1)
    try:
        fresh = dict(await db.fetchrow(STATE) or {})
        assert fresh.items() >= CLEAN_BUT_TIMEOUTS.items()
        for request, caller in steps:
            await request(db, caller)
            assert dict(await db.fetchrow(STATE) or {}) == fresh, request.__name__
    finally:
        await db.close()


async def test_the_pool_starts_as_the_weak_role(database: FreshDatabase) -> None:
    db = await Database.connect(database.server_url, checkout_pool=1, webhook_pool=1)
    try:
        for pool in ("checkout", "webhook"):
            assert await db.fetchval("select current_user::text", pool=pool) == "paygres_service"
            powers = "select rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = session_user"
            assert not await db.fetchval(powers, pool=pool)
    finally:
        await db.close()
