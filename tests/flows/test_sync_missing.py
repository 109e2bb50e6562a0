"""Rows that Stripe does not list any more: asked for one by one, and marked deleted only when they are gone."""

from collections.abc import Iterator
from typing import Any

import pytest

from paygres.server.flows.confirm_missing import confirm_missing
from paygres.server.flows.parts import Parts
from paygres.server.flows.sync_environment import Wanted, sync_environment
from paygres.server.flows.sync_pages import WindowReader
from paygres.server.flows.sync_plan import NAMES, may_vanish_unasked
from paygres.server.tables import syncs
from tests.flows.running_parts import Sandbox, parts_on, rows, sandbox_process
from tests.flows.syncing import connected, dial
from tests.fresh_database import FreshDatabase

DELETED = "select provider_customer_id as id from payments.customers where deleted order by 1"
ATTENTION = (
    "select object_id, message, details, closed_at is null as open from payments.attention"
    " where reason = 'sync_missing'"
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_process() as running:
        yield running


async def customers(database: FreshDatabase) -> list[str]:
    return [
        row["id"]
        for row in await rows(database, "select provider_customer_id as id from payments.customers order by 1")
    ]


async def forget(parts: Parts, key: str, ids: list[str], kind: str = "customers") -> None:
    """Deleted at Stripe, and no event told us."""
    for ident in ids:
        await parts.gateway.request(key, "delete", f"/v1/{kind}/{ident}")


@pytest.mark.parametrize(("kept", "missing"), [(0, 5), (5, 5), (400, 5), (700, 7), (5000, 20), (10**6, 20)])
def test_few_rows_may_vanish_unasked(kept: int, missing: int) -> None:
    assert may_vanish_unasked(kept) == missing


async def test_what_was_deleted_while_nobody_listened_becomes_a_tombstone(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        key, _ = await connected(parts, sandbox, customers=8, products=3)
        await sync_environment(parts, "test")
        gone = (await customers(database))[:2]
        await forget(parts, key, gone)
        [product, *_] = await rows(database, "select product_id as id from payments.stripe_products order by 1")
        await forget(parts, key, [product["id"]], "products")
        result = await sync_environment(parts, "test")
        again = await sync_environment(parts, "test")
    assert result["sync"]["deleted"] == {"products": 1, "customers": 2}
    assert result["connection"]["lastSyncCounts"]["customers"] == 6
    assert [row["id"] for row in await rows(database, DELETED)] == gone
    kept = await rows(database, "select email from payments.customers where deleted")
    assert all(row["email"] for row in kept)
    assert await rows(database, "select product_id as id from payments.stripe_products where deleted") == [product]
    assert again["sync"]["deleted"] == {}


async def test_many_missing_rows_are_left_until_an_operator_confirms(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        key, _ = await connected(parts, sandbox, customers=30)
        await sync_environment(parts, "test")
        gone = (await customers(database))[:6]
        await forget(parts, key, gone)
        careful = await sync_environment(parts, "test")
        kept, [asked] = await rows(database, DELETED), await rows(database, ATTENTION)
        confirming = Wanted(("customers",), confirm_missing=True, requested_by="ops", request_id="req_1")
        confirmed = await sync_environment(parts, "test", confirming)
    assert (careful["sync"]["deleted"], careful["sync"]["missing"], kept) == ({}, {"customers": 6}, [])
    assert careful["connection"]["lastSyncStatus"] == "succeeded"
    assert (asked["object_id"], asked["open"]) == ("customers", True)
    assert "did not list 6 of 30 customers" in asked["message"]
    assert f'"examples": ["{gone[0]}"' in asked["details"]
    assert confirmed["sync"]["deleted"] == {"customers": 6}
    assert [row["id"] for row in await rows(database, DELETED)] == gone
    assert [row["open"] for row in await rows(database, ATTENTION)] == [False]
    [audited] = await rows(
        database, "select actor, environment, request_id from system.audit_log where action = 'sync.confirm_missing'"
    )
    assert audited == {"actor": "ops", "environment": "test", "request_id": "req_1"}


async def test_an_object_that_is_there_after_all_stays(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await connected(parts, sandbox, customers=3)
        await sync_environment(parts, "test")
        # As if the list had left them out.
        await rows(database, "update payments.customers set synced_at = now() - interval '1 day'")
        result = await looked_at_unlisted(parts, database)
    assert result == {}
    assert await rows(database, DELETED) == []


async def looked_at_unlisted(parts: Parts, database: FreshDatabase) -> dict[str, int]:
    """Confirm every customer without having listed any."""

    [account] = await rows(database, "select provider_account_id as id from payments.provider_connections")
    sync = syncs.Sync("test", account["id"], ("customers",))
    async with parts.db.as_service() as tx:
        await syncs.insert(tx, sync, ["customers"])
    missing = await confirm_missing(
        parts, sync, WindowReader(parts, sync, await syncs.select_windows(parts.db, sync.id))
    )
    assert missing.unconfirmed == {}
    return {name: count for name, count in missing.deleted.items() if count}


async def test_a_refusal_while_confirming_deletes_nothing_and_fails_the_sync(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        key, _ = await connected(parts, sandbox, customers=3)
        await sync_environment(parts, "test")
        [gone, *_] = await customers(database)
        await forget(parts, key, [gone])
        dial(sandbox, "faults", answers=[{"status": 403, "path": "/v1/customers/", "count": 1}])
        result = await sync_environment(parts, "test")
    assert (result["subscriptions"], result["connection"]["lastSyncStatus"]) == (None, "failed")
    assert await rows(database, DELETED) == []


async def test_a_list_that_broke_off_deletes_nothing(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        key, _ = await connected(parts, sandbox, customers=3)
        await sync_environment(parts, "test")
        await forget(parts, key, (await customers(database))[:1])
        dial(sandbox, "faults", answers=[{"status": 403, "path": "/v1/customers", "count": 1}])
        result = await sync_environment(parts, "test")
    assert result["sync"]["deleted"] == {}
    assert await rows(database, DELETED) == []


async def test_a_customer_that_an_event_told_of_after_the_list_is_not_missing(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await connected(parts, sandbox, customers=1)
        await sync_environment(parts, "test", Wanted(("customers",)))
        [account] = await rows(database, "select provider_account_id as id from payments.provider_connections")
        await rows(
            database,
            "insert into payments.customers (environment, account_id, provider, provider_customer_id)"
            " values ('test', $1, 'stripe', 'cus_justnow')",
            account["id"],
        )
        [found] = await kept_and_missing(parts, database)
    assert found == (2, 0)


async def kept_and_missing(parts: Parts, database: FreshDatabase) -> list[tuple[int, int]]:

    [sync] = await rows(database, "select id from payments.syncs where objects = '{customers}'")
    return [await syncs.count_kept(parts.db, sync["id"], "customers")]


async def test_subscriptions_that_went_with_all_test_data_have_ended(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await connected(parts, sandbox, subscriptions=4)
        result: dict[str, Any] = await sync_environment(parts, "test")
        unknown = {"subscription_id": "sub_GoneAtStripe"}
        await rows(
            database,
            "insert into payments.stripe_subscriptions (environment, account_id, subscription_id, customer_id, status,"
            " synced_at) select environment, account_id, 'sub_GoneAtStripe', customer_id, 'active', '2020-01-01'"
            " from payments.stripe_subscriptions limit 1",
        )
        again = await sync_environment(parts, "test", Wanted(NAMES))
    assert result["subscriptions"]["synced"] == again["subscriptions"]["synced"] == 4
    assert again["subscriptions"]["deleted"] == 1
    ended = await rows(
        database, "select subscription_id from payments.stripe_subscriptions where status = 'canceled' and raw = '{}'"
    )
    assert ended == [unknown]
