"""Checkouts of a plan that changes, of rows that SQL wrote, and of sessions that Stripe does not know any more."""

import asyncio
import time
import uuid
from typing import Any

import orjson
import pytest

from paygres.server.errors import Idempotency, PaygresError
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.expire_superseded_sessions import expire_superseded_sessions
from paygres.server.flows.parts import Parts
from paygres.server.flows.resume_checkout_sessions import resume_checkout_sessions
from tests.flows.checkouts import ADA, SESSIONS
from tests.flows.running_parts import rows
from tests.flows.test_subscription_checkout import POST, TAKEN, bought, buy, connected, hear, pay_at, row
from tests.flows.test_subscription_checkout import stripe as stripe  # the fixture
from tests.flows.webhooks import script
from tests.fresh_database import FreshDatabase
from tests.sandbox.running import Sandbox

OWN_ID = "11111111-1111-4111-8111-111111111111"


async def tell(parts: Parts, stripe: Sandbox, path: str, later: int = 0) -> None:
    """The object at Stripe, read `later` seconds after now."""
    connection = await parts.connections.current("test")
    await apply_reads(parts.db, connection, [stripe.http.api("GET", path).json()], int(time.time()) + later)


async def another_plan(parts: Parts, stripe: Sandbox) -> str:
    price = stripe.price(2900, recurring={"interval": "month"})
    await tell(parts, stripe, f"/v1/prices/{price}")
    return price


def bought_by(stripe: Sandbox, session: dict[str, Any]) -> str:
    """The path of the subscription that a paid session began."""
    at_stripe = stripe.http.api("GET", f"{SESSIONS}/{session['checkoutSessionId']}").json()
    return f"/v1/subscriptions/{at_stripe['subscription']}"


def change_plan(stripe: Sandbox, path: str, price: str) -> None:
    item = stripe.http.api("GET", path).json()["items"]["data"][0]["id"]
    answer = stripe.http.api("POST", path, {"items[0][id]": item, "items[0][price]": price})
    assert answer.status_code == 200, answer.text


def subscribe_at_stripe(stripe: Sandbox, price: str) -> str:
    """A subscription of Ada that no checkout of ours began; its path."""
    api = stripe.stripe.v1
    customer = api.customers.create({"email": "ada@example.com"})
    card = api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    made = api.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price}],
            "default_payment_method": card.id,
            "metadata": {"insforge_subject_type": "user", "insforge_subject_id": ADA},
        }
    )
    return f"/v1/subscriptions/{made.id}"


async def test_a_checkout_that_opens_during_a_completions_transaction_is_refused(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, price):
        won = await buy(parts, price)
        pay_at(stripe, won)
        completed = stripe.http.api("GET", f"{SESSIONS}/{won['checkoutSessionId']}").json()
        done, held = asyncio.Event(), asyncio.Event()

        async def also(_: object) -> None:
            held.set()
            await done.wait()

        connection = await parts.connections.current("test")
        completion = asyncio.create_task(apply_reads(parts.db, connection, [completed], int(time.time()), also=also))
        await held.wait()
        late = asyncio.create_task(buy(parts, price, idempotency_key="late"))
        await asyncio.wait([late], timeout=1)
        done.set()
        await completion
        with pytest.raises(Idempotency, match=TAKEN):
            await late
        assert await expire_superseded_sessions(parts) == 1


async def test_a_plan_that_was_changed_to_another_one_is_sold_again(database: FreshDatabase, stripe: Sandbox) -> None:
    async with connected(database, stripe) as (parts, basic):
        pro = await another_plan(parts, stripe)
        won = await bought(parts, stripe, basic)
        change_plan(stripe, bought_by(stripe, won), pro)
        await tell(parts, stripe, bought_by(stripe, won), later=2)
        again = await buy(parts, basic)
        assert (again["status"], (await row(database, again))["superseded_by"]) == ("open", None)
        with pytest.raises(Idempotency, match=TAKEN):
            await buy(parts, pro)


@pytest.mark.parametrize("session_first", [True, False])
async def test_an_upgrade_ends_the_open_checkout_of_the_plan_it_went_to(
    database: FreshDatabase, stripe: Sandbox, session_first: bool
) -> None:
    async with connected(database, stripe) as (parts, basic):
        pro = await another_plan(parts, stripe)
        won, tab = await buy(parts, basic), await buy(parts, pro)
        pay_at(stripe, won)
        if session_first:
            await hear(parts, stripe, won)
            assert (await row(database, tab))["superseded_by"] is None
        change_plan(stripe, bought_by(stripe, won), pro)
        paths = [f"{SESSIONS}/{won['checkoutSessionId']}", bought_by(stripe, won)]
        for path in paths if session_first else reversed(paths):
            await tell(parts, stripe, path, later=2)
        found = await row(database, tab)
        assert (str(found["superseded_by"]), found["superseded_by_subscription"]) == (won["id"], None)
        assert await expire_superseded_sessions(parts) == 1
        assert (await row(database, tab))["status"] == "expired"


async def test_a_subscription_from_elsewhere_ends_open_checkouts_of_its_plan_while_it_lives(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, price):
        tab = await buy(parts, price, idempotency_key="tab")
        path = subscribe_at_stripe(stripe, price)
        await tell(parts, stripe, path)
        found = await row(database, tab)
        assert (found["superseded_by"], found["superseded_by_subscription"]) == (None, path.rsplit("/", 1)[1])
        with pytest.raises(Idempotency, match=TAKEN):
            await buy(parts, price, idempotency_key="tab")
        stripe.http.api("DELETE", path)
        await tell(parts, stripe, path, later=2)
        assert (await row(database, tab))["superseded_by_subscription"] is None
        assert await expire_superseded_sessions(parts) == 0
        assert (await buy(parts, price, idempotency_key="tab"))["id"] == tab["id"]
        await tell(parts, stripe, subscribe_at_stripe(stripe, price))
        assert await expire_superseded_sessions(parts) == 1
        assert (await row(database, tab))["status"] == "expired"


async def test_plans_that_become_one_family_end_the_open_checkout_of_the_other(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, basic):
        pro = await another_plan(parts, stripe)
        won, tab = await buy(parts, basic), await buy(parts, pro)
        pay_at(stripe, won)
        await hear(parts, stripe, won)
        for price in (basic, pro):
            stripe.http.api("POST", f"/v1/prices/{price}", {"metadata[plan_family]": "tiers"})
            await tell(parts, stripe, f"/v1/prices/{price}", later=2)
        assert str((await row(database, tab))["superseded_by"]) == won["id"]


async def test_developers_triggers_see_a_session_superseded_in_their_own_role(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    script(
        database,
        "create function public.weak() returns trigger language plpgsql as $$ begin"
        " if current_user <> 'payments_trigger' then raise 'run as %', current_user; end if; return new; end $$;"
        "create trigger weak before update on payments.stripe_checkout_sessions"
        " for each row execute function public.weak()",
    )
    async with connected(database, stripe) as (parts, price):
        tab = await buy(parts, price)
        await tell(parts, stripe, subscribe_at_stripe(stripe, price))
        assert (await row(database, tab))["superseded_by_subscription"] is not None


async def test_a_key_whose_plan_another_session_sold_is_refused_before_the_subscription_is_heard_of(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, price):
        won, _ = await buy(parts, price, idempotency_key="a"), await buy(parts, price, idempotency_key="b")
        pay_at(stripe, won)
        await tell(parts, stripe, f"{SESSIONS}/{won['checkoutSessionId']}")
        with pytest.raises(Idempotency, match=TAKEN):
            await buy(parts, price, idempotency_key="b")


async def test_a_checkout_that_is_resumed_after_the_subject_got_the_plan_is_refused(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, price):
        stripe.http.browser.post("/_sim/faults", json={"answers": [{"status": 503, "count": 3, **POST}]})
        with pytest.raises(PaygresError):
            await buy(parts, price, idempotency_key="k")
        stripe.http.browser.post("/_sim/faults", json={"answers": []})
        await tell(parts, stripe, subscribe_at_stripe(stripe, price))
        with pytest.raises(Idempotency, match=TAKEN):
            await buy(parts, price, idempotency_key="k")
        assert await expire_superseded_sessions(parts) == 1


async def test_a_trial_is_given_once_though_the_plan_was_changed(database: FreshDatabase, stripe: Sandbox) -> None:
    async with connected(database, stripe) as (parts, basic):
        pro = await another_plan(parts, stripe)
        await parts.db.execute(
            "insert into payments.checkout_options (environment, price_id, trial_period_days) values ('test', $1, 14)",
            basic,
        )
        won = await bought(parts, stripe, basic)
        path = bought_by(stripe, won)
        change_plan(stripe, path, pro)
        stripe.http.api("DELETE", path)
        await tell(parts, stripe, path, later=2)
        again = await buy(parts, basic)
        trials = [(await sent_for(database, one))["subscription_data"].get("trial_period_days") for one in (won, again)]
        assert trials == [14, None]


async def sent_for(database: FreshDatabase, session: dict[str, Any]) -> dict[str, Any]:
    (found,) = await rows(
        database, "select params from payments.checkout_attempts where id = $1::text::uuid", session["id"]
    )
    return orjson.loads(found["params"])


async def test_a_row_that_sql_wrote_sends_nothing_with_the_merchants_key(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    async with connected(database, stripe) as (parts, _):
        account = (await parts.connections.current("test")).account_id
        script(
            database,
            f"""set role authenticated; set request.jwt.claims = '{{"sub": "{ADA}", "role": "authenticated"}}';
            insert into payments.stripe_checkout_sessions (id, environment, account_id, mode, subject_type, subject_id,
                success_url, cancel_url, line_items, created_by, updated_at)
            values ('{OWN_ID}', 'test', '{account}', 'payment', 'user', '{ADA}', 'https://a.example.com',
                'https://a.example.com', '[{{"priceId": "price_dear", "quantity": 1}}]', '{ADA}',
                now() - interval '1 minute')""",
        )
        await resume_checkout_sessions(parts)
        found = await row(database, {"id": OWN_ID})
        assert (found["status"], found["checkout_session_id"]) == ("failed", None)
        assert "not made by a checkout request" in found["last_error"]


@pytest.mark.parametrize("overdue", [True, False])
async def test_an_open_session_that_stripe_does_not_know_any_more_has_expired(
    database: FreshDatabase, stripe: Sandbox, overdue: bool
) -> None:
    """As after all test data of the account were deleted."""
    async with connected(database, stripe) as (parts, price):
        tab = await buy(parts, price, idempotency_key="k")
        gone = f"cs_test_{uuid.uuid4().hex}"
        await parts.db.execute(
            "update payments.stripe_checkout_sessions set checkout_session_id = $1,"
            " expires_at = now() + $2::integer * interval '1 hour'",
            gone,
            -1 if overdue else 1,
        )
        if overdue:
            again = await buy(parts, price, idempotency_key="k")
            assert (again["status"], again["id"] == tab["id"]) == ("open", False)
        else:
            await tell(parts, stripe, subscribe_at_stripe(stripe, price))
            assert await expire_superseded_sessions(parts) == 1
        found = await row(database, tab)
        assert (found["status"], found["url"]) == ("expired", None)


async def test_the_visitor_of_a_payment_link_completes_no_checkout(database: FreshDatabase, stripe: Sandbox) -> None:
    async with connected(database, stripe) as (parts, price):
        tab = await buy(parts, price)
        await parts.db.execute(
            "update payments.stripe_checkout_sessions set status = 'failed', checkout_session_id = null"
        )
        theirs = stripe.http.api("GET", f"{SESSIONS}/{tab['checkoutSessionId']}").json()
        theirs |= {"status": "complete", "payment_status": "paid", "metadata": {}, "payment_link": "plink_1"}
        assert theirs["client_reference_id"] == tab["id"]
        await apply_reads(parts.db, await parts.connections.current("test"), [theirs], int(time.time()))
        assert (await row(database, tab))["status"] == "failed"
