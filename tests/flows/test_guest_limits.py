"""Guests may buy, within limits: per minute, over all and per network; none of it touches signed-in users."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import orjson
import pytest

from paygres.server.caller import Caller
from paygres.server.db.embedded import Urls
from paygres.server.errors import PermissionDenied
from paygres.server.flows.create_checkout_session import create_checkout_session
from paygres.server.flows.parts import GuestLimits
from tests.flows.checkouts import ADA, SESSIONS, Shop, checkout_request, guest, shop, signed_in
from tests.flows.running_parts import parts_on

PER_NETWORK, OVER_ALL = GuestLimits().per_network_per_minute, GuestLimits().per_minute


@pytest.fixture(scope="module")
def limited_shop(postgres: Urls) -> Iterator[Shop]:
    """A server with its limits on."""
    with shop(postgres, PAYGRES_LIMITS="on") as opened:
        yield opened


@pytest.fixture(autouse=True)
def nobody_came_yet(limited_shop: Shop) -> None:
    limited_shop.force("delete from payments.guest_counts")


def came(shop: Shop, network: str, checkouts: int) -> None:
    """That many guests in this minute, and in the next one should it begin meanwhile."""
    shop.force(
        "insert into payments.guest_counts (minute, network, checkouts) select date_trunc('minute', now())"
        f" + n * interval '1 minute', '{network}', {checkouts} from generate_series(0, 1) as n"
    )


def assert_limited(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.json()["error"]) == (429, "RATE_LIMITED")
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_a_network_over_its_limit_is_told_when_to_come_back(limited_shop: Shop) -> None:
    came(limited_shop, "198.51.100.0/24", PER_NETWORK)
    assert_limited(limited_shop.post(guest("198.51.100.9"), idempotencyKey="too many"))
    assert limited_shop.rows("too many") == []
    assert limited_shop.buy(guest("203.0.113.9"))["status"] == "open"


def test_the_last_one_within_the_limit_is_served(limited_shop: Shop) -> None:
    came(limited_shop, "198.51.100.0/24", PER_NETWORK - 1)
    assert limited_shop.buy(guest("198.51.100.9"))["status"] == "open"


def test_addresses_of_one_ipv6_network_count_together(limited_shop: Shop) -> None:
    came(limited_shop, "2001:db8:0:1::/64", PER_NETWORK)
    assert_limited(limited_shop.post(guest("2001:db8:0:1:abcd::1")))
    assert limited_shop.buy(guest("2001:db8:0:2::1"))["status"] == "open"


def test_all_guests_together_have_a_limit(limited_shop: Shop) -> None:
    came(limited_shop, "", OVER_ALL)
    assert_limited(limited_shop.post(guest("203.0.113.77")))


def test_signed_in_users_are_never_limited_as_guests(limited_shop: Shop) -> None:
    came(limited_shop, "", OVER_ALL)
    came(limited_shop, "198.51.100.0/24", PER_NETWORK)
    user = {**signed_in(ADA), "x-forwarded-for": "198.51.100.9"}
    assert limited_shop.buy(user)["status"] == "open"


def test_a_noisy_network_does_not_use_up_the_shared_limit(limited_shop: Shop) -> None:
    came(limited_shop, "198.51.100.0/24", PER_NETWORK)
    assert_limited(limited_shop.post(guest("198.51.100.9")))
    assert limited_shop.sql("select 1 from payments.guest_counts where network = ''") == []


def test_limits_can_be_switched_off(open_shop: Shop) -> None:
    came(open_shop, "198.51.100.0/24", PER_NETWORK)
    came(open_shop, "", OVER_ALL)
    try:
        assert open_shop.buy(guest("198.51.100.9"))["status"] == "open"
    finally:
        open_shop.force("delete from payments.guest_counts")


async def test_guest_checkouts_can_be_switched_off(limited_shop: Shop) -> None:
    async with parts_on(limited_shop.database, limited_shop.sandbox.url, guest_checkouts=False) as parts:
        assert not parts.guest_limits.allowed
        with pytest.raises(PermissionDenied, match="Guest checkout is turned off"):
            await create_checkout_session(parts, Caller("anon"), "test", checkout_request(limited_shop.price))


def test_a_guests_session_ends_after_half_an_hour(open_shop: Shop) -> None:
    session = open_shop.buy(guest("192.0.2.1"))
    left = open_shop.row(session["id"])["expires_at"].timestamp() - time.time()
    assert 30 * 60 <= left <= 32 * 60
    at_stripe = open_shop.sandbox.http.api("GET", f"{SESSIONS}/{session['checkoutSessionId']}").json()
    assert at_stripe["expires_at"] == open_shop.row(session["id"])["expires_at"].timestamp()


def test_a_users_session_lives_for_a_day(open_shop: Shop) -> None:
    session = open_shop.buy(signed_in(ADA))
    row = open_shop.row(session["id"])
    assert "expires_at" not in open_shop.sent(session["id"])
    assert row["expires_at"].timestamp() - time.time() > 23 * 3600


def test_a_guest_who_asks_again_too_late_to_resume_gets_a_new_session(open_shop: Shop) -> None:
    """Stripe never saw the first attempt, and would now refuse its expiry as too near."""
    wanted: dict[str, Any] = {"idempotencyKey": "late guest", "metadata": {"order_id": "late guest"}}
    open_shop.sim("faults", answers=[{"status": 500, "path": SESSIONS, "method": "POST", "count": 100}])
    try:
        open_shop.refused(500, guest("192.0.2.1"), **wanted)
    finally:
        open_shop.sim("faults", answers=[])
    (row,) = open_shop.rows("late guest")
    aged = {**open_shop.sent(str(row["id"])), "expires_at": int(time.time()) + 60}
    open_shop.force(
        f"update payments.checkout_attempts set params = '{orjson.dumps(aged).decode()}' where id = '{row['id']}'"
    )
    session = open_shop.buy(guest("192.0.2.1"), **wanted)
    assert session["status"] == "open"
    assert [r["status"] for r in open_shop.rows("late guest")] == ["failed", "open"]
