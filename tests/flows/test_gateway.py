"""The gateway against a real HTTP server: what it sends, what it hands back, how it fails, how fast it is."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from paygres import __version__
from paygres.server import errors
from paygres.server.stripe_gateway.gateway import StripeGateway
from tests.flows.canned_stripe import CannedStripe, Said, canned

KEY = "sk_test_notARealKeyButLongEnough1234"
SESSIONS = "/v1/checkout/sessions"


@asynccontextmanager
async def gateway_to(*script: Said, **options: Any) -> AsyncIterator[tuple[StripeGateway, CannedStripe]]:
    async with canned(*script) as stripe:
        gateway = StripeGateway(api_base=stripe.url, **{"budget": False, **options})
        try:
            yield gateway, stripe
        finally:
            await gateway.close()


def fault(status: int, message: str = "no", *, headers: dict[str, str] | None = None, **more: str) -> Said:
    return Said({"error": {"message": message, **more}}, status, headers or {"Stripe-Should-Retry": "false"})


async def test_a_post_carries_our_key_version_and_idempotency_key() -> None:
    async with gateway_to() as (gateway, stripe):
        params = {"line_items": [{"price": "price_1", "quantity": 2}], "metadata": {"a": "ü b"}, "x": None}
        answer = await gateway.request(KEY, "post", SESSIONS, params, idempotency_key="row-1")
    sent = stripe.asked[0]
    assert answer.object == {"id": "obj_1"}
    assert answer.request_id == "req_canned"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["stripe-version"] == "2026-05-27.dahlia"
    assert sent.headers["idempotency-key"] == "row-1"
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded"
    assert sent.headers["user-agent"] == f"Paygres/{__version__}"
    assert sent.body == "line_items[0][price]=price_1&line_items[0][quantity]=2&metadata[a]=%C3%BC+b"


async def test_nothing_about_the_machine_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURSOR_AGENT", "1")
    async with gateway_to() as (gateway, stripe):
        await gateway.request(KEY, "get", "/v1/account")
        await gateway.request(KEY, "get", "/v1/account")
    told = " ".join(f"{name}:{value}" for asked in stripe.asked for name, value in asked.headers.items())
    assert "telemetry" not in told
    assert "platform" not in told
    assert "cursor" not in told.lower()


async def test_as_of_is_not_later_than_the_moment_the_request_was_sent() -> None:
    async with gateway_to(Said(after=1.1)) as (gateway, _):
        sent = time.time()
        answer = await gateway.request(KEY, "get", "/v1/account")
    assert sent - 2.2 <= answer.as_of <= sent


async def test_a_replayed_answer_is_as_old_as_its_object() -> None:
    replayed = Said({"id": "cs_1", "created": 1_700_000_000}, headers={"Idempotent-Replayed": "true"})
    async with gateway_to(replayed) as (gateway, _):
        answer = await gateway.request(KEY, "post", SESSIONS, idempotency_key="row-1")
    assert answer.as_of == 1_700_000_000


async def test_a_server_fault_is_retried_with_the_same_idempotency_key() -> None:
    broken = Said({"error": {"message": "oops", "type": "api_error"}}, 500)
    async with gateway_to(broken, Said()) as (gateway, stripe):
        await gateway.request(KEY, "post", SESSIONS)
    keys = [asked.headers["idempotency-key"] for asked in stripe.asked]
    assert len(keys) == 2
    assert keys[0] == keys[1]


async def test_a_connection_reset_is_retried_with_the_same_idempotency_key() -> None:
    async with gateway_to(Said(reset=True), Said(half=True), Said()) as (gateway, stripe):
        answer = await gateway.request(KEY, "post", SESSIONS)
    assert answer.object == {"id": "obj_1"}
    assert len({asked.headers["idempotency-key"] for asked in stripe.asked}) == 1


async def test_429_and_500_and_reset_are_told_apart() -> None:
    async with gateway_to(fault(429, headers={"Retry-After": "7"})) as (gateway, _):
        with pytest.raises(errors.RateLimit) as limited:
            await gateway.request(KEY, "get", "/v1/account")
    async with gateway_to(fault(500, "down")) as (gateway, _):
        with pytest.raises(errors.Upstream) as broken:
            await gateway.request(KEY, "get", "/v1/account")
    async with gateway_to(Said(reset=True)) as (gateway, _):
        with pytest.raises(errors.Upstream) as unreachable:
            await gateway.request(KEY, "post", SESSIONS)
    assert (limited.value.status, limited.value.code, limited.value.retry_after) == (429, "RATE_LIMITED", 7)
    assert (broken.value.status, broken.value.message, broken.value.definite) == (500, "down", False)
    assert (unreachable.value.status, unreachable.value.definite) == (502, False)
    assert unreachable.value.message == "Stripe request failed: the connection broke (ServerDisconnectedError)"


async def test_nobody_listening_is_an_indefinite_502() -> None:
    async with canned() as stripe:
        address = stripe.url
    gateway = StripeGateway(api_base=address, budget=False)
    with pytest.raises(errors.Upstream, match="cannot connect to 127") as raised:
        await gateway.request(KEY, "get", "/v1/account")
    await gateway.close()
    assert (raised.value.status, raised.value.definite) == (502, False)


async def test_a_short_429_is_queued_and_the_caller_sees_the_answer() -> None:
    async with gateway_to(fault(429), Said()) as (gateway, stripe):
        answer = await gateway.request(KEY, "post", SESSIONS)
    assert answer.object == {"id": "obj_1"}
    assert len({asked.headers["idempotency-key"] for asked in stripe.asked}) == 1


@pytest.mark.parametrize(("headers", "least", "most"), [({"Retry-After": "1"}, 1.0, 1.25), ({}, 0.5, 0.625)])
async def test_a_request_is_not_sent_again_before_the_time_stripe_names(
    headers: dict[str, str], least: float, most: float
) -> None:
    limited = fault(429, headers={"Stripe-Should-Retry": "false", **headers})
    async with gateway_to(limited, Said()) as (gateway, _):
        await gateway.warm()
        began = time.perf_counter()
        await gateway.request(KEY, "get", "/v1/account")
    assert least <= time.perf_counter() - began < most + 0.5


async def test_pauses_grow_and_end_with_the_callers_patience() -> None:
    async with gateway_to(*(fault(429),) * 4) as (gateway, stripe):
        with pytest.raises(errors.RateLimit):
            await gateway.request(KEY, "get", "/v1/account")  # a checkout waits two seconds in all
    assert len(stripe.asked) == 3


async def test_a_refusal_for_its_rate_is_definite_unless_an_attempt_before_it_went_unanswered() -> None:
    again = {"Stripe-Should-Retry": "true"}
    locked = fault(429, headers=again)  # the library tries such a one again by itself
    for said, definite in (
        ([fault(429)], True),
        ([locked, fault(429)], True),
        ([Said(reset=True), fault(429)], False),
        ([fault(500, headers=again), fault(429)], False),
        ([fault(409, headers=again), fault(429)], False),
        ([fault(429), Said(half=True), fault(429)], False),
    ):
        async with gateway_to(*said) as (gateway, _):
            with pytest.raises(errors.RateLimit) as limited:
                await gateway.request(KEY, "post", SESSIONS)
        assert limited.value.definite is definite, said


async def test_a_time_longer_than_the_callers_patience_is_told_at_once() -> None:
    async with gateway_to(fault(429, headers={"Retry-After": "4"}), Said()) as (gateway, stripe):
        with pytest.raises(errors.RateLimit):
            await asyncio.wait_for(gateway.request(KEY, "get", "/v1/account"), 1)
    assert len(stripe.asked) == 1


async def test_a_silent_stripe_ends_in_an_indefinite_502() -> None:
    async with gateway_to(Said(after=30), timeout=0.1) as (gateway, _):
        with pytest.raises(errors.Upstream, match="did not answer in time") as raised:
            await gateway.request(KEY, "post", SESSIONS)
    assert (raised.value.status, raised.value.definite) == (502, False)


async def test_something_that_is_not_stripe_is_named_as_such() -> None:
    page = Said(b"<html>hello</html>", 403, {"Stripe-Should-Retry": "false"})
    for said in (page, Said(b"<html>", 200), Said([1, 2], 200)):
        async with gateway_to(said) as (gateway, _):
            with pytest.raises(errors.Upstream, match="a body that is not Stripe's") as raised:
                await gateway.request(KEY, "get", "/v1/account")
        assert (raised.value.status, raised.value.definite) == (502, False)


async def test_pages_follow_the_cursor_to_the_end() -> None:
    first = Said({"object": "list", "data": [{"id": "prod_1"}, {"id": "prod_2"}], "has_more": True})
    second = Said({"object": "list", "data": [{"id": "prod_3"}], "has_more": False})
    async with gateway_to(first, second) as (gateway, stripe):
        pages = [page async for page, _ in gateway.pages(KEY, "/v1/products", {"active": "true"})]
    assert [[row["id"] for row in page] for page in pages] == [["prod_1", "prod_2"], ["prod_3"]]
    assert stripe.asked[0].target == "/v1/products?limit=100&active=true"
    assert stripe.asked[1].target == "/v1/products?limit=100&active=true&starting_after=prod_2"


async def test_a_path_cannot_be_left_by_an_id() -> None:
    async with gateway_to() as (gateway, stripe):
        for path in (
            "/v1/products/../account",
            "/v1/products/a?b",
            "/v1/products/",
            "//evil.example/v1",
            "/v1/a b",
        ):
            with pytest.raises(errors.InvalidRequest):
                await gateway.request(KEY, "get", path)
    assert stripe.asked == []


async def test_64_requests_at_once_are_all_at_a_slow_stripe_together() -> None:
    async with gateway_to(Said(together=64)) as (gateway, stripe):
        await asyncio.gather(*(gateway.request(KEY, "post", SESSIONS, {"n": n}) for n in range(64)))
    assert len(stripe.asked) == 64  # answered only once all of them had arrived


async def test_importing_the_gateway_does_not_load_stripe() -> None:
    code = (
        "import sys, paygres.server.stripe_gateway.gateway, paygres.server.stripe_gateway.signature;"
        "assert 'stripe' not in sys.modules and 'aiohttp' not in sys.modules"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await process.wait() == 0
