"""The managed endpoint's health: what a look notices, what is repaired and by whom, which addresses are skipped."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from paygres.server import errors
from paygres.server.flows import check_webhook_endpoint as checks
from paygres.server.flows.configure_webhook_endpoint import configure_webhook_endpoint
from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.managed_endpoint import is_private, wanted_hash
from paygres.server.flows.parts import Parts
from paygres.server.flows.read_connections import read_connections
from paygres.server.projections.events import EVENT_TYPES
from paygres.server.tables import connections
from tests.flows.canned_stripe import Said, canned
from tests.flows.running_parts import WEBHOOK_URL, Sandbox, endpoints, parts_on, rows, sandbox_process
from tests.fresh_database import FreshDatabase


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_process() as running:
        yield running


async def health(parts: Parts) -> dict[str, Any]:
    return (await read_connections(parts.db))[0]["webhookHealth"]


async def looked_at(parts: Parts) -> tuple[str, str]:
    """The status after a look, and all its sentences in one text."""
    await checks.check_webhook_endpoint(parts, "test")
    seen = await health(parts)
    return seen["status"], " ".join(seen["problems"])


async def change(parts: Parts, key: str, endpoint: dict[str, Any], **changes: Any) -> None:
    await parts.gateway.request(key, "post", f"/v1/webhook_endpoints/{endpoint['id']}", changes)


# -- what a look says -----------------------------------------------------------------------------------


async def test_what_is_wrong_at_stripe_is_named_changed_by_no_look_and_repaired_on_request(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        first = await health(parts)
        [good] = await endpoints(parts, key)
        rest = [one for one in EVENT_TYPES if one != "charge.refunded"]
        await change(parts, key, good, disabled=True, enabled_events=rest, url="https://old.example.com/hook")
        [spoiled] = await endpoints(parts, key)
        status, said = await looked_at(parts)
        assert await endpoints(parts, key) == [spoiled]
        await configure_webhook_endpoint(parts, "test")
        repaired = await health(parts)
        assert await looked_at(parts) == ("ok", "")
        assert await endpoints(parts, key) == [good]
    assert (first["status"], first["problems"], repaired["status"]) == ("ok", [], "ok")
    assert first["checkedAt"].endswith("Z")
    assert status == "problem"
    assert "disabled" in said
    assert "does not get 1 of our event types: charge.refunded" in said
    assert f"delivers to https://old.example.com/hook instead of {WEBHOOK_URL}" in said


async def test_a_wrong_version_a_lost_secret_and_a_missing_endpoint_are_named(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        [good] = await endpoints(parts, key)
        made = {name: good[name] for name in ("url", "enabled_events", "metadata")}
        answer = await parts.gateway.request(
            key, "post", "/v1/webhook_endpoints", {**made, "api_version": "2025-03-31.basil"}
        )
        other = answer.object["id"]
        assert await looked_at(parts) == (
            "problem",
            f"Stripe delivers to {other} as well, an older endpoint of this installation",
        )
        await rows(database, "update payments.provider_connections set webhook_endpoint_id = $1", other)
        await parts.gateway.request(key, "delete", f"/v1/webhook_endpoints/{good['id']}")
        _, said = await looked_at(parts)
        assert said == "The endpoint speaks 2025-03-31.basil instead of 2026-05-27.dahlia: it has to be rotated"
        await rows(database, "delete from system.secrets where key = 'STRIPE_TEST_WEBHOOK_SECRET'")
        _, said = await looked_at(parts)
        assert "signing secret of the endpoint is lost" in said
        await parts.gateway.request(key, "delete", f"/v1/webhook_endpoints/{other}")
        assert await looked_at(parts) == (
            "problem",
            f"The endpoint {other} does not exist at Stripe any more: nothing arrives",
        )
        await configure_webhook_endpoint(parts, "test")
        assert await looked_at(parts) == ("ok", "")


async def test_after_an_update_new_event_types_are_added_in_place_and_foreign_ones_kept(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        [good] = await endpoints(parts, key)
        secrets = await parts.connections.webhook("test")
        await change(parts, key, good, enabled_events=["charge.refunded", "payout.paid"])
        # As an older version of this server left it: due at once, long before the ten minutes are over.
        await rows(database, "update payments.provider_connections set webhook_checked_for = 'an older list'")
        await checks.check_webhook_endpoints(parts)
        [updated] = await endpoints(parts, key)
        assert await health(parts) == {"status": "ok", "problems": [], "checkedAt": (await health(parts))["checkedAt"]}
        parts.connections.forget("test")
        assert await parts.connections.webhook("test") == secrets
    assert updated["id"] == good["id"]
    assert set(updated["enabled_events"]) == {*EVENT_TYPES, "payout.paid"}


async def test_a_look_is_due_every_ten_minutes_and_one_process_takes_it(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        wanted = {environment: wanted_hash(parts, environment) for environment in ("test", "live")}
        assert await connections.claim_webhook_checks(parts.db, wanted) == {}
        await connect_account(parts, "test", key, actor="test")
        assert await connections.claim_webhook_checks(parts.db, wanted) == {}
        await rows(
            database, "update payments.provider_connections set webhook_check_due = webhook_check_due - interval '10 m'"
        )
        took = await asyncio.gather(*(connections.claim_webhook_checks(parts.db, wanted) for _ in range(3)))
        assert sorted(list(one) for one in took) == [[], [], ["test"]]


async def test_a_look_that_ends_after_a_repair_does_not_hide_it(database: FreshDatabase, sandbox: Sandbox) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        began = (await connections.claim_webhook_checks(parts.db, {"test": ""}, now=True))["test"]
        await configure_webhook_endpoint(parts, "test")
        await connections.update_webhook_health(parts.db, "test", began, "problem", ["It was bad before"], None)
        assert (await health(parts))["status"] == "ok"


async def test_a_silent_stripe_makes_the_health_unknown_and_a_refused_key_a_problem(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
    async with canned(Said(status=500, body={"error": {"message": "down"}})) as stripe:
        async with parts_on(database, stripe.url) as parts:
            assert await looked_at(parts) == ("unknown", "Stripe could not be asked: down")
        stripe.script = [Said(status=401, body={"error": {"message": "Expired API Key provided"}})]
        async with parts_on(database, stripe.url) as parts:
            assert await looked_at(parts) == ("problem", "Stripe could not be asked: Expired API Key provided")


# -- addresses that Stripe cannot reach -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://localhost:7130/api", True),
        ("http://127.0.0.1:7130", True),
        ("http://[::1]:7130", True),
        ("http://192.168.1.4", True),
        ("http://shop", True),
        ("http://shop.local", True),
        ("https://shop.example.com", False),
        ("https://8.8.8.8", False),
    ],
)
def test_addresses_of_this_machine_or_network_are_known(url: str, private: bool) -> None:
    assert is_private(url) is private


async def test_an_address_stripe_cannot_reach_is_skipped_with_the_reason_in_status(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
    async with parts_on(database, "https://api.stripe.com") as parts:  # refused before anything is sent
        with pytest.raises(errors.NotConfigured, match=r"Skipped: Stripe cannot reach http://127\.0\.0\.1:7130"):
            await configure_webhook_endpoint(parts, "test")
        seen = await health(parts)
    assert seen["status"] == "unknown"
    assert "stripe listen" in seen["problems"][0]
