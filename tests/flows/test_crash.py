"""kill -9 at the worst moments: at Stripe with a checkout, and in the middle of an event's transaction."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from paygres.server.db.embedded import Urls
from tests.flows.checkouts import ADA, Shop, shop, signed_in
from tests.flows.webhooks import script, sql

# Fulfills, and then takes its time: the moment to die is inside the transaction.
SLOW_TRIGGER = """
create table public.orders (id text primary key, paid integer not null default 0);
insert into public.orders values ('crash', 0);
grant select, update on public.orders to payments_trigger;
create function public.fulfill() returns trigger language plpgsql set search_path = '' as $$
begin
    update public.orders set paid = paid + 1 where id = new.payload #>> '{data,object,metadata,order_id}';
    perform pg_sleep(1.5);
    return new;
end $$;
create trigger fulfill after insert or update on payments.webhook_events for each row
    when (new.processing_status = 'processed' and new.event_type = 'checkout.session.completed')
    execute function public.fulfill();
"""
QUICK = """
create or replace function public.fulfill() returns trigger language plpgsql set search_path = '' as $$
begin
    update public.orders set paid = paid + 1 where id = new.payload #>> '{data,object,metadata,order_id}';
    return new;
end $$;
"""


@pytest.fixture(scope="module")
def mortal_shop(postgres: Urls) -> Iterator[Shop]:
    """A server to kill; every test starts it again."""
    with shop(postgres) as opened:
        yield opened


def killed_at_stripe(shop: Shop, order: str, **changes: Any) -> str:
    """The row of a checkout whose server died while Stripe had made the session and held its answer."""
    shop.sim("faults", latency=1.0)
    with ThreadPoolExecutor(1) as buyer:
        asked: Future[httpx2.Response] = buyer.submit(
            shop.post, signed_in(ADA), metadata={"order_id": order}, **changes
        )
        shop.wait(lambda: shop.at_stripe(order))
        shop.kill()
        assert isinstance(asked.exception(), httpx2.TransportError)
    shop.sim("faults", latency=0.0)
    (row,) = shop.sql(
        "select id, status from payments.stripe_checkout_sessions where metadata ->> 'order_id' = $1", order
    )
    assert row["status"] == "initialized"
    return str(row["id"])


def later(shop: Shop, row_id: str) -> None:
    """As if the dead server's lease had run out a while ago."""
    shop.force(
        f"update payments.checkout_attempts set leased_until = now() - interval '1 s' where id = '{row_id}';"
        " update payments.stripe_checkout_sessions set updated_at = now() - interval '1 minute'"
        f" where id = '{row_id}'"
    )


def test_the_same_key_finds_the_session_that_a_killed_server_made(mortal_shop: Shop) -> None:
    wanted = {"idempotencyKey": "order:killed"}
    row_id = killed_at_stripe(mortal_shop, "killed", **wanted)
    mortal_shop.restart()
    mortal_shop.force(
        f"update payments.checkout_attempts set leased_until = now() - interval '1 s' where id = '{row_id}'"
    )
    session = mortal_shop.buy(signed_in(ADA), metadata={"order_id": "killed"}, **wanted)
    (at_stripe,) = mortal_shop.at_stripe("killed")
    assert (session["id"], session["status"]) == (row_id, "open")
    assert (session["checkoutSessionId"], session["url"]) == (at_stripe["id"], at_stripe["url"])
    page = mortal_shop.sandbox.http.browser.get(session["url"])
    assert page.status_code == 200


def test_the_worker_heals_a_checkout_that_nobody_asks_for_again(mortal_shop: Shop) -> None:
    row_id = killed_at_stripe(mortal_shop, "healed")
    later(mortal_shop, row_id)
    mortal_shop.restart()
    mortal_shop.wait(lambda: mortal_shop.row(row_id)["status"] == "open")
    (at_stripe,) = mortal_shop.at_stripe("healed")
    assert mortal_shop.row(row_id)["checkout_session_id"] == at_stripe["id"]


def test_a_checkout_paid_after_its_server_died_is_known_by_the_webhook(mortal_shop: Shop) -> None:
    row_id = killed_at_stripe(mortal_shop, "orphan")
    mortal_shop.restart()
    (at_stripe,) = mortal_shop.at_stripe("orphan")
    mortal_shop.sim("pay", session=at_stripe["id"])
    row = mortal_shop.row(row_id)
    assert (row["status"], row["checkout_session_id"]) == ("completed", at_stripe["id"])
    (sale,) = mortal_shop.sql(
        "select status, amount from payments.transactions where related_object_ids ->> 'checkout_session' = $1",
        at_stripe["id"],
    )
    assert sale == {"status": "succeeded", "amount": 3000}


def test_an_event_whose_server_died_halfway_leaves_nothing_and_is_applied_once(mortal_shop: Shop) -> None:
    script(mortal_shop.database, SLOW_TRIGGER)
    session = mortal_shop.buy(metadata={"order_id": "crash"})
    with ThreadPoolExecutor(1) as buyer:
        paying = buyer.submit(mortal_shop.pay, session)
        mortal_shop.wait(lambda: sleeping(mortal_shop))
        mortal_shop.kill()
        paying.result()
    mortal_shop.wait(lambda: not sleeping(mortal_shop))
    event = completion(mortal_shop, session)
    assert written(mortal_shop, event) == {"events": 0, "snapshots": 0, "queued": 0, "paid": 0}
    assert mortal_shop.row(session["id"])["status"] == "open"

    script(mortal_shop.database, QUICK)
    mortal_shop.restart()
    mortal_shop.sim("resend", event=event)
    mortal_shop.wait(lambda: written(mortal_shop, event)["paid"])
    mortal_shop.sim("resend", event=event)
    mortal_shop.wait(lambda: delivered(mortal_shop, event))
    assert written(mortal_shop, event) == {"events": 1, "snapshots": 1, "queued": 0, "paid": 1}
    (shown,) = mortal_shop.sql(
        "select processing_status, attempt_count from payments.webhook_events where provider_event_id = $1", event
    )
    assert shown == {"processing_status": "processed", "attempt_count": 1}
    assert mortal_shop.row(session["id"])["status"] == "completed"


def sleeping(shop: Shop) -> bool:
    """A trigger is in the middle of its work."""
    asked = "select 1 from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
    return bool(sql(shop.database, asked, role="pg_read_all_stats"))


def completion(shop: Shop, session: dict[str, Any]) -> str:
    """The id of the event that says it was paid."""
    listed = shop.sandbox.http.api("GET", "/v1/events", {"type": "checkout.session.completed", "limit": "10"})
    return next(e["id"] for e in listed.json()["data"] if e["data"]["object"]["id"] == session["checkoutSessionId"])


def delivered(shop: Shop, event: str) -> bool:
    """Every delivery of the event has been answered well, or given up."""
    listed = shop.sandbox.http.browser.get("/_sim/deliveries", params={"event": event}).json()["deliveries"]
    return bool(listed) and all(one["state"] != "pending" for one in listed)


def written(shop: Shop, event: str) -> dict[str, int]:
    """What there is of an event, and of the order it pays."""
    (found,) = shop.sql(
        "select (select count(*) from payments.webhook_events where provider_event_id = $1) as events,"
        " (select count(*) from payments.stripe_snapshots where event_id = $1) as snapshots,"
        " (select count(*) from payments.event_queue where event_id = $1) as queued",
        event,
    )
    (order,) = sql(shop.database, "select paid from public.orders where id = 'crash'")
    return {**found, **order}
