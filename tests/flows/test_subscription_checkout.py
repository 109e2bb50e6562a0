"""One live subscription per subject and plan family, whoever asks, with whatever key, at the same time or later."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import permutations
from typing import Any

import orjson
import pytest

from paygres.server.caller import Caller
from paygres.server.errors import Idempotency
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.create_checkout_session import create_checkout_session
from paygres.server.flows.expire_superseded_sessions import expire_superseded_sessions
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.fields import Subject
from tests.flows.checkouts import ADA, SESSIONS, Shop, checkout_request, signed_in, subject, without_endpoints
from tests.flows.running_parts import parts_on, rows
from tests.flows.webhooks import script
from tests.fresh_database import FreshDatabase
from tests.sandbox.running import Sandbox

TAKEN = "This subject already has a live subscription to this plan"
OWNERS = ("guild_owner1", "guild_owner2")


@pytest.fixture(scope="module")
def guilds(open_shop: Shop) -> Shop:
    """Two owners may bill every guild, beside their own users."""
    script(
        open_shop.database,
        "create or replace function payments.can_bill(subject_type text, subject_id text) returns boolean"
        " language sql stable set search_path = '' as $$ select coalesce(case can_bill.subject_type"
        " when 'user' then can_bill.subject_id = auth.jwt() ->> 'sub'"
        " when 'guild' then auth.jwt() ->> 'sub' in ('guild_owner1', 'guild_owner2') end, false) $$",
    )
    return open_shop


def plan(shop: Shop, family: str | None = None) -> str:
    """A monthly price of a product of its own, known to our mirror."""
    product = shop.sandbox.stripe.v1.products.create({"name": "Pro", "metadata": {"plan_family": family or ""}})
    price = shop.sandbox.stripe.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 900, "recurring": {"interval": "month"}}
    )
    shop.wait(lambda: shop.sql("select from payments.stripe_prices where price_id = $1", price.id))
    return price.id


def wanted(price: str, guild: str, **more: Any) -> dict[str, Any]:
    """A subscription of a guild."""
    return {
        "mode": "subscription",
        "subject": subject("guild", guild),
        "lineItems": [{"priceId": price, "quantity": 1}],
        "metadata": {"order_id": guild},
        **more,
    }


def pay(shop: Shop, session: dict[str, Any]) -> str:
    """Paid, and our mirror knows the subscription; its id."""
    shop.pay(session)
    shop.wait(lambda: shop.row(session["id"])["status"] == "completed")
    bought = shop.row(session["id"])["subscription_id"]
    shop.wait(lambda: status_of(shop, bought) == "active")
    return bought


def status_of(shop: Shop, subscription_id: str) -> str | None:
    found = shop.sql("select status from payments.stripe_subscriptions where subscription_id = $1", subscription_id)
    return found[0]["status"] if found else None


def test_a_key_whose_subscription_lives_gives_the_completed_session(guilds: Shop) -> None:
    body = wanted(plan(guilds), "living", idempotencyKey="team:living:pro-monthly")
    first = guilds.buy(signed_in(OWNERS[0]), **body)
    bought = pay(guilds, first)
    again = guilds.buy(signed_in(OWNERS[1]), **body)
    assert (again["id"], again["status"], again["subscriptionId"]) == (first["id"], "completed", bought)
    assert len(guilds.rows("team:living:pro-monthly")) == 1


def test_a_key_whose_subscription_has_ended_sells_again(guilds: Shop) -> None:
    body = wanted(plan(guilds), "ended", idempotencyKey="team:ended:pro-monthly")
    bought = pay(guilds, guilds.buy(signed_in(OWNERS[0]), **body))
    guilds.sandbox.stripe.v1.subscriptions.cancel(bought)
    guilds.wait(lambda: status_of(guilds, bought) == "canceled")
    again = guilds.buy(signed_in(OWNERS[1]), **body)
    assert (again["status"], again["subscriptionId"]) == ("open", None)
    generations = [(r["generation"], r["status"]) for r in guilds.rows("team:ended:pro-monthly")]
    assert generations == [(1, "completed"), (2, "open")]
    assert pay(guilds, again) != bought


@pytest.mark.parametrize("key", [None, "team:twice:other"])
def test_a_plan_is_not_sold_to_a_subject_that_has_it(guilds: Shop, key: str | None) -> None:
    guild = f"twice {key}"
    price = plan(guilds)
    pay(guilds, guilds.buy(signed_in(OWNERS[0]), **wanted(price, guild)))
    before = guilds.sql("select count(*) from payments.stripe_checkout_sessions")
    error = guilds.refused(
        409, signed_in(OWNERS[1]), **wanted(price, guild, **({"idempotencyKey": key} if key else {}))
    )
    assert (error["error"], error["message"]) == ("PAYMENT_CHECKOUT_ALREADY_EXISTS", TAKEN)
    assert "createCustomerPortalSession" in error["nextActions"]
    assert guilds.sql("select count(*) from payments.stripe_checkout_sessions") == before
    assert len(guilds.at_stripe(guild)) == 1


def test_another_plan_is_sold_beside_it_unless_both_are_one_family(guilds: Shop) -> None:
    pay(guilds, guilds.buy(signed_in(OWNERS[0]), **wanted(plan(guilds, "tiers"), "family")))
    guilds.refused(409, signed_in(OWNERS[0]), **wanted(plan(guilds, "tiers"), "family"))
    assert guilds.buy(signed_in(OWNERS[0]), **wanted(plan(guilds), "family"))["status"] == "open"


def test_a_stranger_hears_403_and_not_what_the_subject_has(guilds: Shop) -> None:
    price = plan(guilds)
    pay(guilds, guilds.buy(signed_in(OWNERS[0]), **wanted(price, "private")))
    guilds.refused(403, signed_in("user_stranger"), **wanted(price, "private"))


def test_a_one_time_checkout_of_the_subject_is_not_concerned(guilds: Shop) -> None:
    pay(guilds, guilds.buy(signed_in(OWNERS[0]), **wanted(plan(guilds), "and once")))
    assert guilds.buy(signed_in(OWNERS[0]), subject=subject("guild", "and once"))["status"] == "open"


def test_sixteen_requests_of_two_owners_with_the_documented_key_make_one_session(guilds: Shop) -> None:
    body = wanted(plan(guilds), "rush", idempotencyKey="team:rush:pro-monthly")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: guilds.post(signed_in(OWNERS[n % 2]), **body), range(16)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["checkoutSession"]["url"] for a in answers}) == 1
    assert len(guilds.rows("team:rush:pro-monthly")) == 1
    assert len(guilds.at_stripe("rush")) == 1


def two_open(shop: Shop, guild: str) -> list[dict[str, Any]]:
    """Sessions of two owners with keys of their own."""
    price = plan(shop)
    return [
        shop.buy(signed_in(owner), **wanted(price, guild, idempotencyKey=f"{owner}:{guild}:pro")) for owner in OWNERS
    ]


def test_the_first_completion_expires_its_siblings_at_stripe(guilds: Shop) -> None:
    won, lost = two_open(guilds, "siblings")
    pay(guilds, won)
    guilds.wait(lambda: guilds.row(lost["id"])["status"] == "expired")
    row = guilds.row(lost["id"])
    assert (str(row["superseded_by"]), row["url"]) == (won["id"], None)
    at_stripe = guilds.sandbox.http.api("GET", f"{SESSIONS}/{lost['checkoutSessionId']}").json()
    assert at_stripe["status"] == "expired"
    guilds.refused(409, signed_in(OWNERS[1]), **wanted(plan_of(guilds, won), "siblings"))


def plan_of(shop: Shop, session: dict[str, Any]) -> str:
    return orjson.loads(shop.row(session["id"])["line_items"])[0]["priceId"]


def test_two_owners_who_both_pay_leave_one_subscription_and_one_to_look_at(guilds: Shop) -> None:
    sessions = two_open(guilds, "both")
    guilds.sim("faults", drop=1.0)  # both are paid before we hear of either
    for session in sessions:
        guilds.pay(session)
    guilds.sim("faults", drop=0.0)
    for event in guilds.sandbox.http.api("GET", "/v1/events", {"limit": "40"}).json()["data"]:
        guilds.sim("resend", event=event["id"])
    bought = "select subscription_id from payments.stripe_subscriptions where subject_id = 'both' and status = 'active'"
    guilds.wait(lambda: len(guilds.sql(f"{bought} order by started_at, subscription_id")) == 2)
    first, second = (r["subscription_id"] for r in guilds.sql(f"{bought} order by started_at, subscription_id"))
    looked_at = (
        "select reason, object_id, details from payments.attention where subject_id = 'both' and closed_at is null"
        " and reason = 'second_subscription'"
    )
    guilds.wait(lambda: guilds.sql(looked_at))
    (item,) = guilds.sql(looked_at)
    assert item["object_id"] == second
    assert orjson.loads(item["details"])["first_subscription"] == first
    live = guilds.sql(
        "select payments.live_subscription('test', 'guild', 'both', payments.price_families('test', array[$1]), $2)",
        plan_of(guilds, sessions[0]),
        guilds.sandbox.ready["accountId"],
    )
    assert live == [{"live_subscription": first}]


# The worker's duty, step by step: no server and no worker of its own here.

CALLER = Caller("authenticated", sub=ADA)
POST = {"path": SESSIONS, "method": "POST"}


@pytest.fixture(scope="module")
def stripe() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@asynccontextmanager
async def connected(database: FreshDatabase, stripe: Sandbox) -> AsyncIterator[tuple[Parts, str]]:
    """With a monthly price that the sync has read."""
    async with parts_on(database, without_endpoints(stripe).url) as parts:
        price = stripe.price(900, recurring={"interval": "month"})
        await connect_account(parts, "test", stripe.key, actor="test")
        yield parts, price


async def buy(parts: Parts, price: str, *, buyer: str = ADA, **changes: Any) -> dict[str, Any]:
    changes = {"mode": "subscription", "subject": Subject(type="user", id=buyer), **changes}
    caller = replace(CALLER, sub=buyer)
    return await create_checkout_session(parts, caller, "test", checkout_request(price, **changes))


async def bought(parts: Parts, stripe: Sandbox, price: str) -> dict[str, Any]:
    """A checkout of Ada's that was paid, and that we have heard of."""
    session = await buy(parts, price)
    pay_at(stripe, session)
    await hear(parts, stripe, session)
    return session


async def hear(parts: Parts, stripe: Sandbox, session: dict[str, Any]) -> None:
    """What Stripe says of a session and its subscription becomes ours."""
    connection = await parts.connections.current("test")
    at_stripe = stripe.http.api("GET", f"{SESSIONS}/{session['checkoutSessionId']}").json()
    begun = at_stripe["subscription"]
    subscription = [stripe.http.api("GET", f"/v1/subscriptions/{begun}").json()] if begun else []
    await apply_reads(parts.db, connection, [at_stripe, *subscription], int(time.time()))


def pay_at(stripe: Sandbox, session: dict[str, Any]) -> None:
    answer = stripe.http.browser.post("/_sim/pay", json={"session": session["checkoutSessionId"]})
    assert answer.status_code == 200, answer.text


async def row(database: FreshDatabase, session: dict[str, Any]) -> dict[str, Any]:
    (found,) = await rows(
        database, "select * from payments.stripe_checkout_sessions where id = $1::text::uuid", session["id"]
    )
    return found


async def pause(database: FreshDatabase) -> float | None:
    """Seconds until the superseded session is tried again."""
    (found,) = await rows(
        database,
        "select extract(epoch from leased_until - clock_timestamp())::float8 as seconds"
        " from payments.stripe_checkout_sessions where superseded_by is not null",
    )
    return found["seconds"]


async def test_a_sibling_that_stripe_does_not_expire_is_tried_again_after_a_growing_pause(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, price):
        won, lost = await buy(parts, price), await buy(parts, price)
        pay_at(stripe, won)
        await hear(parts, stripe, won)
        pauses: list[float] = []
        for status in (400, 503):
            stripe.http.browser.post("/_sim/faults", json={"answers": [{"status": status, "count": 3, **POST}]})
            assert await expire_superseded_sessions(parts) == 0
            assert await expire_superseded_sessions(parts) == 0  # its pause has begun
            pauses.append(await pause(database) or 0)
            await parts.db.execute("update payments.stripe_checkout_sessions set leased_until = null")
        assert pauses[1] > 1.5 * pauses[0] > 15
        stripe.http.browser.post("/_sim/faults", json={"answers": []})
        assert await expire_superseded_sessions(parts) == 1
        assert (await row(database, lost))["status"] == "expired"
        assert await expire_superseded_sessions(parts) == 0


async def test_a_worker_that_died_after_stripes_answer_reads_it_later(database: FreshDatabase, stripe: Sandbox) -> None:
    async with connected(database, stripe) as (parts, price):
        won, lost = await buy(parts, price), await buy(parts, price)
        pay_at(stripe, won)
        await hear(parts, stripe, won)
        stripe.http.api("POST", f"{SESSIONS}/{lost['checkoutSessionId']}/expire")  # and nobody kept the answer
        assert await expire_superseded_sessions(parts) == 1
        assert (await row(database, lost))["status"] == "expired"


async def test_a_sibling_that_was_paid_meanwhile_is_known_as_completed(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, price):
        won, lost = await buy(parts, price), await buy(parts, price)
        pay_at(stripe, won)
        await hear(parts, stripe, won)
        pay_at(stripe, lost)
        assert await expire_superseded_sessions(parts) == 1
        assert (await row(database, lost))["status"] == "completed"


async def test_an_open_session_is_not_handed_out_once_the_subject_has_the_plan(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, price):
        won, lost = await buy(parts, price, idempotency_key="a"), await buy(parts, price, idempotency_key="b")
        pay_at(stripe, won)
        await hear(parts, stripe, won)
        with pytest.raises(Idempotency, match=TAKEN):
            await buy(parts, price, idempotency_key="b")
        assert (await row(database, lost))["status"] == "open"
        assert (await buy(parts, price, idempotency_key="a"))["id"] == won["id"]


async def test_a_session_that_was_paid_unheard_is_recognized_by_its_subscription(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, price):
        session = await buy(parts, price, idempotency_key="a")
        pay_at(stripe, session)
        bought = stripe.http.api("GET", f"{SESSIONS}/{session['checkoutSessionId']}").json()["subscription"]
        connection = await parts.connections.current("test")
        subscription = stripe.http.api("GET", f"/v1/subscriptions/{bought}").json()
        await apply_reads(parts.db, connection, [subscription], subscription["created"] + 1)
        again = await buy(parts, price, idempotency_key="a")
        assert (again["id"], again["status"], again["subscriptionId"]) == (session["id"], "completed", bought)


async def test_a_session_that_opens_after_the_sale_is_refused_and_expired(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, price):
        won = await buy(parts, price)
        stripe.http.browser.post("/_sim/faults", json={"latency": 1.0})
        try:
            late = asyncio.create_task(buy(parts, price, idempotency_key="late"))
            await asyncio.sleep(0.2)
        finally:
            stripe.http.browser.post("/_sim/faults", json={"latency": 0.0})
        pay_at(stripe, won)
        await hear(parts, stripe, won)
        with pytest.raises(Idempotency, match=TAKEN):
            await late
        assert await expire_superseded_sessions(parts) == 1
    (found,) = await rows(database, "select * from payments.stripe_checkout_sessions where idempotency_key = 'late'")
    assert (found["status"], str(found["superseded_by"])) == ("expired", won["id"])


async def told_of(parts: Parts, stripe: Sandbox, path: str, as_of: int) -> None:
    await apply_reads(parts.db, await parts.connections.current("test"), [stripe.http.api("GET", path).json()], as_of)


async def test_what_superseded_a_session_does_not_depend_on_what_is_told_first(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    """Two are completed at nearly the same time, a third one expires; five objects tell of it in any order."""
    async with connected(database, stripe) as (parts, price):
        for number, order in enumerate(permutations(range(3))):
            three = [await buy(parts, price, buyer=f"user-{number}") for _ in range(3)]
            paths = [f"{SESSIONS}/{one['checkoutSessionId']}" for one in three]
            for one in three[:2]:
                pay_at(stripe, one)
            stripe.http.api("POST", f"{paths[2]}/expire")
            at_stripe = [stripe.http.api("GET", path).json() for path in paths]
            bought = [f"/v1/subscriptions/{one['subscription']}" for one in at_stripe[:2]]
            created = max(one["created"] for one in at_stripe)
            for path in (*(paths[nth] for nth in order[:2]), *bought, paths[order[2]]):
                await told_of(parts, stripe, path, created + 1)
            by = [(await row(database, one))["superseded_by"] for one in three]
            assert [by and str(by) for by in by] == [None, None, three[0]["id"]], order


async def test_a_plan_that_ended_supersedes_nothing_any_more(database: FreshDatabase, stripe: Sandbox) -> None:
    async with connected(database, stripe) as (parts, price):
        won, lost = await buy(parts, price), await buy(parts, price)
        pay_at(stripe, won)
        await hear(parts, stripe, won)
        assert str((await row(database, lost))["superseded_by"]) == won["id"]
        session = stripe.http.api("GET", f"{SESSIONS}/{won['checkoutSessionId']}").json()
        stripe.http.api("DELETE", f"/v1/subscriptions/{session['subscription']}")
        await told_of(parts, stripe, f"/v1/subscriptions/{session['subscription']}", session["created"] + 2)
        assert (await row(database, lost))["superseded_by"] is None
        later = await buy(parts, price)
        await told_of(parts, stripe, f"{SESSIONS}/{session['id']}", session["created"] + 60)  # it is looked at again
        assert (later["status"], (await row(database, later))["superseded_by"]) == ("open", None)
        assert await expire_superseded_sessions(parts) == 0
