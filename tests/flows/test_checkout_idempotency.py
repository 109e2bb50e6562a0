"""One key, one request: the life of an idempotency key, and whose key it is (contract 0.2)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.flows.checkouts import ADA, BOB, SESSIONS, Shop, guest, signed_in, subject
from tests.flows.webhooks import script

OTHER = {"customerEmail": "someone.else@example.com"}


def ask(name: str, **more: Any) -> dict[str, Any]:
    """A keyed checkout of the order with this name."""
    return {"idempotencyKey": f"order:{name}", "metadata": {"order_id": name}, **more}


def is_live(shop: Shop, session: dict[str, Any]) -> bool:
    """A buyer can pay there: the page opens, and Stripe says open."""
    page = shop.sandbox.http.browser.get(session["url"])
    at_stripe = shop.sandbox.http.api("GET", f"{SESSIONS}/{session['checkoutSessionId']}").json()
    return page.status_code == 200 and at_stripe["status"] == "open"


def test_an_open_session_is_given_again(open_shop: Shop) -> None:
    first = open_shop.buy(**ask("again"))
    assert open_shop.buy(**ask("again")) == first
    assert len(open_shop.at_stripe("again")) == 1


def test_an_expired_session_is_followed_by_a_new_one(open_shop: Shop) -> None:
    first = open_shop.buy(**ask("expired"))
    open_shop.expire(first)
    second = open_shop.buy(**ask("expired"))
    assert second["id"] != first["id"]
    assert second["url"] != first["url"]
    assert is_live(open_shop, second)
    assert [(r["generation"], r["status"]) for r in open_shop.rows("order:expired")] == [(1, "expired"), (2, "open")]


def test_a_session_whose_time_is_over_is_not_given_again_before_the_webhook_says_so(open_shop: Shop) -> None:
    first = open_shop.buy(**ask("unheard"))
    open_shop.sim("faults", drop=1.0)
    open_shop.sim("expire", session=first["checkoutSessionId"])
    open_shop.sim("faults", drop=0.0)
    open_shop.force(
        f"update payments.stripe_checkout_sessions set expires_at = now() - interval '1 s' where id = '{first['id']}'"
    )
    second = open_shop.buy(**ask("unheard"))
    assert second["id"] != first["id"]
    assert is_live(open_shop, second)


def test_a_paid_session_is_given_again_and_never_sold_twice(open_shop: Shop) -> None:
    first = open_shop.buy(**ask("paid"))
    open_shop.pay(first)
    again = open_shop.buy(**ask("paid"))
    assert (again["id"], again["status"], again["paymentStatus"]) == (first["id"], "completed", "paid")
    assert again["paymentIntentId"].startswith("pi_")
    assert len(open_shop.at_stripe("paid")) == 1


def test_a_failed_attempt_is_followed_by_a_new_one(open_shop: Shop) -> None:
    inactive = open_shop.sandbox.price(700)
    open_shop.sandbox.stripe.v1.prices.update(inactive, {"active": False})
    wanted = ask("failed", lineItems=[{"priceId": inactive, "quantity": 1}])
    error = open_shop.refused(400, **wanted)
    assert "activate it" in error["message"]
    open_shop.sandbox.stripe.v1.prices.update(inactive, {"active": True})
    session = open_shop.buy(**wanted)
    assert is_live(open_shop, session)
    rows = open_shop.rows("order:failed")
    assert [(r["generation"], r["status"]) for r in rows] == [(1, "failed"), (2, "open")]
    assert rows[0]["last_error"]


@pytest.mark.parametrize("ending", ["open", "paid", "expired"])
def test_another_request_with_the_key_is_a_409_whatever_became_of_the_first(open_shop: Shop, ending: str) -> None:
    name = f"other {ending}"
    first = open_shop.buy(**ask(name))
    if ending != "open":
        {"paid": open_shop.pay, "expired": open_shop.expire}[ending](first)
    error = open_shop.refused(409, **ask(name, **OTHER))
    assert error["error"] == "PAYMENT_CHECKOUT_ALREADY_EXISTS"
    assert error["message"] == "Idempotency key is already used for another checkout request"
    assert first["url"] not in str(error)
    assert len(open_shop.rows(f"order:{name}")) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"lineItems": [{"priceId": "price_1Other", "quantity": 2}]},
        {"successUrl": "https://shop.example.com/other"},
        {"metadata": {"order_id": "different", "more": "1"}},
    ],
)
def test_any_difference_makes_it_another_request(open_shop: Shop, other: dict[str, Any]) -> None:
    open_shop.buy(**ask("different"))
    open_shop.refused(409, **{**ask("different"), **other})


def test_spelling_out_a_default_is_the_same_request(open_shop: Shop) -> None:
    one_piece = [{"priceId": open_shop.price}]
    first = open_shop.buy(**ask("default", lineItems=one_piece))
    spelled = ask("default", lineItems=[{"priceId": f" {open_shop.price} ", "quantity": 1}], customerEmail=None)
    assert open_shop.buy(**spelled) == first


def test_another_user_with_the_same_key_gets_its_own_session(open_shop: Shop) -> None:
    mine = open_shop.buy(signed_in(ADA), **ask("two users"))
    other = open_shop.buy(signed_in(BOB), **ask("two users", **OTHER))
    by_guest = open_shop.buy(guest("192.0.2.1"), **ask("two users"))
    assert len({s["id"] for s in (mine, other, by_guest)}) == 3
    assert open_shop.buy(signed_in(ADA), **ask("two users")) == mine


def test_a_subjects_key_is_apart_from_the_users_own(open_shop: Shop) -> None:
    own = open_shop.buy(signed_in(ADA), **ask("with subject", subject=subject("user", ADA)))
    plain = open_shop.buy(signed_in(ADA), **ask("with subject"))
    assert own["id"] != plain["id"]


def test_two_owners_of_a_team_share_one_session(open_shop: Shop) -> None:
    script(
        open_shop.database,
        "create or replace function payments.can_bill(subject_type text, subject_id text) returns boolean"
        " language sql stable set search_path = '' as $$ select coalesce(case can_bill.subject_type"
        " when 'user' then can_bill.subject_id = auth.jwt() ->> 'sub'"
        " when 'club' then auth.jwt() ->> 'sub' in ('user_owner1', 'user_owner2') end, false) $$",
    )
    wanted = ask("team", subject=subject("club", "c1"))
    first = open_shop.buy(signed_in("user_owner1"), **wanted)
    assert open_shop.buy(signed_in("user_owner2"), **wanted) == first
    open_shop.refused(403, signed_in("user_stranger"), **wanted)
    assert len(open_shop.rows("order:team")) == 1


def test_a_guest_of_another_network_neither_sees_nor_burns_a_key(open_shop: Shop) -> None:
    burnt = open_shop.buy(guest("203.0.113.7"), **ask("network", **OTHER))
    mine = open_shop.buy(guest("198.51.100.7"), **ask("network"))
    assert mine["id"] != burnt["id"]
    assert open_shop.buy(guest("198.51.100.200"), **ask("network")) == mine
    open_shop.refused(409, guest("198.51.100.7"), **ask("network", **OTHER))
    six = open_shop.buy(guest("2001:db8:0:1::5"), **ask("network"))
    assert open_shop.buy(guest("2001:db8:0:1:ffff::9"), **ask("network")) == six
    assert open_shop.buy(guest("2001:db8:0:2::5"), **ask("network"))["id"] != six["id"]


def test_a_guests_forged_network_is_not_believed(open_shop: Shop) -> None:
    mine = open_shop.buy(guest("198.51.100.7"), **ask("forged"))
    forged = open_shop.buy(guest("198.51.100.7, 203.0.113.9"), **ask("forged"))
    assert forged["id"] != mine["id"]


def test_concurrent_requests_with_one_key_make_one_session(open_shop: Shop) -> None:
    open_shop.sim("faults", latency=0.3)
    try:
        with ThreadPoolExecutor(32) as crowd:
            answers = list(crowd.map(lambda _: open_shop.post(**ask("crowd")), range(32)))
    finally:
        open_shop.sim("faults", latency=0.0)
    assert {a.status_code for a in answers} == {201}
    assert len({a.text for a in answers}) == 1
    assert len(open_shop.rows("order:crowd")) == 1
    assert len(open_shop.at_stripe("crowd")) == 1


def test_nothing_is_held_while_stripe_takes_its_time(open_shop: Shop) -> None:
    """24 checkouts at a Stripe of one second through four connections: they wait together, not in turn."""
    open_shop.sim("faults", latency=1.0)
    try:
        with ThreadPoolExecutor(25) as crowd:
            buyers = [crowd.submit(open_shop.post, **ask(f"slow {n}")) for n in range(24)]
            read = crowd.submit(open_shop.server.client.get, "/readyz")
            answers = [buyer.result() for buyer in buyers]
    finally:
        open_shop.sim("faults", latency=0.0)
    assert [a.status_code for a in answers] == [201] * 24
    assert read.result().elapsed.total_seconds() < 1.0
    assert max(a.elapsed.total_seconds() for a in answers) < 4.0
    assert len({a.json()["checkoutSession"]["checkoutSessionId"] for a in answers}) == 24
