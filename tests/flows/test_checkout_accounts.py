"""A switch to another Stripe account: nothing is deleted, and nothing of the old account is used in the new one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from paygres.server.caller import Caller
from paygres.server.errors import Unavailable
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.create_checkout_session import create_checkout_session
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.fields import Subject
from tests.flows.checkouts import ADA, SESSIONS, checkout_request, without_endpoints
from tests.flows.running_parts import Sandbox as Accounts
from tests.flows.running_parts import parts_on, rows
from tests.fresh_database import FreshDatabase
from tests.sandbox.running import Sandbox, official_client

CALLER = Caller("authenticated", sub=ADA)


@pytest.fixture(scope="module")
def stripe() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@asynccontextmanager
async def connected(database: FreshDatabase, stripe: Sandbox) -> AsyncIterator[Parts]:
    async with parts_on(database, without_endpoints(stripe).url) as parts:
        await connect_account(parts, "test", stripe.key, actor="test")
        yield parts


async def switch(parts: Parts, stripe: Sandbox) -> tuple[str, str]:
    """Connect an account never seen before; a price of its own, and its key."""
    _, key = Accounts.new_account()
    client = official_client(stripe.url, key).v1
    price = client.prices.create({"product_data": {"name": "Notebook"}, "currency": "usd", "unit_amount": 1500}).id
    await connect_account(parts, "test", key, actor="test")
    return price, key


async def buy(parts: Parts, price: str, **changes: Any) -> dict[str, Any]:
    return await create_checkout_session(parts, CALLER, "test", checkout_request(price, **changes))


async def pay(parts: Parts, stripe: Sandbox, session: dict[str, Any]) -> str:
    """Paid, and read at Stripe; the customer."""
    stripe.http.browser.post("/_sim/pay", json={"session": session["checkoutSessionId"]})
    connection = await parts.connections.current("test")
    path = f"{SESSIONS}/{session['checkoutSessionId']}"
    answer = await parts.gateway.request(connection.stripe_key, "get", path)
    await apply_reads(parts.db, connection, [answer.object], answer.as_of)
    return answer.object["customer"]


async def test_the_old_accounts_customer_is_not_used_in_the_new_one(database: FreshDatabase, stripe: Sandbox) -> None:
    subject = Subject(type="user", id=ADA)
    async with connected(database, stripe) as parts:
        old = await pay(parts, stripe, await buy(parts, stripe.price(), subject=subject))
        price, _ = await switch(parts, stripe)
        session = await buy(parts, price, subject=subject, customer_email="ada@example.com")
        params = await sent(database, session)
        assert "customer" not in params
        assert params["customer_email"] == "ada@example.com"
        new = await pay(parts, stripe, session)
        assert (await sent(database, await buy(parts, price, subject=subject)))["customer"] == new
    mapped = await rows(database, "select provider_customer_id from payments.customer_mappings")
    assert [m["provider_customer_id"] for m in mapped] == [new]
    recorded = await rows(database, "select customer_id from payments.subject_customers order by customer_id")
    assert [r["customer_id"] for r in recorded] == sorted([old, new])


async def sent(database: FreshDatabase, session: dict[str, Any]) -> dict[str, Any]:
    """What Stripe was sent for a session."""
    (found,) = await rows(
        database,
        "select params from payments.checkout_attempts where id = $1::text::uuid",
        session["id"],
    )
    return orjson.loads(found["params"])


async def test_a_key_starts_anew_in_the_new_account(database: FreshDatabase, stripe: Sandbox) -> None:
    async with connected(database, stripe) as parts:
        price, key = await switch(parts, stripe)
        first = await buy(parts, price, idempotency_key="order:1")
        await connect_account(parts, "test", stripe.key, actor="test")
        await connect_account(parts, "test", key, actor="test")
        again = await buy(parts, price, idempotency_key="order:1")
        assert (again["id"], again["url"]) == (first["id"], first["url"])
        other, _ = await switch(parts, stripe)
        assert (await buy(parts, other, idempotency_key="order:2"))["status"] == "open"


async def test_a_checkout_in_flight_does_not_finish_into_another_account(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as parts:
        price = stripe.price()
        stripe.http.browser.post("/_sim/faults", json={"latency": 1.5})
        try:
            buying = asyncio.create_task(buy(parts, price, idempotency_key="order:switched"))
            await asyncio.sleep(0.1)
        finally:
            stripe.http.browser.post("/_sim/faults", json={"latency": 0.0})
        await switch(parts, stripe)
        with pytest.raises(Unavailable, match="account was changed during this checkout"):
            await buying
    (row,) = await rows(database, "select status, url, account_id from payments.stripe_checkout_sessions")
    assert (row["status"], row["url"], row["account_id"]) == ("failed", None, stripe.ready["accountId"])
