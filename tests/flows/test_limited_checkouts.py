"""Checkouts that are refused for their rate, by Stripe or by our own budget: which are over, and which go on."""

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from paygres.server.caller import Caller
from paygres.server.errors import RateLimit
from paygres.server.flows.create_checkout_session import create_checkout_session
from paygres.server.flows.parts import Parts
from paygres.server.flows.resume_checkout_sessions import resume_checkout_sessions
from tests.flows.checkouts import ADA, checkout_request
from tests.flows.running_parts import rows
from tests.flows.test_resume_checkouts import ABANDONED, POST, connected, dial, force, made, row
from tests.fresh_database import FreshDatabase
from tests.sandbox.running import Sandbox

GUEST, USER = Caller("anon", network="198.51.100.0/24"), Caller("authenticated", sub=ADA)
LIMITED = {"status": 429, "count": None, **POST}
LOST = {"status": 500, "after": True, "should_retry": True, **POST}  # done, and its answer lost on the way

BUDGETS_PAUSE = 2.5  # seconds in which we send nothing after Stripe's third 429


@pytest.fixture(scope="module")
def stripe() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


async def is_refused(
    parts: Parts, stripe: Sandbox, caller: Caller, key: str | None, *answers: dict[str, Any]
) -> dict[str, Any]:
    """The row of a checkout that Stripe answers so, and at last with 429, as the worker finds it."""
    price = stripe.price()
    dial(stripe, [*answers, LIMITED])
    try:
        with pytest.raises(RateLimit):
            await create_checkout_session(parts, caller, "test", checkout_request(price, idempotency_key=key))
    finally:
        dial(stripe, [])
    ((row_id, status, error),) = await parts.db.fetch(
        "select id, status, last_error from payments.stripe_checkout_sessions"
    )
    return {"id": row_id, "status": status, "last_error": error}


async def worker_comes(parts: Parts, database: FreshDatabase, row_id: uuid.UUID) -> int:
    """How many checkouts it resumes, some time later."""
    await asyncio.sleep(BUDGETS_PAUSE)
    await force(database, row_id, ABANDONED)
    return await resume_checkout_sessions(parts)


@pytest.mark.parametrize(("caller", "key"), [(GUEST, None), (GUEST, "order:1"), (USER, None)])
async def test_a_row_that_nobody_comes_back_for_is_over(
    database: FreshDatabase, stripe: Sandbox, caller: Caller, key: str | None
) -> None:
    async with connected(database, stripe) as parts:
        refused = await is_refused(parts, stripe, caller, key)
        assert (refused["status"], refused["last_error"][:27]) == ("failed", "Request rate limit exceeded")
        assert await worker_comes(parts, database, refused["id"]) == 0
        assert made(stripe, refused["id"]) == []


async def test_the_row_of_a_users_key_goes_on(database: FreshDatabase, stripe: Sandbox) -> None:
    async with connected(database, stripe) as parts:
        refused = await is_refused(parts, stripe, USER, "order:1")
        assert refused["status"] == "initialized"
        assert await worker_comes(parts, database, refused["id"]) == 1
        assert len(made(stripe, refused["id"])) == 1
        assert (await row(database, refused["id"]))["status"] == "open"


async def test_a_guest_whose_first_attempt_may_have_made_the_session_goes_on(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as parts:
        refused = await is_refused(parts, stripe, GUEST, None, LOST)
        assert refused["status"] == "initialized"
        assert await worker_comes(parts, database, refused["id"]) == 1
        (session,) = made(stripe, refused["id"])
        assert (await row(database, refused["id"]))["checkout_session_id"] == session["id"]


async def test_a_guests_row_that_is_resumed_goes_on(database: FreshDatabase, stripe: Sandbox) -> None:
    """A 429 for the resumed request says nothing of what the attempt before did."""
    async with connected(database, stripe) as parts:
        refused = await is_refused(parts, stripe, GUEST, "order:1", LOST)
        request = checkout_request(await sold(database), idempotency_key="order:1")
        dial(stripe, [LIMITED])
        try:
            with pytest.raises(RateLimit):
                await create_checkout_session(parts, GUEST, "test", request)
        finally:
            dial(stripe, [])
        assert (await row(database, refused["id"]))["status"] == "initialized"
        (session,) = made(stripe, refused["id"])
        await asyncio.sleep(BUDGETS_PAUSE)
        assert (await create_checkout_session(parts, GUEST, "test", request))["checkoutSessionId"] == session["id"]


async def sold(database: FreshDatabase) -> str:
    (found,) = await rows(
        database, "select line_items -> 0 ->> 'priceId' as price from payments.stripe_checkout_sessions"
    )
    return found["price"]


async def test_guests_beyond_their_share_of_our_own_budget_leave_nothing_to_do(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as parts:
        request = checkout_request(stripe.price())
        guests = (Caller("anon", network=f"198.51.{n}.0/24") for n in range(60))
        asked = (create_checkout_session(parts, guest, "test", request) for guest in guests)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        refused = [one for one in answers if isinstance(one, RateLimit)]
        assert 0 < len(refused) < 60
        counted = "select status, count(*) from payments.stripe_checkout_sessions group by status order by status"
        assert await rows(database, counted) == [
            {"status": "failed", "count": len(refused)},
            {"status": "open", "count": 60 - len(refused)},
        ]
