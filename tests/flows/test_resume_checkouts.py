"""The worker's care for checkouts whose process died: sent again with their own key, or ended with a reason."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from paygres.server.caller import Caller
from paygres.server.flows.checkout_draft import draft_checkout
from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.create_checkout_session import create_checkout_session
from paygres.server.flows.parts import Parts
from paygres.server.flows.resume_checkout_sessions import resume_checkout_sessions
from paygres.server.tables import checkout_sessions
from tests.flows.checkouts import ADA, SESSIONS, checkout_request, without_endpoints
from tests.flows.listening import until
from tests.flows.running_parts import parts_on, rows
from tests.fresh_database import FreshDatabase
from tests.sandbox.running import Sandbox

CALLER = Caller("authenticated", sub=ADA)
POST = {"path": SESSIONS, "method": "POST"}
ABANDONED = "updated_at = now() - interval '6 s'"
WAITING = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


@pytest.fixture(scope="module")
def stripe() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@asynccontextmanager
async def connected(database: FreshDatabase, stripe: Sandbox) -> AsyncIterator[Parts]:
    async with parts_on(database, without_endpoints(stripe).url) as parts:
        await connect_account(parts, "test", stripe.key, actor="test")
        yield parts


async def abandon(
    parts: Parts, database: FreshDatabase, price: str, *, at_stripe: bool, key: str | None = None
) -> uuid.UUID:
    """A checkout whose process died six seconds ago: after reserving, or (`at_stripe`) before finishing."""
    connection = await parts.connections.current("test")
    request = checkout_request(price, idempotency_key=key)
    draft = draft_checkout(parts.installation_id, CALLER, "test", connection.account_id, request)
    reserved = await checkout_sessions.reserve(
        parts.db, CALLER, draft, configured=True, guest_limit=None, lease=timedelta(seconds=35)
    )
    assert reserved.row_id is not None
    if at_stripe:
        stripe_key = f"insforge:test:checkout_session:{reserved.row_id}"
        await parts.gateway.request(
            connection.stripe_key, "post", SESSIONS, reserved.params, idempotency_key=stripe_key
        )
    await force(database, reserved.row_id, ABANDONED)
    return reserved.row_id


def dial(stripe: Sandbox, answers: list[dict[str, Any]]) -> None:
    stripe.http.browser.post("/_sim/faults", json={"answers": answers})


async def force(database: FreshDatabase, row_id: uuid.UUID, change: str, *, leased_until: str = "null") -> None:
    """Put a row into an old state; the trigger on updated_at does not see it."""
    connection = await asyncpg.connect(database.superuser_url)
    try:
        await connection.execute(
            f"set session_replication_role = replica;"
            f"update payments.stripe_checkout_sessions set {change} where id = '{row_id}';"
            f"update payments.checkout_attempts set leased_until = {leased_until} where id = '{row_id}'"
        )
    finally:
        await connection.close()


async def row(database: FreshDatabase, row_id: uuid.UUID) -> dict[str, Any]:
    (found,) = await rows(database, "select * from payments.stripe_checkout_sessions where id = $1", row_id)
    return found


def made(stripe: Sandbox, row_id: uuid.UUID) -> list[dict[str, Any]]:
    """The sessions Stripe has of this row."""
    listed = stripe.http.api("GET", SESSIONS, {"limit": "100"}).json()["data"]
    return [one for one in listed if one["client_reference_id"] == str(row_id)]


@pytest.mark.parametrize("at_stripe", [False, True])
async def test_an_abandoned_checkout_ends_with_one_open_session(
    database: FreshDatabase, stripe: Sandbox, at_stripe: bool
) -> None:
    async with connected(database, stripe) as parts:
        row_id = await abandon(parts, database, stripe.price(), at_stripe=at_stripe)
        assert len(made(stripe, row_id)) == int(at_stripe)
        assert await resume_checkout_sessions(parts) == 1
        assert await resume_checkout_sessions(parts) == 0
    (session,) = made(stripe, row_id)
    healed = await row(database, row_id)
    assert (healed["status"], healed["checkout_session_id"], healed["last_error"]) == ("open", session["id"], None)
    assert healed["url"] == session["url"]


async def test_a_checkout_that_was_paid_unheard_is_known_as_completed(database: FreshDatabase, stripe: Sandbox) -> None:
    async with connected(database, stripe) as parts:
        row_id = await abandon(parts, database, stripe.price(), at_stripe=True)
        stripe.http.browser.post("/_sim/faults", json={"drop": 1.0})
        stripe.http.browser.post("/_sim/pay", json={"session": made(stripe, row_id)[0]["id"]})
        stripe.http.browser.post("/_sim/faults", json={"drop": 0.0})
        assert await resume_checkout_sessions(parts) == 1
    assert (await row(database, row_id))["status"] == "completed"
    (sale,) = await rows(database, "select status, amount from payments.transactions")
    assert sale == {"status": "succeeded", "amount": 3000}


async def test_what_another_request_is_busy_with_is_left_alone(database: FreshDatabase, stripe: Sandbox) -> None:
    async with connected(database, stripe) as parts:
        leased = await abandon(parts, database, stripe.price(), at_stripe=False)
        await force(database, leased, ABANDONED, leased_until="now() + interval '1 minute'")
        young = await abandon(parts, database, stripe.price(), at_stripe=False)
        await force(database, young, "updated_at = now()")
        assert await resume_checkout_sessions(parts) == 0
    assert made(stripe, leased) == made(stripe, young) == []


async def test_a_checkout_that_ends_while_it_is_taken_over_is_not_sent(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as parts:
        row_id = await abandon(parts, database, stripe.price(), at_stripe=False)
        async with parts.db.as_service() as tx:
            await tx.execute("select payments.end_checkout_attempt($1, true, 'Stripe refused')", row_id)
            taking = asyncio.create_task(checkout_sessions.lease(parts.db, row_id, timedelta(seconds=35)))
            await until(lambda: rows(database, WAITING))
        assert await taking is None
    assert (await row(database, row_id))["status"] == "failed"


async def test_two_workers_send_a_checkout_once(database: FreshDatabase, stripe: Sandbox) -> None:
    async with connected(database, stripe) as parts:
        price = stripe.price()
        ids = [await abandon(parts, database, price, at_stripe=n == 0) for n in range(2)]
        both = await asyncio.gather(resume_checkout_sessions(parts), resume_checkout_sessions(parts))
    assert sum(both) == 2
    for row_id in ids:
        assert await rows(database, "select attempt from payments.checkout_attempts where id = $1", row_id) == [
            {"attempt": 2}
        ]
        assert len(made(stripe, row_id)) == 1


async def test_one_that_stripe_refuses_does_not_hold_up_the_others(database: FreshDatabase, stripe: Sandbox) -> None:
    async with connected(database, stripe) as parts:
        price = stripe.price()
        doomed = await abandon(parts, database, price, at_stripe=False)
        good = await abandon(parts, database, stripe.price(), at_stripe=False)
        stripe.stripe.v1.prices.update(price, {"active": False})
        assert await resume_checkout_sessions(parts) == 1
    ended = await row(database, doomed)
    assert ended["status"] == "failed"
    assert "activate it" in ended["last_error"]
    assert (await row(database, good))["status"] == "open"


async def test_a_refused_key_leaves_the_checkout_for_later(database: FreshDatabase, stripe: Sandbox) -> None:
    """The session may be there already: ending the row would let the same key make a second one."""
    async with connected(database, stripe) as parts:
        row_id = await abandon(parts, database, stripe.price(), at_stripe=True)
        dial(stripe, [{"status": 401, **POST}])
        try:
            assert await resume_checkout_sessions(parts) == 0
        finally:
            dial(stripe, [])
        assert (await row(database, row_id))["status"] == "initialized"
        await force(database, row_id, ABANDONED)
        assert await resume_checkout_sessions(parts) == 1
    assert [s["id"] for s in made(stripe, row_id)] == [(await row(database, row_id))["checkout_session_id"]]


async def test_a_checkout_of_another_account_is_ended_without_asking_stripe(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as parts:
        row_id = await abandon(parts, database, stripe.price(), at_stripe=False)
        await force(database, row_id, f"account_id = 'acct_1Before', {ABANDONED}")
        assert await resume_checkout_sessions(parts) == 0
    ended = await row(database, row_id)
    assert (ended["status"], ended["last_error"]) == (
        "failed",
        "Made for a Stripe account that is not connected now",
    )
    assert made(stripe, row_id) == []


async def test_after_23_hours_a_checkout_is_given_up_and_its_key_starts_anew(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as parts:
        price = stripe.price()
        row_id = await abandon(parts, database, price, at_stripe=False, key="order:old")
        await force(database, row_id, f"created_at = now() - interval '24 hours', {ABANDONED}")
        assert await resume_checkout_sessions(parts) == 0
        assert (await row(database, row_id))["status"] == "failed"
        request = checkout_request(price, idempotency_key="order:old")
        session = await create_checkout_session(parts, CALLER, "test", request)
    assert session["status"] == "open"
    assert (await row(database, uuid.UUID(session["id"])))["generation"] == 2
    assert made(stripe, row_id) == []


async def test_what_a_guest_left_behind_a_month_ago_is_forgotten_with_what_was_to_be_sent(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as parts:
        kept = await abandon(parts, database, stripe.price(), at_stripe=False)
        gone = await abandon(parts, database, stripe.price(), at_stripe=False)
        left_behind = "status = 'failed', created_at = now() - interval '31 days'"
        await force(database, kept, left_behind)
        await force(
            database,
            gone,
            f"{left_behind}, created_by = null, subject_type = null, subject_id = null, caller_scope = 'guest:a'",
        )
        await checkout_sessions.abandoned(parts.db, ["test"], 10)
    assert await rows(database, "select id from payments.stripe_checkout_sessions") == [{"id": kept}]
    assert await rows(database, "select id from payments.checkout_attempts") == [{"id": kept}]
