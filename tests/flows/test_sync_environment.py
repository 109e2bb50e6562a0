"""A sync mirrors products, prices and customers, says honestly how it went, and runs once at a time."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from paygres.server import errors
from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.parts import Parts
from paygres.server.flows.read_catalog import read_catalog, read_price, read_product
from paygres.server.flows.sync_environment import sync_environment
from paygres.server.flows.sync_plan import NAMES
from tests.flows.canned_stripe import Said, canned
from tests.flows.running_parts import Sandbox, parts_on, rows, sandbox_process
from tests.flows.syncing import seed
from tests.flows.webhooks import script
from tests.fresh_database import FreshDatabase

NO_SUBSCRIPTIONS = {"environment": "test", "synced": 0, "unmapped": 0, "deleted": 0}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_process() as running:
        yield running


async def made(parts: Parts, key: str, path: str, **params: object) -> str:
    answer = await parts.gateway.request(key, "post", path, params)
    return answer.object["id"]


async def test_archived_and_active_objects_are_mirrored_and_counted(database: FreshDatabase, sandbox: Sandbox) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        mug = await made(parts, key, "/v1/products", name="Mug", metadata={"size": "m"})
        await made(parts, key, "/v1/products", name="Cap", active=False)
        price = await made(parts, key, "/v1/prices", product=mug, currency="usd", unit_amount=1900, lookup_key="mug")
        monthly = {"product": mug, "currency": "eur", "unit_amount": 500, "recurring": {"interval": "month"}}
        old = await made(parts, key, "/v1/prices", **monthly)
        await made(parts, key, f"/v1/prices/{old}", active=False)
        customer = await made(parts, key, "/v1/customers", email="ada@example.com")
        await connect_account(parts, "test", key, actor="test")
        result = await sync_environment(parts, "test")
        catalog = await read_catalog(parts.db, "test")
        product = await read_product(parts.db, "test", mug)
        assert await read_price(parts.db, "test", price) in product["prices"]
    assert (result["environment"], result["subscriptions"]) == ("test", NO_SUBSCRIPTIONS)
    counts = result["connection"]["lastSyncCounts"]
    assert counts == {**dict.fromkeys(NAMES, 0), "products": 2, "prices": 2, "customers": 1}
    assert [(p["name"], p["active"]) for p in catalog["products"]] == [("Cap", False), ("Mug", True)]
    by_id = {p["priceId"]: p for p in catalog["prices"]}
    synced_at = by_id[price].pop("syncedAt")
    assert by_id[price] == {
        "environment": "test",
        "priceId": price,
        "productId": mug,
        "active": True,
        "currency": "usd",
        "unitAmount": 1900,
        "unitAmountDecimal": "1900",
        "type": "one_time",
        "lookupKey": "mug",
        "billingScheme": "per_unit",
        "taxBehavior": "unspecified",
        "recurringInterval": None,
        "recurringIntervalCount": None,
        "metadata": {},
    }
    assert synced_at.endswith("Z")
    assert (by_id[old]["active"], by_id[old]["recurringInterval"]) == (False, "month")
    assert product["product"]["metadata"] == {"size": "m"}
    [stored] = await rows(database, "select provider_customer_id, email from payments.customers")
    assert stored == {"provider_customer_id": customer, "email": "ada@example.com"}


async def test_more_than_a_page_is_read_to_the_end(database: FreshDatabase, sandbox: Sandbox) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url, limits=False) as parts:
        names = [f"Product {n:03}" for n in range(205)]
        await asyncio.gather(*(made(parts, key, "/v1/products", name=name) for name in names))
        await connect_account(parts, "test", key, actor="test")
        catalog = await read_catalog(parts.db, "test")
    assert [p["name"] for p in catalog["products"]] == names


async def test_an_environment_without_a_key_is_left_alone_and_no_failure(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url) as parts:
        result = await sync_environment(parts, "live")
    assert result["subscriptions"] is None
    assert (result["connection"]["status"], result["connection"]["lastSyncStatus"]) == ("unconfigured", None)
    assert await rows(database, "select from payments.provider_connections") == []


async def test_a_failed_sync_says_so_and_keeps_time_and_counts_of_the_last_good_one(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    account, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await made(parts, key, "/v1/products", name="Mug")
        await connect_account(parts, "test", key, actor="test")
        before = (await sync_environment(parts, "test"))["connection"]
    no_retry = {"Stripe-Should-Retry": "false"}
    script = Said({"id": account}), Said({"error": {"message": "Stripe is down"}}, 500, no_retry)
    async with canned(*script) as stripe, parts_on(database, stripe.url) as parts:
        result = await sync_environment(parts, "test")
    after = result["connection"]
    assert result["subscriptions"] is None
    assert (after["status"], after["lastSyncStatus"], after["lastSyncError"]) == (
        "error",
        "failed",
        "Stripe is down",
    )
    assert (after["lastSyncedAt"], after["lastSyncCounts"]) == (
        before["lastSyncedAt"],
        before["lastSyncCounts"],
    )
    async with parts_on(database, sandbox.url) as parts:
        repaired = (await sync_environment(parts, "test"))["connection"]
    assert (repaired["status"], repaired["lastSyncError"]) == ("connected", None)


async def test_two_syncs_at_once_take_turns(database: FreshDatabase, sandbox: Sandbox) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        results = await asyncio.gather(*(sync_environment(parts, "test") for _ in range(3)))
    assert [r["connection"]["lastSyncStatus"] for r in results] == ["succeeded"] * 3
    assert len({r["connection"]["lastSyncedAt"] for r in results}) == 3
    assert await rows(database, "select from payments.provider_connections where sync_leased_until is not null") == []


async def test_the_claim_of_a_killed_sync_runs_out(database: FreshDatabase, sandbox: Sandbox) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        await rows(
            database,
            "update payments.provider_connections set sync_leased_until = now() + interval '1 second'",
        )
        result = await sync_environment(parts, "test")
    assert result["connection"]["lastSyncStatus"] == "succeeded"


async def test_the_catalog_shows_the_connected_account_only(database: FreshDatabase, sandbox: Sandbox) -> None:
    (_, old_key), (_, key) = sandbox.new_account(), sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        old = await made(parts, old_key, "/v1/products", name="Old")
        await made(parts, key, "/v1/products", name="New")
        await connect_account(parts, "test", old_key, actor="test")
        await connect_account(parts, "test", key, actor="test")
        catalog = await read_catalog(parts.db, "test")
        with pytest.raises(errors.NotFound, match=rf"^Stripe test product not found: {old}$") as raised:
            await read_product(parts.db, "test", old)
        with pytest.raises(errors.NotFound, match=r"^Stripe test price not found: price_x$"):
            await read_price(parts.db, "test", "price_x")
    assert [p["name"] for p in catalog["products"]] == ["New"]
    assert raised.value.code == "PAYMENT_PRODUCT_NOT_FOUND"
    assert len(await rows(database, "select from payments.stripe_products")) == 2


FULFILLMENT = """
create table public.granted (what text);
grant insert on public.granted to payments_trigger;
create function public.grant_it() returns trigger language plpgsql set search_path = '' as $$
begin
    insert into public.granted values (tg_table_name);
    return new;
end $$;
create trigger grant_it after insert or update on payments.webhook_events
    for each row execute function public.grant_it();
"""


async def test_connecting_an_account_with_a_month_of_history_mirrors_it_and_fulfills_nothing(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    account, key = sandbox.new_account()
    month = {"since": int(time.time()) - 30 * 86400, "until": int(time.time())}
    history = {"checkout_sessions": 30, "payment_intents": 30, "refunds": 4, "disputes": 2, "subscriptions": 6}
    made_there = seed(sandbox, account, **history, invoices=8, events=True, **month)
    script(database, FULFILLMENT)
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await connect_account(parts, "test", key, actor="test")
        result = await sync_environment(parts, "test")
    counts = result["connection"]["lastSyncCounts"]
    assert {name: counts[name] for name in made_there if name in counts} == {
        name: count for name, count in made_there.items() if name in counts
    }
    refunds = await rows(database, "select from payments.transactions where type = 'refund'")
    paid = await rows(database, "select from payments.transactions where type <> 'refund' and status like '%refunded'")
    assert (len(refunds), len(paid)) == (4, 4)
    [sold] = await rows(database, "select count(*) from payments.transactions where status = 'succeeded'")
    assert sold["count"] > 0
    assert await rows(database, "select from public.granted") == []
    assert await rows(database, "select from payments.webhook_events") == []
    assert await rows(database, "select from payments.stripe_subscriptions having count(*) <> 6") == []
    open_links = "select from payments.refetch_queue where object_type = 'payment_intent.invoice'"
    told = await rows(database, "select from payments.payment_invoices")
    assert len(told) == counts["invoice_payments"]
    assert len(await rows(database, open_links)) <= counts["payment_intents"] - len(told)
