"""Restricted keys: what they lack is named before anything is stored, and again when they lose it later."""

import asyncio
import json
import urllib.request
from collections.abc import Iterator

import pytest

from paygres.server import errors
from paygres.server.flows.check_webhook_endpoint import check_webhook_endpoint
from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.read_connections import read_connections
from paygres.server.flows.sync_environment import sync_environment
from tests.flows.running_parts import Sandbox, endpoints, parts_on, rows, sandbox_process
from tests.fresh_database import FreshDatabase

READS = (
    "account",
    "charges",
    "customers",
    "disputes",
    "events",
    "invoices",
    "payment_intents",
    "prices",
    "products",
    "refunds",
    "subscriptions",
)
NEEDED = {
    **dict.fromkeys(READS, "read"),
    **dict.fromkeys(("checkout_sessions", "billing_portal_sessions", "webhook_endpoints"), "write"),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_process() as running:
        yield running


def restrict(sandbox: Sandbox, key: str, permissions: dict[str, str] | None, *, expired: bool = False) -> None:
    asked = json.dumps({"key": key, "permissions": permissions, "expired": expired}).encode()
    with urllib.request.urlopen(f"{sandbox.url}/_sim/restricted_keys", asked) as answer:
        assert answer.status == 200


def restricted(sandbox: Sandbox, **changes: str) -> tuple[str, str, str]:
    """(account, its secret key, a restricted key of it with what is needed, but for `changes`)."""
    account, key = sandbox.new_account()
    weak = f"rk_test_51{account.removeprefix('acct_1')}{'0' * 40}"
    restrict(sandbox, weak, {**NEEDED, **changes})
    return account, key, weak


async def refusal(database: FreshDatabase, sandbox: Sandbox, key: str) -> errors.NotConfigured:
    """Why the key is not taken; nothing is stored then."""
    async with parts_on(database, sandbox.url) as parts:
        with pytest.raises(errors.NotConfigured) as raised:
            await connect_account(parts, "test", key, actor="test")
    for table in ("system.secrets", "payments.provider_connections", "system.audit_log"):
        assert await rows(database, f"select from {table}") == []
    assert (raised.value.status, raised.value.code) == (400, "PAYMENT_CONFIG_INVALID")
    assert key not in raised.value.message
    return raised.value


async def test_every_missing_permission_is_named_once_and_nothing_is_stored(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, _, key = restricted(sandbox, account="none", products="none", invoices="none", webhook_endpoints="none")
    error = await refusal(database, sandbox, key)
    assert error.message == (
        "This restricted key lacks permissions: rak_accounts_kyc_basic_read (read the account), "
        "rak_product_read (read products), rak_invoice_read (read invoices, read invoice payments), "
        "rak_webhook_write (write webhook endpoints)"
    )
    assert "Developers, API keys" in (error.next_actions or "")


@pytest.mark.parametrize(
    ("noun", "level", "named"),
    [
        ("account", "none", "rak_accounts_kyc_basic_read (read the account)"),
        ("checkout_sessions", "read", "rak_checkout_session_write (write checkout sessions)"),
        ("billing_portal_sessions", "none", "rak_customer_portal_write (write customer portal sessions)"),
        ("prices", "none", "rak_plan_read (read prices)"),
        ("events", "none", "rak_event_read (read events)"),
    ],
)
async def test_a_single_missing_permission_is_enough_to_refuse(
    database: FreshDatabase, sandbox: Sandbox, noun: str, level: str, named: str
) -> None:
    _, _, key = restricted(sandbox, **{noun: level})
    assert (await refusal(database, sandbox, key)).message == f"This restricted key lacks a permission: {named}"


async def test_an_expired_key_is_told_in_stripes_words(database: FreshDatabase, sandbox: Sandbox) -> None:
    _, _, key = restricted(sandbox)
    restrict(sandbox, key, NEEDED, expired=True)
    assert (await refusal(database, sandbox, key)).message.startswith("Expired API Key provided: rk_test_")


async def test_the_permissions_we_name_are_enough_and_trying_them_leaves_nothing_at_stripe(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    account, key, weak = restricted(sandbox)
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", weak, actor="ada", request_id="req_1")
        shown = (await read_connections(parts.db))[0]
        sessions = await parts.gateway.request(key, "get", "/v1/checkout/sessions")
        [endpoint] = await endpoints(parts, key)
    assert (shown["maskedKey"], shown["accountId"]) == ("rk_test_****0000", account)
    assert (shown["lastSyncStatus"], shown["webhookHealth"]["status"]) == ("succeeded", "ok")
    assert (sessions.object["data"], endpoint["id"]) == ([], shown["webhookEndpointId"])
    [record] = await rows(database, "select * from system.audit_log where action = 'config.set'")
    assert (record["actor"], record["target"], record["request_id"]) == ("ada", account, "req_1")
    assert json.loads(record["details"])["maskedKey"] == "rk_test_****0000"
    assert weak not in str(record)


async def test_a_permission_lost_later_is_502_with_its_name_in_sync_and_health(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    _, _, key = restricted(sandbox)
    async with parts_on(database, sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        restrict(sandbox, key, {"account": "read", "products": "read"})
        with pytest.raises(errors.Upstream) as raised:
            await parts.gateway.request(key, "post", "/v1/checkout/sessions", {"mode": "payment"})
        await sync_environment(parts, "test")
        await check_webhook_endpoint(parts, "test")
        shown = (await read_connections(parts.db))[0]
    assert (raised.value.status, raised.value.code) == (502, "PAYMENT_CONFIG_INVALID")
    assert "rak_checkout_session_write" in raised.value.message
    assert "`rak_checkout_session_write`" in (raised.value.next_actions or "")
    assert (shown["status"], shown["lastSyncStatus"]) == ("error", "failed")
    assert "'rak_" in shown["lastSyncError"]
    assert shown["webhookHealth"]["status"] == "problem"
    assert "rak_webhook_read" in shown["webhookHealth"]["problems"][0]


async def test_two_people_saving_keys_at_once_leave_one_account_with_its_own_endpoint(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    (one, one_key), (other, other_key) = sandbox.new_account(), sandbox.new_account()
    async with parts_on(database, sandbox.url) as parts:
        await asyncio.gather(
            connect_account(parts, "test", one_key, actor="ada"), connect_account(parts, "test", other_key, actor="bob")
        )
        connection = await parts.connections.current("test")
        winner, loser = (one_key, other_key) if connection.account_id == one else (other_key, one_key)
        assert connection.stripe_key == winner
        assert connection.account_id in (one, other)
        [endpoint] = await endpoints(parts, winner)
        assert endpoint["id"] == (await read_connections(parts.db))[0]["webhookEndpointId"]
        assert await endpoints(parts, loser) == []
