"""payments.fulfill in a developer's trigger: yes exactly once for the money, and what was given follows it."""

import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from paygres.server.db.embedded import Urls
from tests.flows.webhooks import deliver, hooked, script, sql
from tests.fresh_database import FreshDatabase, cloned
from tests.histories import START, Event, charge, event, purchase, session
from tests.http.running import Server

SHOP = """
create table public.orders (id text primary key, amount bigint, currency text, status text default 'pending');
create table public.grants (order_id text);
create table public.reversals (order_id text, kept bigint, status text, by_role text);
grant select, update on public.orders to payments_trigger;
grant insert on public.grants, public.reversals to payments_trigger;
create function public.fulfill_order() returns trigger language plpgsql set search_path = '' as $$
declare o public.orders;
begin
    select * into o from public.orders
    where id = new.payload #>> '{data,object,metadata,order_id}' for update;
    if payments.fulfill(new, 'orders', o.id, o.amount, o.currency) then
        update public.orders set status = 'paid' where id = o.id;
        insert into public.grants values (o.id);
    end if;
    return null;
end $$;
create trigger fulfill_order after update on payments.webhook_events for each row
    when (new.processing_status = 'processed' and old.processing_status <> 'processed')
    execute function public.fulfill_order();
create function public.take_back() returns trigger language plpgsql set search_path = '' as $$
begin
    insert into public.reversals values (new.key, new.amount_kept, new.status, current_user);
    return null;
end $$;
create trigger take_back after update of amount_kept, status on payments.fulfillments for each row
    when (old.share_kept is distinct from new.share_kept and new.granted_at is not null)
    execute function public.take_back();
insert into public.orders values ('o1', 2500, 'USD'), ('cheap', 100, 'usd');
"""


@pytest.fixture
def shop(postgres: Urls) -> Iterator[tuple[Server, FreshDatabase]]:
    """A shop that fulfills orders through payments.fulfill."""
    with cloned(postgres) as database:
        script(database, SHOP)
        with hooked(database) as server:
            yield server, database


def fulfillments(database: FreshDatabase) -> list[dict[str, Any]]:
    return sql(
        database,
        "select key, payment_key, status, reason, amount_paid, amount_kept from payments.fulfillments"
        " order by created_at, payment_key",
        role="project_admin",
    )


def complete(name: str, **changed: Any) -> dict[str, Any]:
    """A completed session for the order o1."""
    told = {"status": "complete", "payment_status": "paid", "metadata": {"order_id": "o1"}, **changed}
    return session(name, payment_intent=f"pi_{name}", **told)


def send(server: Server, history: list[Event]) -> None:
    for one in history:
        shown = deliver(server, one).json()["event"]
        assert shown["processingStatus"] == "processed", shown["lastError"]


def lost_dispute(name: str, status: str, at: int) -> Event:
    raw = {
        "id": f"dp_{name}",
        "object": "dispute",
        "amount": 2500,
        "charge": f"ch_{name}_1",
        "payment_intent": f"pi_{name}",
        "currency": "usd",
        "reason": "fraudulent",
        "status": status,
        "created": START,
        "metadata": {},
        "livemode": False,
    }
    return event("charge.dispute.closed", at, raw)


def test_one_payment_is_granted_once_whatever_tells_of_it(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    history = purchase("o1")
    send(server, history + history[::-1][:0])
    completed = next(e for e in history if e["type"] == "checkout.session.completed")
    again = event("checkout.session.async_payment_succeeded", START + 5, completed["data"]["object"])
    send(server, [again])
    assert sql(database, "select order_id from public.grants") == [{"order_id": "o1"}]
    assert fulfillments(database) == [
        {
            "key": "o1",
            "payment_key": "pi_o1",
            "status": "granted",
            "reason": None,
            "amount_paid": 2500,
            "amount_kept": 2500,
        }
    ]


def test_a_cheap_price_with_an_expensive_order_is_quarantined_and_shown(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    script(database, "update public.orders set amount = 99900 where id = 'o1'")
    send(server, purchase("o1"))
    assert sql(database, "select status from public.orders where id = 'o1'") == [{"status": "pending"}]
    (row,) = fulfillments(database)
    assert (row["status"], row["reason"]) == ("quarantined", "2500 usd was bought where 99900 usd was expected")
    (told,) = sql(database, "select message from payments.attention where reason = 'quarantine'")
    assert told["message"].startswith("pi_o1 was paid and not fulfilled (orders): 2500 usd was bought")


def test_money_for_an_order_nobody_knows_is_quarantined(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    send(server, purchase("unheard-of"))
    (row,) = fulfillments(database)
    assert row["status"] == "quarantined"
    assert sql(database, "select * from public.grants") == []


def test_an_unpaid_checkout_grants_nothing_until_the_money_came(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    unpaid = session(
        "o1", status="complete", payment_status="unpaid", payment_intent="pi_o1", metadata={"order_id": "o1"}
    )
    send(server, [event("checkout.session.completed", START, unpaid)])
    assert fulfillments(database) == []
    send(server, [event("checkout.session.async_payment_succeeded", START + 9, {**unpaid, "payment_status": "paid"})])
    assert sql(database, "select order_id from public.grants") == [{"order_id": "o1"}]


def test_a_second_payment_of_one_order_is_quarantined(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    send(server, purchase("o1"))
    other = session(
        "twice", status="complete", payment_status="paid", payment_intent="pi_twice", metadata={"order_id": "o1"}
    )
    send(server, [event("checkout.session.completed", START + 60, other)])
    assert [row["status"] for row in fulfillments(database)] == ["granted", "quarantined"]
    assert fulfillments(database)[1]["reason"] == "o1 was fulfilled by another payment already"
    assert len(sql(database, "select * from public.grants")) == 1


def test_what_was_given_follows_refunds_in_the_triggers_role(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    send(server, purchase("o1", refunded=1000))
    (row,) = fulfillments(database)
    assert (row["status"], row["amount_kept"]) == ("granted", 1500)
    back = charge("o1", amount_refunded=2500, refunded=True, created=START, balance_transaction="txn_o1")
    send(server, [event("charge.refunded", START + 90, back, {"amount_refunded": 1000, "refunded": False})])
    assert sql(database, "select * from public.reversals") == [
        {"order_id": "o1", "kept": 1500, "status": "granted", "by_role": "payments_trigger"},
        {"order_id": "o1", "kept": 0, "status": "reversed", "by_role": "payments_trigger"},
    ]
    assert sql(database, "select * from payments.reversal_queue", role="paygres_service") == []


def test_a_lost_dispute_takes_back_and_a_won_one_restores(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    send(server, [*purchase("o1"), lost_dispute("o1", "under_review", START + 50)])
    assert fulfillments(database)[0]["amount_kept"] == 2500
    send(server, [lost_dispute("o1", "lost", START + 60)])
    assert fulfillments(database)[0]["status"] == "reversed"


def test_money_that_went_back_before_it_was_given_gives_nothing(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    history = purchase("o1", refunded=2500)
    send(server, [history[-1], *history[:-1]])
    (row,) = fulfillments(database)
    assert (row["status"], row["amount_kept"]) == ("reversed", 0)
    assert sql(database, "select * from public.grants") == []


def test_a_part_that_went_back_before_is_taken_back_right_after_the_grant(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    history = purchase("o1", refunded=1000)
    send(server, history[::-1])
    assert sql(database, "select order_id from public.grants") == [{"order_id": "o1"}]
    assert [r["kept"] for r in sql(database, "select kept from public.reversals")] == [1500]


def test_a_raising_reversal_keeps_the_event_and_the_mirror(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    history = purchase("o1", refunded=2500)
    send(server, history[:-1])
    script(database, "revoke insert on public.reversals from payments_trigger")
    shown = deliver(server, history[-1]).json()["event"]
    assert shown["processingStatus"] == "failed"
    assert "a trigger on payments.fulfillments raised: permission denied" in shown["lastError"]
    (row,) = sql(database, "select status, amount_refunded from payments.transactions", role="project_admin")
    assert row == {"status": "refunded", "amount_refunded": 2500}
    assert len(sql(database, "select * from payments.reversal_queue", role="paygres_service")) == 1


def test_the_amount_of_our_own_checkout_counts_for_its_intent(shop: tuple[Server, FreshDatabase]) -> None:
    server, database = shop
    row_id = str(uuid.uuid4())
    script(
        database,
        "set role paygres_service; insert into payments.stripe_checkout_sessions"
        " (id, environment, mode, status, line_items, success_url, cancel_url, amount_subtotal, currency)"
        f" values ('{row_id}', 'test', 'payment', 'open', '[{{\"priceId\": \"price_1\", \"quantity\": 2}}]',"
        " 'https://a.example.com', 'https://a.example.com', 2500, 'usd')",
    )
    paid = session(
        "o1",
        status="complete",
        payment_status="paid",
        payment_intent="pi_o1",
        amount_total=2000,
        metadata={"order_id": "o1", "insforge_checkout_session_id": row_id},
    )
    send(server, [event("checkout.session.completed", START, paid)])
    (row,) = sql(
        database,
        "select items, amount, amount_paid, checkout_session_id::text as ours from payments.fulfillments",
        role="project_admin",
    )
    assert row == {"items": '{"price_1": 2}', "amount": 2500, "amount_paid": 2000, "ours": row_id}


def given_for(database: FreshDatabase, history: Event, key: str | None) -> None:
    """As a trigger would ask, but for a rule of its own."""
    told = orjson.dumps(history).decode()
    script(
        database,
        f"set role payments_trigger; select payments.fulfill_event('test', '', $told${told}$told$, 'passes',"
        f" {'null' if key is None else repr(key)}, 2500, 'usd')",
    )


def linked(database: FreshDatabase, invoice: str, by: str) -> None:
    """What Stripe says of the invoice that pi_1 pays; "" for none. Then what an event's transaction ends with."""
    told = orjson.dumps([{"payment_intent_id": "pi_1", "invoice_id": invoice, "invoice_payment_id": by}]).decode()
    script(
        database,
        f"set role paygres_service; select payments.apply_links('test', '{told}');"
        " select payments.settle_noted_reversals('test')",
    )


@pytest.mark.parametrize("key", ["k", None], ids=["one key", "no key"])
def test_an_intent_and_its_invoice_end_as_one_grant_whenever_that_is_known(
    shop: tuple[Server, FreshDatabase], key: str | None
) -> None:
    """Stripe said that the intent pays no invoice, and told of the invoice later. With one key the invoice's row was
    quarantined and gives way; without, both were granted, and one is taken back."""
    _, database = shop
    linked(database, "", "")
    intent = {"id": "pi_1", "object": "payment_intent", "amount": 2500, "amount_received": 2500, "currency": "usd"}
    invoice = {"id": "in_1", "object": "invoice", "status": "paid", "subtotal": 2500, "amount_paid": 2500}
    given_for(database, event("payment_intent.succeeded", START, {**intent, "customer": "cus_1", "metadata": {}}), key)
    given_for(database, event("invoice.paid", START, {**invoice, "currency": "usd"}), key)
    before = {row["payment_key"]: row["status"] for row in fulfillments(database)}
    assert before == {"pi_1": "granted", "in_1": "quarantined" if key else "granted"}
    linked(database, "in_1", "inpay_1")
    after = {row["payment_key"]: row["status"] for row in fulfillments(database)}
    assert after == ({"in_1": "granted"} if key else {"in_1": "granted", "pi_1": "reversed"})
    assert sql(database, "select kept, status from public.reversals") == (
        [] if key else [{"kept": 0, "status": "reversed"}]
    )
    assert sql(database, "select from payments.attention where closed_at is null", role="project_admin") == []
    assert sql(database, "select * from payments.broken_grants", role="paygres_service") == []
