"""A developer's trigger that misbehaves: the event is kept, answered in time, and the mirror stays right."""

import time
from collections.abc import Iterator

import pytest

from paygres.server.db.embedded import Urls
from tests.flows.webhooks import deliver, hooked, script, sql
from tests.fresh_database import FreshDatabase, cloned
from tests.histories import event, intent
from tests.http.running import Server

TRIGGER = """
create function public.fulfill() returns trigger language plpgsql set search_path = '' as $$
begin
    {body}
    return new;
end $$;
create {kind} trigger fulfill after insert or update on payments.webhook_events {deferrable}
    for each row when (new.processing_status = 'processed') execute function public.fulfill();
"""


@pytest.fixture
def shop(postgres: Urls) -> Iterator[tuple[Server, FreshDatabase]]:
    """A server with a table of orders that triggers may write."""
    with cloned(postgres) as database:
        script(
            database,
            "create table public.orders (id text primary key, status text not null);"
            "insert into public.orders values ('o1', 'pending');"
            "grant select, update on public.orders to payments_trigger",
        )
        with hooked(database) as server:
            yield server, database


def paid(name: str) -> dict[str, object]:
    """A paid intent."""
    return event("payment_intent.succeeded", 1_790_000_000, intent(name, status="succeeded", amount_received=2500))


def create(database: FreshDatabase, body: str, *, kind: str = "", deferrable: str = "") -> None:
    """The developer's migration."""
    script(database, TRIGGER.format(body=body, kind=kind, deferrable=deferrable))


def assert_kept(database: FreshDatabase, body: dict[str, object], reason: str) -> None:
    """Projected, shown as failed with the reason, and queued for the worker."""
    (row,) = sql(database, "select status from payments.transactions")
    assert row["status"] == "succeeded"
    (shown,) = sql(
        database,
        "select processing_status, last_error from payments.webhook_events where provider_event_id = $1",
        body["id"],
    )
    assert shown["processing_status"] == "failed"
    assert reason in shown["last_error"]
    (queued,) = sql(database, "select status, next_attempt_at is not null as again from payments.event_queue")
    assert queued == {"status": "failed", "again": True}


def test_the_documented_pattern_fulfills_and_runs_in_a_weak_role(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    create(database, "update public.orders set status = current_user where id = 'o1';")
    assert deliver(server, paid("a")).json()["event"]["processingStatus"] == "processed"
    assert sql(database, "select status from public.orders") == [{"status": "payments_trigger"}]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise exception 'no such order';", "no such order"),
        ("perform 1 / 0;", "division by zero"),
        ("update public.nowhere set x = 1;", "nowhere"),
        ("loop perform 1; end loop;", "time limit"),
        ("perform pg_sleep(60);", "time limit"),
    ],
)
def test_a_trigger_that_raises_or_loops_does_not_lose_the_event(
    shop: tuple[Server, FreshDatabase], body: str, reason: str
) -> None:
    server, database = shop
    create(database, body)
    sent = paid("a")
    began = time.monotonic()
    answer = deliver(server, sent)
    assert (answer.status_code, answer.json()["received"]) == (200, True)
    assert time.monotonic() - began < 3.5  # a promise to the buyer's redirect, not a benchmark
    assert_kept(database, sent, reason)


def test_a_deferred_constraint_trigger_fails_inside_its_savepoint(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    create(database, "raise exception 'too late';", kind="constraint", deferrable="deferrable initially deferred")
    sent = paid("a")
    assert deliver(server, sent).status_code == 200
    assert_kept(database, sent, "too late")


def test_a_trigger_that_waits_for_a_locked_row_is_given_up(shop: tuple[Server, FreshDatabase]) -> None:
    import asyncio

    import asyncpg

    server, database = shop
    create(database, "update public.orders set status = 'paid' where id = 'o1';")
    sent = paid("a")

    async def while_the_row_is_locked() -> int:
        other = await asyncpg.connect(database.superuser_url)
        try:
            async with other.transaction():
                await other.execute("select from public.orders where id = 'o1' for update")
                return (await asyncio.to_thread(deliver, server, sent)).status_code
        finally:
            await other.close()

    assert asyncio.run(while_the_row_is_locked()) == 200
    assert_kept(database, sent, "lock")


@pytest.mark.parametrize("body", ["raise exception 'never';", "return null;"])
def test_a_trigger_that_refuses_every_row_still_cannot_lose_the_event(
    shop: tuple[Server, FreshDatabase], body: str
) -> None:
    server, database = shop
    script(
        database,
        "create function public.refuse() returns trigger language plpgsql as $$"
        f"begin {body} return new; end $$;"
        "create trigger refuse before insert or update on payments.webhook_events"
        " for each row execute function public.refuse()",
    )
    sent = paid("a")
    assert deliver(server, sent).status_code == 200
    assert len(sql(database, "select from payments.stripe_snapshots where event_id = $1", sent["id"])) == 1
    assert sql(database, "select status from payments.transactions") == [{"status": "succeeded"}]


def test_the_worker_finishes_what_a_mended_trigger_left(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    create(database, "raise exception 'broken';")
    sent = paid("a")
    deliver(server, sent)
    script(
        database,
        "create or replace function public.fulfill() returns trigger language plpgsql as $$"
        "begin update public.orders set status = 'paid' where id = 'o1'; return new; end $$;"
        "update payments.event_queue set next_attempt_at = now()",
    )
    deadline = time.monotonic() + 20
    while sql(database, "select from payments.event_queue") and time.monotonic() < deadline:
        time.sleep(0.2)
    (shown,) = sql(database, "select processing_status, attempt_count, last_error from payments.webhook_events")
    assert shown == {"processing_status": "processed", "attempt_count": 2, "last_error": None}
    assert sql(database, "select status from public.orders") == [{"status": "paid"}]


def test_a_trigger_on_customers_runs_in_the_same_weak_role(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    script(
        database,
        "create function public.see() returns trigger language plpgsql as $$"
        "begin update public.orders set status = current_user; return new; end $$;"
        "create trigger see after insert on payments.customers"
        " for each row execute function public.see()",
    )
    person = {"id": "cus_1", "object": "customer", "metadata": {}, "created": 1, "livemode": False}
    deliver(server, event("customer.created", 1_790_000_000, person))
    assert sql(database, "select status from public.orders") == [{"status": "payments_trigger"}]
