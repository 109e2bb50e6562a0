"""Restricted keys: what they may do, what they are told when they may not, expired keys."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from tests.sandbox.running import Sandbox, official_client

LETTERS = "Restricted" * 4


@pytest.fixture
def key(sandbox: Sandbox) -> Iterator[str]:
    """A restricted key of the printed account."""
    key = sandbox.key.replace("sk_test_", "rk_test_")[:-10] + "EndOfTheKey"
    yield key
    restrict(sandbox, key, None)


def restrict(sandbox: Sandbox, key: str, permissions: dict[str, str] | None, **more: Any) -> None:
    asked = {"key": key, "permissions": permissions, **more}
    answer = sandbox.http.browser.post("/_sim/restricted_keys", json=asked)
    assert answer.json() == {"account": sandbox.ready["accountId"]}


def test_a_key_without_rules_may_do_everything_in_its_account(sandbox: Sandbox, key: str) -> None:
    client = official_client(sandbox.url, key).v1
    made = client.customers.create({"name": "Ada"})
    assert sandbox.stripe.v1.customers.retrieve(made.id).name == "Ada"
    assert client.accounts.retrieve_current().id == sandbox.ready["accountId"]


def test_a_missing_permission_is_named(sandbox: Sandbox, key: str) -> None:
    restrict(sandbox, key, {"products": "read"})
    client = official_client(sandbox.url, key).v1
    assert client.products.list().data == []
    with pytest.raises(stripe.PermissionError) as refused:
        client.products.create({"name": "A"})
    assert refused.value.http_status == 403
    shown = f"rk_test_{'*' * (len(key) - 14)}TheKey"
    assert refused.value.user_message == (
        f"The provided key '{shown}' does not have the required permissions for this endpoint on account "
        f"'{sandbox.ready['accountId']}'. Having the 'rak_product_write' permission would allow this request to "
        "continue."
    )
    assert refused.value.error is not None
    assert refused.value.error.type == "invalid_request_error"


@pytest.mark.parametrize(
    ("permissions", "method", "path", "missing"),
    [
        ({}, "GET", "/v1/account", "rak_accounts_kyc_basic_read"),
        ({"checkout_sessions": "read"}, "POST", "/v1/checkout/sessions", "rak_checkout_session_write"),
        ({"checkout_session": "none"}, "GET", "/v1/checkout/sessions", "rak_checkout_session_read"),
        ({"products": "write"}, "GET", "/v1/prices", "rak_plan_read"),
        ({"webhook_endpoints": "read"}, "POST", "/v1/webhook_endpoints", "rak_webhook_write"),
        ({}, "GET", "/v1/events", "rak_event_read"),
        ({}, "POST", "/v1/billing_portal/sessions", "rak_customer_portal_write"),
        ({"customers": "read"}, "DELETE", "/v1/customers/cus_1", "rak_customer_write"),
    ],
)
def test_each_endpoint_needs_its_permission(
    sandbox: Sandbox, key: str, permissions: dict[str, str], method: str, path: str, missing: str
) -> None:
    restrict(sandbox, key, permissions)
    answer = sandbox.http.browser.request(method, path, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403
    assert f"Having the '{missing}' permission" in answer.json()["error"]["message"]


def test_writing_includes_reading(sandbox: Sandbox, key: str) -> None:
    restrict(sandbox, key, {"customers": "write"})
    client = official_client(sandbox.url, key).v1
    assert client.customers.retrieve(client.customers.create({"name": "A"}).id).name == "A"


def test_an_expired_key_is_refused_and_any_key_can_expire(sandbox: Sandbox, key: str) -> None:
    restrict(sandbox, key, None, expired=True)
    with pytest.raises(stripe.AuthenticationError) as refused:
        official_client(sandbox.url, key).v1.customers.list()
    assert refused.value.http_status == 401
    assert refused.value.error is not None
    assert refused.value.error.code == "api_key_expired"
    assert refused.value.user_message == f"Expired API Key provided: rk_test_{'*' * (len(key) - 14)}TheKey"
    restrict(sandbox, sandbox.key, None, expired=True)
    assert sandbox.http.api("GET", "/v1/customers").status_code == 401
    restrict(sandbox, sandbox.key, None)
    assert sandbox.http.api("GET", "/v1/customers").status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        {"key": "sk_live_" + LETTERS, "permissions": {}},
        {"key": "rk_test_" + LETTERS, "permissions": {"cats": "read"}},
        {"key": "rk_test_" + LETTERS, "permissions": {"products": "all"}},
        {"key": "rk_test_" + LETTERS, "permissions": ["products"]},
    ],
)
def test_a_rule_that_means_nothing_is_refused(sandbox: Sandbox, asked: dict[str, Any]) -> None:
    assert sandbox.http.browser.post("/_sim/restricted_keys", json=asked).status_code == 400
