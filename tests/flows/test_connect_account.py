"""Connecting and disconnecting a Stripe account: what is stored, what is shown, what survives."""

from collections.abc import Iterator

import pytest

from paygres.server import errors
from paygres.server.flows.connect_account import connect_account, seed_from_environment
from paygres.server.flows.disconnect_account import disconnect_account
from paygres.server.flows.install_webhook_secret import install_webhook_secret
from paygres.server.flows.read_connections import read_config, read_connections
from paygres.server.flows.receive_event import receive_event
from tests.flows.canned_stripe import canned
from tests.flows.running_parts import (
    WEBHOOK_URL,
    Sandbox,
    endpoints,
    parts_on,
    rows,
    sandbox_process,
)
from tests.flows.webhooks import signed
from tests.fresh_database import FreshDatabase

NOTHING = {
    "status": "unconfigured",
    "accountId": None,
    "accountEmail": None,
    "accountLivemode": None,
    "webhookEndpointId": None,
    "webhookEndpointUrl": None,
    "webhookConfiguredAt": None,
    "maskedKey": None,
    "lastSyncedAt": None,
    "lastSyncStatus": None,
    "lastSyncError": None,
    "lastSyncCounts": {},
    "webhookHealth": {"status": "unknown", "problems": [], "checkedAt": None},
    "eventSweep": {"completeFrom": None, "completeThrough": None, "sweptAt": None, "problem": None},
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_process() as running:
        yield running


async def test_nothing_connected_shows_two_unconfigured_environments(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with parts_on(database, sandbox.url) as parts:
        shown = await read_connections(parts.db)
        keys = await read_config(parts.db)
    assert shown == [{"environment": environment, **NOTHING} for environment in ("test", "live")]
    assert [list(one) for one in shown] == [["environment", *NOTHING]] * 2
    assert keys == [
        {"environment": environment, "value": None, "hasKey": False, "maskedKey": None}
        for environment in ("test", "live")
    ]


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ("test", "sk_test_notARealKey12"),
        ("live", "sk_live_refusedByEverySandbox1234567890"),
        ("test", "pk_test_x"),
    ],
)
async def test_a_wrong_key_is_400_and_stores_nothing(
    database: FreshDatabase, sandbox: Sandbox, environment: str, key: str
) -> None:
    async with parts_on(database, sandbox.url) as parts:
        with pytest.raises(errors.NotConfigured) as raised:
            await connect_account(parts, environment, key, actor="test")
    assert (raised.value.status, raised.value.code) == (400, "PAYMENT_CONFIG_INVALID")
    assert key not in raised.value.message
    assert await rows(database, "select from system.secrets") == []
    assert await rows(database, "select from payments.provider_connections") == []


async def test_a_silent_stripe_is_502_and_stores_nothing(database: FreshDatabase) -> None:
    async with canned() as stripe:
        address = stripe.url
    async with parts_on(database, address) as parts:
        with pytest.raises(errors.Upstream) as raised:
            await connect_account(parts, "test", Sandbox.new_account()[1], actor="test")
    assert (raised.value.status, raised.value.code) == (502, "UPSTREAM_FAILURE")
    assert await rows(database, "select from system.secrets") == []


async def test_the_key_is_sealed_in_the_table_and_masked_everywhere(database: FreshDatabase, sandbox: Sandbox) -> None:
    account, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", f" {key}\n", actor="test")
        connection = await parts.connections.current("test")
        shown, keys = (await read_connections(parts.db))[0], (await read_config(parts.db))[0]
    assert (connection.stripe_key, connection.account_id) == (key, account)
    assert key not in repr(connection)
    assert key not in str(await rows(database, "select * from system.secrets, payments.provider_connections"))
    masked = f"sk_test_****{key[-4:]}"
    assert keys == {"environment": "test", "value": masked, "hasKey": True, "maskedKey": masked}
    assert (shown["status"], shown["accountId"], shown["accountLivemode"]) == ("connected", account, False)
    assert (shown["maskedKey"], shown["webhookEndpointUrl"]) == (masked, WEBHOOK_URL)
    assert shown["lastSyncStatus"] == "succeeded"
    assert shown["lastSyncCounts"].items() >= {"products": 0, "prices": 0, "customers": 0}.items()
    assert shown["lastSyncedAt"].endswith("Z")


async def test_a_restricted_key_of_the_same_account_keeps_watermark_and_endpoint(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    account, key = sandbox.new_account()
    restricted = f"rk_test_51{account.removeprefix('acct_1')}{'0' * 40}"
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        await rows(database, "update payments.provider_connections set connected_at = to_timestamp(1000)")
        before = (await read_connections(parts.db))[0]
        await connect_account(parts, "test", restricted, actor="test")
        connection, after = await parts.connections.current("test"), (await read_connections(parts.db))[0]
    assert (connection.stripe_key, connection.connected_at) == (restricted, 1000)
    assert after["webhookEndpointId"] == before["webhookEndpointId"]
    assert after["maskedKey"] == "rk_test_****0000"


async def test_another_account_keeps_every_row_moves_the_watermark_and_drops_the_old_secrets(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    (_, old_key), (account, key) = sandbox.new_account(), sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await parts.gateway.request(old_key, "post", "/v1/products", {"name": "Old"})
        await connect_account(parts, "test", old_key, actor="test")
        await rows(database, "update payments.provider_connections set connected_at = to_timestamp(1000)")
        old_secrets = (await parts.connections.webhook("test")).secrets
        await connect_account(parts, "test", key, actor="test")
        connection = await parts.connections.current("test")
        left_behind = await endpoints(parts, old_key)
    assert (connection.account_id, connection.stripe_key) == (account, key)
    assert connection.connected_at > 1000
    assert len(connection.webhook_secrets) == 1
    assert not set(connection.webhook_secrets) & set(old_secrets)
    assert left_behind == []
    assert [r["name"] for r in await rows(database, "select name from payments.stripe_products")] == ["Old"]


EVIDENCE = """
insert into payments.subject_customers (
    environment, account_id, subject_type, subject_id, customer_id, since, evidence_id)
select 'test', $1, 'user', 'user_' || n, $2 || '_' || n, 1000 + n, 'cs_' || $2 || '_' || n from generate_series(1, $3) n
"""
MAPPINGS = "select subject_id, provider_customer_id as customer from payments.customer_mappings order by subject_id"


async def test_switching_back_to_an_earlier_account_restores_its_mappings_at_once(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    (first, first_key), (second, second_key) = sandbox.new_account(), sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:

        async def connect(key: str) -> dict[str, str]:
            await connect_account(parts, "test", key, actor="test")
            return {row["subject_id"]: row["customer"] for row in await rows(database, MAPPINGS)}

        await rows(database, EVIDENCE, first, "cus_first", 1200)  # more than one batch
        await rows(database, EVIDENCE, second, "cus_second", 2)
        mapped = await connect(first_key)
        assert len(mapped) == 1200
        assert mapped["user_1"] == "cus_first_1"
        switched = await connect(second_key)
        assert (switched["user_1"], switched["user_2"]) == ("cus_second_1", "cus_second_2")
        assert len(switched) == 1200  # what the other account maps stays, and is shown to nobody
        assert await connect(first_key) == mapped
    kept = await rows(database, "select count(*) as n from payments.subject_customers")
    assert kept[0]["n"] == 1202


async def test_a_late_delivery_of_the_earlier_account_is_refused_and_stores_nothing(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    (_, old_key), (_, key) = sandbox.new_account(), sandbox.new_account()
    payload = b'{"id": "evt_late", "object": "event", "type": "payout.paid", "created": 1800000000, "livemode": false,'
    payload += b'"data": {"object": {"id": "po_1", "object": "payout"}}}'
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", old_key, actor="test")
        await install_webhook_secret(parts, "test", "whsec_ofStripeListen")
        old_secrets = (await parts.connections.webhook("test")).secrets
        await connect_account(parts, "test", key, actor="test")
        assert len(old_secrets) == 2
        for secret in old_secrets:
            with pytest.raises(errors.InvalidRequest, match="made with another secret"):
                await receive_event(parts, "test", payload, signed(payload, secret=secret)["stripe-signature"])
        [secret] = (await parts.connections.webhook("test")).secrets
        await receive_event(parts, "test", payload, signed(payload, secret=secret)["stripe-signature"])
    assert len(await rows(database, "select from payments.webhook_events")) == 1


async def test_a_failed_endpoint_is_recorded_and_repaired_by_saving_the_same_key(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        foreign = {"url": "https://example.com/hook", "enabled_events": ["*"]}
        made = [await parts.gateway.request(key, "post", "/v1/webhook_endpoints", foreign) for _ in range(16)]
        await connect_account(parts, "test", key, actor="test")
        before = (await read_connections(parts.db))[0]
        [recorded] = await rows(database, "select webhook_error from payments.provider_connections")
        await parts.gateway.request(key, "delete", f"/v1/webhook_endpoints/{made[0].object['id']}")
        await connect_account(parts, "test", key, actor="test")
        after = (await read_connections(parts.db))[0]
    assert (before["status"], before["webhookEndpointId"], before["lastSyncStatus"]) == (
        "connected",
        None,
        "succeeded",
    )
    assert "maximum of 16" in recorded["webhook_error"]
    assert after["webhookEndpointUrl"] == WEBHOOK_URL
    [recorded] = await rows(database, "select webhook_error from payments.provider_connections")
    assert recorded["webhook_error"] is None


async def test_disconnecting_keeps_account_and_signing_secrets_and_removes_our_endpoint(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    account, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await parts.gateway.request(
            key, "post", "/v1/webhook_endpoints", {"url": "https://example.com/hook", "enabled_events": ["*"]}
        )
        await connect_account(parts, "test", key, actor="test")
        before = await parts.connections.webhook("test")
        await disconnect_account(parts, "test")
        shown, keys = (await read_connections(parts.db))[0], (await read_config(parts.db))[0]
        assert await parts.connections.webhook("test") == before
        with pytest.raises(errors.NotConfigured, match=r"^STRIPE_TEST_SECRET_KEY is not configured$"):
            await parts.connections.current("test")
        with pytest.raises(errors.NotFound, match="No Stripe key configured") as raised:
            await disconnect_account(parts, "test")
        left = [one["url"] for one in await endpoints(parts, key)]
    assert shown == {
        "environment": "test",
        **NOTHING,
        "accountId": account,
        "accountEmail": "owner@example.com",
        "accountLivemode": False,
        "lastSyncStatus": "failed",
        "lastSyncError": "STRIPE_TEST_SECRET_KEY is not configured",
    }
    assert keys["hasKey"] is False
    assert left == ["https://example.com/hook"]
    assert raised.value.code == "PAYMENT_CONFIG_NOT_FOUND"


async def test_an_unreadable_key_breaks_nothing_that_is_shown_and_can_be_replaced(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
    async with parts_on(database, sandbox.url, encryption_key="another key of thirty-two letters, new") as parts:
        assert (await read_connections(parts.db))[0]["status"] == "connected"
        with pytest.raises(errors.NotConfigured, match="STRIPE_TEST_SECRET_KEY is stored but cannot be read"):
            await parts.connections.current("test")
        await connect_account(parts, "test", key, actor="test")
        assert (await parts.connections.current("test")).stripe_key == key
        await disconnect_account(parts, "test")


async def test_the_environments_key_is_applied_when_it_changes_and_never_revives_a_removed_one(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    (_, first), (_, second) = sandbox.new_account(), sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:

        async def start(key: str) -> bool:
            await seed_from_environment(parts, secret_keys={"test": key}, webhook_secrets={})
            return await parts.connections.has_key("test")

        assert await start(first)
        await disconnect_account(parts, "test")
        assert not await start(first)
        assert await start(second)
        assert (await parts.connections.current("test")).stripe_key == second
    assert first not in str(await rows(database, "select * from system.secrets"))


async def test_a_refused_key_of_the_environment_is_tried_again_and_stops_nothing(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with canned() as stripe:
        address = stripe.url
    async with parts_on(database, address) as parts:
        await seed_from_environment(parts, secret_keys={"test": key}, webhook_secrets={})
    async with parts_on(database, sandbox.url) as parts:
        await seed_from_environment(
            parts, secret_keys={"test": key}, webhook_secrets={"test": "whsec_fromStripeListen"}
        )
        connection = await parts.connections.current("test")
    assert connection.stripe_key == key
    assert connection.webhook_secrets[1:] == ("whsec_fromStripeListen",)
