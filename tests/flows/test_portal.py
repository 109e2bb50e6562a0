"""POST customer-portal-sessions: who may, whose customer, what Stripe is told, and what is left on the row."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import httpx2
import orjson
import pytest

from paygres.server.caller import Caller
from paygres.server.errors import InvalidRequest, NotFound, RateLimit, Unavailable, Upstream
from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.create_portal_session import create_portal_session, give_up_portal_sessions
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.customer_portal_sessions import CustomerPortalRequest
from paygres.server.flows.requests.fields import Subject
from tests.flows.canned_stripe import Said, canned
from tests.flows.checkouts import ADA, BOB, Shop, signed_in, subject, without_endpoints
from tests.flows.running_parts import Sandbox as Accounts
from tests.flows.running_parts import parts_on, rows
from tests.flows.webhooks import script
from tests.fresh_database import FreshDatabase
from tests.http.running import ANON_KEY, admin, bearer, token
from tests.sandbox.running import Sandbox

PORTAL = "/api/payments/stripe/test/customer-portal-sessions"
KEYS = (
    "id environment status subjectType subjectId customerId returnUrl configuration url lastError createdAt updatedAt"
)
CALLER = Caller("authenticated", sub=ADA)
REQUEST = CustomerPortalRequest(subject=Subject(type="user", id=ADA), return_url="https://shop.example.com/account")
SESSION = {"id": "bps_1", "object": "billing_portal.session", "url": "https://billing.example.com/p/session/1"}


def ask(shop: Shop, headers: dict[str, str], environment: str = "test", **body: Any) -> httpx2.Response:
    return shop.server.client.post(PORTAL.replace("test", environment), headers=headers, json=body)


def portal_rows(shop: Shop, subject_id: str) -> list[dict[str, Any]]:
    return shop.sql("select * from payments.stripe_customer_portal_sessions where subject_id = $1", subject_id)


def customer(shop: Shop, user: str) -> str:
    """The customer of a user who has paid once."""
    session = shop.buy(signed_in(user), subject=subject("user", user))
    shop.pay(session)
    return shop.row(session["id"])["customer_id"]


def test_a_subject_that_has_paid_gets_the_contracts_object_key_by_key(open_shop: Shop) -> None:
    mine = customer(open_shop, "portal_user")
    answer = ask(
        open_shop,
        signed_in("portal_user"),
        subject=subject("user", "portal_user"),
        returnUrl="https://shop.example.com/account",
    )
    assert answer.status_code == 201, answer.text
    assert list(answer.json()) == ["customerPortalSession"]
    session = answer.json()["customerPortalSession"]
    assert list(session) == KEYS.split()
    assert session["url"].startswith("http")
    assert {k: v for k, v in session.items() if k not in ("id", "url", "createdAt", "updatedAt")} == {
        "environment": "test",
        "status": "created",
        "subjectType": "user",
        "subjectId": "portal_user",
        "customerId": mine,
        "returnUrl": "https://shop.example.com/account",
        "configuration": None,
        "lastError": None,
    }
    (row,) = portal_rows(open_shop, "portal_user")
    assert (row["created_by"], row["account_id"]) == ("portal_user", open_shop.sandbox.ready["accountId"])
    assert orjson.loads(row["raw"])["id"].startswith("bps_")


def test_every_visit_is_a_session_of_its_own(open_shop: Shop) -> None:
    customer(open_shop, "two_visits")
    body: dict[str, Any] = {"subject": subject("user", "two_visits")}
    first, second = (ask(open_shop, signed_in("two_visits"), **body).json() for _ in range(2))
    assert first["customerPortalSession"]["id"] != second["customerPortalSession"]["id"]
    assert first["customerPortalSession"]["url"] != second["customerPortalSession"]["url"]


def test_a_configuration_that_stripe_does_not_know_is_passed_on_and_kept_on_the_row(open_shop: Shop) -> None:
    customer(open_shop, "configured")
    wanted: dict[str, Any] = {"subject": subject("user", "configured"), "configuration": "bpc_nowhere"}
    error = ask(open_shop, signed_in("configured"), **wanted)
    assert (error.status_code, error.json()["error"]) == (400, "UPSTREAM_FAILURE")
    (row,) = portal_rows(open_shop, "configured")
    assert (row["status"], row["configuration_id"], row["url"]) == ("failed", "bpc_nowhere", None)
    assert row["last_error"] == error.json()["message"]


def test_a_subject_nobody_paid_for_is_a_404_and_a_failed_row(open_shop: Shop) -> None:
    answer = ask(open_shop, signed_in("never_paid"), subject=subject("user", "never_paid"))
    assert answer.status_code == 404
    error = answer.json()
    assert (error["error"], error["message"]) == (
        "PAYMENT_NOT_FOUND",
        "No Stripe customer is mapped to this billing subject",
    )
    assert "checkout" in error["nextActions"]
    (row,) = portal_rows(open_shop, "never_paid")
    assert (row["status"], row["last_error"], row["customer_id"]) == ("failed", error["message"], None)


@pytest.mark.parametrize(
    ("headers", "body", "status", "code", "message"),
    [
        (bearer(ANON_KEY), None, 401, "AUTH_INVALID_CREDENTIALS", "Customer portal sessions require an authenticated"),
        (admin(), None, 401, "AUTH_INVALID_CREDENTIALS", "Customer portal session creation requires a user token"),
        ({}, None, 401, "AUTH_INVALID_CREDENTIALS", "No token provided"),
        (bearer("garbage"), None, 401, "AUTH_UNAUTHORIZED", "Invalid token"),
        (admin(), {}, 400, "INVALID_INPUT", "subject: Required"),
        (bearer(ANON_KEY), {"foo": 1}, 400, "INVALID_INPUT", "subject: Required, (root): Unrecognized key(s)"),
        (
            bearer(token(sub=ADA, role="teller", exp=time.time() + 600)),
            None,
            403,
            "AUTH_UNAUTHORIZED",
            "Unsupported customer portal role",
        ),
    ],
)
def test_who_may_not_open_a_portal_is_told_so(
    open_shop: Shop, headers: dict[str, str], body: dict[str, Any] | None, status: int, code: str, message: str
) -> None:
    wanted: dict[str, Any] = {"subject": subject("user", "refused")} if body is None else body
    answer = ask(open_shop, headers, **wanted)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.json()["message"].startswith(message)
    assert portal_rows(open_shop, "refused") == []


def test_the_environment_is_checked_before_the_body(open_shop: Shop) -> None:
    answer = ask(open_shop, signed_in(ADA), "staging")
    assert answer.json()["message"].startswith("environment: Invalid enum value")


@pytest.mark.parametrize("kind", ["user", "org"])
def test_another_subjects_portal_is_refused_by_the_policies_and_leaves_no_row(open_shop: Shop, kind: str) -> None:
    answer = ask(open_shop, signed_in(ADA), subject=subject(kind, f"{BOB}{kind}"))
    assert answer.status_code == 403
    error = answer.json()
    assert error["error"] == "AUTH_UNAUTHORIZED"
    assert error["message"] == (
        "Customer portal session creation is not allowed by payments.stripe_customer_portal_sessions RLS policies"
    )
    assert f"payments.can_bill('{kind}'" in error["nextActions"]
    assert portal_rows(open_shop, f"{BOB}{kind}") == []


def test_an_unmapped_subject_hears_404_before_it_hears_that_a_key_is_missing(open_shop: Shop) -> None:
    body: dict[str, Any] = {"subject": subject("user", "live_user")}
    assert ask(open_shop, signed_in("live_user"), "live", **body).status_code == 404
    open_shop.sql(
        "insert into payments.customer_mappings (environment, provider, subject_type, subject_id,"
        " provider_customer_id) values ('live', 'stripe', 'user', 'live_user', 'cus_live')"
    )
    answer = ask(open_shop, signed_in("live_user"), "live", **body)
    assert (answer.status_code, answer.json()["error"]) == (400, "PAYMENT_CONFIG_INVALID")
    kept = portal_rows(open_shop, "live_user")
    assert sorted(r["last_error"] for r in kept) == [
        "No Stripe customer is mapped to this billing subject",
        "STRIPE_LIVE_SECRET_KEY is not configured",
    ]
    assert {r["status"] for r in kept} == {"failed"}


# What only happens when Stripe or the database is not as it should be.


@pytest.fixture(scope="module")
def stripe() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@asynccontextmanager
async def mapped(database: FreshDatabase, stripe: Sandbox, url: str | None = None) -> AsyncIterator[Parts]:
    """A connected environment where Ada is a customer; `url`: another Stripe answers from now on."""
    async with parts_on(database, without_endpoints(stripe).url) as parts:
        await connect_account(parts, "test", stripe.key, actor="test")
        await parts.db.execute(
            "insert into payments.customer_mappings (environment, provider, account_id, subject_type, subject_id,"
            " provider_customer_id) values ('test', 'stripe', $1, 'user', $2, 'cus_ada')",
            stripe.ready["accountId"],
            ADA,
        )
        if url is None:
            yield parts
    if url is not None:
        async with parts_on(database, url) as parts:
            yield parts


async def row(database: FreshDatabase) -> dict[str, Any]:
    (found,) = await rows(database, "select * from payments.stripe_customer_portal_sessions")
    return found


async def test_stripe_is_told_the_customer_and_the_callers_words_under_a_key_of_the_row(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    request = REQUEST.model_copy(update={"configuration": "bpc_1"})
    async with canned(Said(SESSION)) as asked, mapped(database, stripe, asked.url) as parts:
        session = await create_portal_session(parts, CALLER, "test", request)
    (sent,) = asked.asked
    assert (sent.method, sent.target) == ("POST", "/v1/billing_portal/sessions")
    assert parse_qs(sent.body) == {
        "customer": ["cus_ada"],
        "return_url": ["https://shop.example.com/account"],
        "configuration": ["bpc_1"],
    }
    assert sent.headers["idempotency-key"] == f"insforge:test:customer_portal_session:{session['id']}"
    assert (session["url"], session["configuration"]) == (SESSION["url"], "bpc_1")


@pytest.mark.parametrize(
    ("said", "raised", "message"),
    [
        (Said({"id": "bps_1"}), Upstream, "Stripe did not return a customer portal URL"),
        (Said({"error": {"message": "Go away"}}, 500), Upstream, "Go away"),
        (Said({"error": {"message": "Slow down", "code": "rate_limit"}}, 429), RateLimit, "Slow down"),
        (Said({"error": {"message": "Invalid API Key"}}, 401), Upstream, "Invalid API Key"),
    ],
)
async def test_whatever_stripe_answers_wrongly_is_on_the_row(
    database: FreshDatabase, stripe: Sandbox, said: Said, raised: type[Exception], message: str
) -> None:
    async with canned(said) as asked, mapped(database, stripe, asked.url) as parts:
        with pytest.raises(raised, match=message):
            await create_portal_session(parts, CALLER, "test", REQUEST)
    kept = await row(database)
    assert (kept["status"], kept["last_error"], kept["url"]) == ("failed", message, None)


async def test_a_switch_of_the_account_meanwhile_refuses_the_portal(database: FreshDatabase, stripe: Sandbox) -> None:
    async with mapped(database, stripe) as parts:
        real = stripe.stripe.v1.customers.create({"email": "ada@example.com"}).id
        await parts.db.execute("update payments.customer_mappings set provider_customer_id = $1", real)
        stripe.http.browser.post("/_sim/faults", json={"latency": 1.5})
        try:
            asking = asyncio.create_task(create_portal_session(parts, CALLER, "test", REQUEST))
            await asyncio.sleep(0.1)
        finally:
            stripe.http.browser.post("/_sim/faults", json={"latency": 0.0})
        _, key = Accounts.new_account()
        await connect_account(parts, "test", key, actor="test")
        with pytest.raises(Unavailable, match="account was changed meanwhile"):
            await asking
        kept = await row(database)
        assert (kept["status"], kept["url"], kept["account_id"]) == ("failed", None, stripe.ready["accountId"])
        with pytest.raises(NotFound):  # the old account's customer is none of the new one's
            await create_portal_session(parts, CALLER, "test", REQUEST)


async def test_nothing_is_held_in_the_database_while_stripe_thinks(database: FreshDatabase, stripe: Sandbox) -> None:
    async with canned(Said(SESSION, together=26)) as asked, mapped(database, stripe, asked.url) as parts:
        asking = [asyncio.create_task(create_portal_session(parts, CALLER, "test", REQUEST)) for _ in range(25)]
        await asyncio.wait_for(asked.arrived(25), 15)
        (busy,) = await rows(
            database,
            "select count(*) as n from pg_stat_activity where datname = current_database() and state <> 'idle'"
            " and pid <> pg_backend_pid()",
        )
        assert busy["n"] == 0
        asking.append(asyncio.create_task(create_portal_session(parts, CALLER, "test", REQUEST)))  # frees them all
        assert len({s["id"] for s in await asyncio.gather(*asking)}) == 26


async def test_an_insert_policy_alone_is_enough(database: FreshDatabase, stripe: Sandbox) -> None:
    script(database, "drop policy users_select on payments.stripe_customer_portal_sessions")
    async with canned(Said(SESSION)) as asked, mapped(database, stripe, asked.url) as parts:
        assert (await create_portal_session(parts, CALLER, "test", REQUEST))["status"] == "created"


async def test_developers_triggers_see_the_callers_role_at_the_insert_and_their_own_later(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    script(
        database,
        "create table public.seen (op text, as_role text); grant insert on public.seen to authenticated,"
        " payments_trigger; create function public.see() returns trigger language plpgsql as $$ begin"
        " insert into public.seen values (tg_op, current_user); return new; end $$;"
        " create trigger see after insert or update on payments.stripe_customer_portal_sessions for each row"
        " execute function public.see()",
    )
    async with canned(Said(SESSION)) as asked, mapped(database, stripe, asked.url) as parts:
        await create_portal_session(parts, CALLER, "test", REQUEST)
    seen = await rows(database, "select op, as_role from public.seen")
    assert [(r["op"], r["as_role"]) for r in seen] == [("INSERT", "authenticated"), ("UPDATE", "payments_trigger")]


async def test_a_policy_that_cannot_read_the_subject_is_the_callers_400(
    database: FreshDatabase, stripe: Sandbox
) -> None:
    script(
        database,
        "create or replace function payments.can_bill(subject_type text, subject_id text) returns boolean"
        " language sql stable set search_path = '' as $$ select can_bill.subject_id::bigint = 1 $$",
    )
    async with mapped(database, stripe) as parts:
        with pytest.raises(InvalidRequest) as refused:
            await create_portal_session(parts, CALLER, "test", REQUEST)
    assert "can_bill" in str(refused.value.next_actions)


async def test_a_visit_whose_server_died_is_ended_by_the_worker(database: FreshDatabase, stripe: Sandbox) -> None:
    async with mapped(database, stripe) as parts:
        ids = [uuid.uuid4(), uuid.uuid4()]
        for row_id, age in zip(ids, ("6 minutes", "1 minute"), strict=True):
            await parts.db.execute(
                "insert into payments.stripe_customer_portal_sessions (id, environment, subject_type, subject_id,"
                f" created_at) values ($1, 'test', 'user', 'u', now() - interval '{age}')",
                row_id,
            )
        await give_up_portal_sessions(parts)
    kept = await rows(database, "select id, status, last_error from payments.stripe_customer_portal_sessions")
    found = {r["id"]: (r["status"], r["last_error"]) for r in kept}
    assert found[ids[0]] == ("failed", "The server stopped before Stripe answered")
    assert found[ids[1]] == ("initialized", None)
