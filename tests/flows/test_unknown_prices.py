"""Subscription checkouts of prices that our mirror does not know yet: they are read first, and only they."""

from typing import Any

import pytest

from paygres.server.errors import Idempotency, PermissionDenied, Upstream
from paygres.server.flows.requests.fields import Subject
from tests.flows.checkouts import ADA, BOB
from tests.flows.running_parts import rows
from tests.flows.test_subscription_checkout import TAKEN, bought, buy, connected, row
from tests.flows.test_subscription_checkout import stripe as stripe  # the fixture
from tests.fresh_database import FreshDatabase
from tests.sandbox.running import Sandbox

READ = {"path": "/v1/prices", "method": "GET", "count": None}


def dial(stripe: Sandbox, *answers: dict[str, Any]) -> None:
    stripe.http.browser.post("/_sim/faults", json={"answers": answers})


@pytest.fixture(autouse=True)
def healthy(stripe: Sandbox) -> None:
    dial(stripe)


def yearly(stripe: Sandbox, product: str) -> str:
    """A price that only Stripe knows."""
    made = stripe.stripe.v1.prices.create(
        {"product": product, "currency": "usd", "unit_amount": 9000, "recurring": {"interval": "year"}}
    )
    return made.id


def product_of(stripe: Sandbox, price: str) -> str:
    found: str = stripe.http.api("GET", f"/v1/prices/{price}").json()["product"]
    return found


async def mirrored(database: FreshDatabase, price: str) -> list[dict[str, Any]]:
    return await rows(
        database,
        "select p.name from payments.stripe_prices r join payments.stripe_products p using (environment, product_id)"
        " where r.price_id = $1",
        price,
    )


async def stored(database: FreshDatabase) -> int:
    return len(await rows(database, "select from payments.stripe_checkout_sessions"))


async def test_another_interval_of_the_plan_that_a_subject_has_is_not_sold(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, monthly):
        await bought(parts, stripe, monthly)
        price = yearly(stripe, product_of(stripe, monthly))
        for key in (None, "yearly"):
            with pytest.raises(Idempotency, match=TAKEN):
                await buy(parts, price, idempotency_key=key)
        assert await stored(database) == 1
        assert len(await mirrored(database, price)) == 1


async def test_a_family_that_only_stripes_product_tells_is_not_sold_twice(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, _):
        products = [
            stripe.stripe.v1.products.create({"name": name, "metadata": {"plan_family": "tiers"}}).id
            for name in ("Basic", "Pro")
        ]
        basic, pro = (yearly(stripe, product) for product in products)
        await bought(parts, stripe, basic)
        with pytest.raises(Idempotency, match=TAKEN):
            await buy(parts, pro)
        assert await mirrored(database, pro) == [{"name": "Pro"}]


async def test_a_price_that_stripe_does_not_know_either_is_told_as_ever(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, _):
        for price in ("price_1Nowhere", "..", "a/b"):
            with pytest.raises(Upstream, match="must name a price of the connected Stripe account") as refused:
                await buy(parts, price)
            assert (refused.value.status, refused.value.definite) == (400, True)
            assert "not among the prices" in (refused.value.next_actions or "")
        assert {one["status"] for one in await rows(database, "select * from payments.stripe_checkout_sessions")} == {
            "failed"
        }


async def test_nothing_is_stored_nor_sold_while_the_price_cannot_be_read(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, monthly):
        price = yearly(stripe, product_of(stripe, monthly))
        for status in (503, 403):
            dial(stripe, {"status": status, **READ})
            with pytest.raises(Upstream):
                await buy(parts, price, idempotency_key="k")
            assert await stored(database) == 0
        dial(stripe)
        session = await buy(parts, price, idempotency_key="k")
        assert (await row(database, session))["generation"] == 1


async def test_known_prices_and_one_time_payments_are_not_read(database: FreshDatabase, stripe: Sandbox) -> None:
    async with connected(database, stripe) as (parts, monthly):
        unknown = stripe.price()
        dial(stripe, {"status": 503, **READ})
        assert (await buy(parts, monthly))["status"] == "open"
        assert (await buy(parts, unknown, mode="payment"))["status"] == "open"
        assert await mirrored(database, unknown) == []


async def test_a_stranger_is_refused_before_stripe_is_asked(database: FreshDatabase, stripe: Sandbox) -> None:
    async with connected(database, stripe) as (parts, monthly):
        price = yearly(stripe, product_of(stripe, monthly))
        dial(stripe, {"status": 503, **READ})
        with pytest.raises(PermissionDenied):
            await buy(parts, price, buyer=BOB, subject=Subject(type="user", id=ADA))
        assert await mirrored(database, price) == []
