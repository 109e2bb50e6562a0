"""The managed webhook endpoint: what is asked of Stripe, what is kept, rotated, and left alone."""

from collections.abc import Iterator
from typing import Any

import pytest

from paygres.server import errors
from paygres.server.flows.configure_webhook_endpoint import configure_webhook_endpoint
from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.install_webhook_secret import install_webhook_secret
from paygres.server.flows.read_connections import read_connections
from paygres.server.projections.events import EVENT_TYPES
from tests.flows.running_parts import WEBHOOK_URL, Sandbox, endpoints, parts_on, rows, sandbox_process
from tests.fresh_database import FreshDatabase, cloned

MARKS = {"managed_by": "insforge", "insforge_webhook": "stripe_payments", "insforge_environment": "test"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_process() as running:
        yield running


def marked(url: str, **more: str) -> dict[str, Any]:
    return {"url": url, "enabled_events": ["charge.refunded"], "metadata": {**MARKS, **more}}


async def test_the_endpoint_pins_version_and_events_and_carries_our_installation(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        [endpoint] = await endpoints(parts, key)
    assert (endpoint["url"], endpoint["api_version"]) == (WEBHOOK_URL, "2026-05-27.dahlia")
    assert sorted(endpoint["enabled_events"]) == list(EVENT_TYPES)
    assert endpoint["metadata"] == {
        **MARKS,
        "insforge_endpoint_path": "/api/webhooks/stripe/test",
        "insforge_endpoint_url": WEBHOOK_URL,
        "insforge_installation_id": parts.installation_id,
    }


async def test_a_good_endpoint_is_kept_with_its_secret(database: FreshDatabase, sandbox: Sandbox) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        before, secrets = (await read_connections(parts.db))[0], await parts.connections.webhook("test")
        await configure_webhook_endpoint(parts, "test")
        parts.connections.forget("test")
        after = (await read_connections(parts.db))[0]
        assert await parts.connections.webhook("test") == secrets
        assert len(await endpoints(parts, key)) == 1
    assert after["webhookHealth"].pop("checkedAt") > before["webhookHealth"].pop("checkedAt")
    assert after == before


async def test_what_stripe_can_change_is_repaired_in_place_with_the_same_secret(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        [old] = await endpoints(parts, key)
        before = await parts.connections.webhook("test")
        spoiled = {"disabled": True, "enabled_events": ["charge.refunded"], "url": "https://old.example.com/hook"}
        await parts.gateway.request(key, "post", f"/v1/webhook_endpoints/{old['id']}", spoiled)
        await configure_webhook_endpoint(parts, "test", actor="ada", request_id="req_1")
        parts.connections.forget("test")
        assert await parts.connections.webhook("test") == before
        assert await endpoints(parts, key) == [old]
    [kept] = await rows(database, "select * from system.audit_log where action = 'webhook.configure'")
    assert (kept["actor"], kept["target"], kept["request_id"]) == ("ada", old["id"], "req_1")


async def test_an_endpoint_of_another_version_is_replaced_and_its_secret_holds_ten_minutes_more(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        [good] = await endpoints(parts, key)
        [old_secret] = (await parts.connections.webhook("test")).secrets
        wanted = {**good, "api_version": "2025-03-31.basil"}
        made = {name: wanted[name] for name in ("url", "enabled_events", "api_version", "metadata")}
        old = await parts.gateway.request(key, "post", "/v1/webhook_endpoints", made)
        await rows(database, "update payments.provider_connections set webhook_endpoint_id = $1", old.object["id"])
        await configure_webhook_endpoint(parts, "test")
        now = await parts.connections.webhook("test")
        [new] = await endpoints(parts, key)
        assert new["id"] == (await read_connections(parts.db))[0]["webhookEndpointId"]
    assert new["id"] not in (old.object["id"], good["id"])
    assert new["api_version"] == "2026-05-27.dahlia"
    assert len(now.secrets) == 2
    assert now.secrets[1] == old_secret
    [minutes] = await rows(
        database,
        "select extract(epoch from expires_at - now()) / 60 as left from system.secrets "
        "where key = 'STRIPE_TEST_WEBHOOK_SECRET_PREVIOUS'",
    )
    assert 9 < minutes["left"] <= 10


async def test_a_lost_secret_means_a_new_endpoint(database: FreshDatabase, sandbox: Sandbox) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        [old] = await endpoints(parts, key)
        await rows(database, "delete from system.secrets where key like '%WEBHOOK%'")
        await configure_webhook_endpoint(parts, "test")
        [new] = await endpoints(parts, key)
        assert len((await parts.connections.webhook("test")).secrets) == 1
    assert new["id"] != old["id"]


async def test_two_installations_on_one_account_leave_each_others_endpoint_alone(
    database: FreshDatabase, sandbox: Sandbox, postgres: Any
) -> None:
    _, key = sandbox.new_account()
    with cloned(postgres) as other:
        await rows(other, "update system.installation set id = gen_random_uuid()")
        async with parts_on(database, sandbox.url) as ours, parts_on(other, sandbox.url) as theirs:
            for parts in (ours, theirs, ours, theirs):
                await connect_account(parts, "test", key, actor="test")
                await configure_webhook_endpoint(parts, "test")
            owners = [one["metadata"]["insforge_installation_id"] for one in await endpoints(ours, key)]
            assert owners == [ours.installation_id, theirs.installation_id]


async def test_an_endpoint_without_installation_id_goes_only_when_it_points_at_us(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        elsewhere = "https://other.example.com/api/webhooks/stripe/test"
        for made in (marked(WEBHOOK_URL), marked(elsewhere), {**marked(WEBHOOK_URL), "metadata": {"a": "b"}}):
            await parts.gateway.request(key, "post", "/v1/webhook_endpoints", made)
        await connect_account(parts, "test", key, actor="test")
        left = [(one["url"], "managed_by" in one["metadata"]) for one in await endpoints(parts, key)]
    assert left == [(elsewhere, True), (WEBHOOK_URL, False), (WEBHOOK_URL, True)]


async def test_a_secret_of_ones_own_is_accepted_beside_the_managed_one(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        [managed] = (await parts.connections.webhook("test")).secrets
        await install_webhook_secret(parts, "test", "whsec_fromStripeListen")
        assert (await parts.connections.webhook("test")).secrets == (managed, "whsec_fromStripeListen")
        with pytest.raises(errors.InvalidRequest, match="must start with whsec_"):
            await install_webhook_secret(parts, "test", "sk_test_x")
    assert "whsec_" not in str(await rows(database, "select value_ciphertext from system.secrets"))


async def test_without_a_key_there_is_nothing_to_configure(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with parts_on(database, sandbox.url) as parts:
        with pytest.raises(errors.NotConfigured, match=r"^STRIPE_TEST_SECRET_KEY is not configured$"):
            await configure_webhook_endpoint(parts, "test")
