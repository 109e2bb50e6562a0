"""Rate limits by rule: how many requests pass, what the others are told, and what is counted."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from paygres.sandbox.limits import Limits
from paygres.sandbox.object_limits import ObjectLimits
from paygres.sandbox.wire.errors import Refusal
from tests.sandbox.running import Sandbox


@pytest.fixture
def limited(sandbox: Sandbox) -> Iterator[Sandbox]:
    yield sandbox
    turn(sandbox, on=False)


def turn(sandbox: Sandbox, **limits: Any) -> dict[str, Any]:
    return sandbox.http.browser.post("/_sim/limits", json=limits).json()


def counted(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.http.browser.get("/_sim/limits").json()["accounts"][sandbox.ready["accountId"]]


def statuses(sandbox: Sandbox, path: str, count: int) -> list[int]:
    return [sandbox.http.api("GET", path).status_code for _ in range(count)]


def test_without_limits_all_pass_and_are_counted(sandbox: Sandbox) -> None:
    turn(sandbox, on=False)
    assert statuses(sandbox, "/v1/customers", 60) == [200] * 60
    assert (counted(sandbox)["requests"], counted(sandbox)["limited"]) == (60, 0)


def test_an_endpoint_is_limited_by_itself(limited: Sandbox) -> None:
    # So slow that no token grows back meanwhile.
    turn(limited, on=True, rate=0.01, endpoint_rate=0.005, burst=1000)
    assert statuses(limited, "/v1/customers", 7) == [200] * 5 + [429] * 2
    assert statuses(limited, "/v1/products", 7) == [200] * 5 + [429] * 2
    refused = limited.http.api("GET", "/v1/customers")
    assert refused.headers["stripe-rate-limited-reason"] == "global-rate"
    assert (counted(limited)["admitted"], counted(limited)["limited"]) == (10, 5)


def test_the_refusal_is_stripes(limited: Sandbox) -> None:
    turn(limited, on=True, rate=10, endpoint_rate=0.001, burst=1)
    assert statuses(limited, "/v1/customers", 1) == [200]
    refused = limited.http.api("GET", "/v1/customers")
    assert refused.status_code == 429
    assert refused.headers["stripe-rate-limited-reason"] == "endpoint-rate"
    error = refused.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "rate_limit")
    assert error["message"].startswith("Request rate limit exceeded. You can learn more about rate limits here ")


def test_a_refused_request_is_not_remembered_by_its_idempotency_key(limited: Sandbox) -> None:
    turn(limited, on=True, rate=10, endpoint_rate=0.001)
    assert limited.http.api("POST", "/v1/customers", "name=A", Idempotency_Key="k").status_code == 200
    assert limited.http.api("POST", "/v1/customers", "name=B", Idempotency_Key="l").status_code == 429
    turn(limited, on=False)
    assert limited.http.api("POST", "/v1/customers", "name=B", Idempotency_Key="l").status_code == 200


def test_all_objects_behind_one_path_are_one_endpoint(limited: Sandbox) -> None:
    made = [limited.stripe.v1.customers.create({}).id for _ in range(3)]
    turn(limited, on=True, rate=10, endpoint_rate=0.002, burst=1000)
    assert [limited.http.api("GET", f"/v1/customers/{id}").status_code for id in made] == [200, 200, 429]


def test_a_steady_client_gets_the_whole_rate(limited: Sandbox) -> None:
    # A pause of the machine shorter than the burst costs nothing.
    turn(limited, on=True, rate=20, endpoint_rate=20, burst=0.3)
    until = time.monotonic() + 1.0
    passed = 0
    while time.monotonic() < until:
        passed += statuses(limited, "/v1/customers", 1) == [200]
    count = counted(limited)
    assert count["admitted"] == passed
    assert count["limited"] > 0
    assert 0.9 * 20 * count["seconds"] <= passed <= 20 * count["seconds"] + 0.3 * 20 + 1


def test_tokens_are_counted_exactly() -> None:
    now = 0.0
    limits = Limits(on=True, rate=25, endpoint_rate=25, clock=lambda: now)
    passed = 0
    for step in range(10_000):
        now = step / 1000
        try:
            limits.admit("acct_1", lambda: "GET /v1/customers")
            passed += 1
        except Refusal:
            continue
    # The full bucket, and what grew in ten seconds.
    assert passed == 25 + 249


@pytest.mark.parametrize("asked", [{"rate": 0}, {"speed": 1}, {"burst": "much"}])
def test_a_limit_that_cannot_be_is_refused(sandbox: Sandbox, asked: dict[str, Any]) -> None:
    assert sandbox.http.browser.post("/_sim/limits", json=asked).status_code == 400


def test_limits_can_be_on_from_the_start() -> None:
    with Sandbox("--limits", "3,2") as running:
        assert statuses(running, "/v1/customers", 3)[:3] == [200, 200, 429]


def test_an_object_has_limits_of_its_own() -> None:
    limits = ObjectLimits()
    update, change = "POST /v1/payment_intents/{intent}", "POST /v1/subscriptions/{subscription_exposed_id}"
    for _ in range(1000):
        limits.admit(update, ["pi_1"], {}, 10.0)
    limits.admit(update, ["pi_2"], {}, 10.0)
    with pytest.raises(Refusal) as refused:
        limits.admit("POST /v1/payment_intents/{intent}/confirm", ["pi_1"], {}, 11.0)
    assert refused.value.headers == {"Stripe-Rate-Limited-Reason": "resource-specific"}
    limits.admit(update, ["pi_1"], {}, 3610.1)
    for second in range(20):
        limits.admit("POST /v1/invoices", [], {"subscription": "sub_1"}, second * 6.1)
    with pytest.raises(Refusal):
        limits.admit(change, ["sub_1"], {"proration_behavior": "always_invoice"}, 3600.0)  # the 21st of the day
    limits.admit(change, ["sub_1"], {"items": {"0": {"quantity": "2"}}}, 3600.0)


def test_a_subscription_gets_ten_new_invoices_in_a_minute(limited: Sandbox) -> None:
    customer = limited.stripe.v1.customers.create({}).id
    turn(limited, on=True, rate=1000, endpoint_rate=1000)
    form = {"customer": customer, "subscription": "sub_none"}
    asked = [limited.http.api("POST", "/v1/invoices", form) for _ in range(12)]
    assert [answer.status_code == 429 for answer in asked] == [False] * 10 + [True] * 2
    assert asked[-1].headers["stripe-rate-limited-reason"] == "resource-specific"
