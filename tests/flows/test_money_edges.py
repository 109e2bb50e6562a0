"""What was given follows its money where tellings are odd: links that come late, refunds told again, other currencies,
captures in part, invoices paid twice, invoices for nothing, and developers' code that fails."""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import orjson
import pytest

from paygres.server.db.database import Database
from paygres.server.flows.apply_event import Applied, apply_event
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.projections.events import read_event
from paygres.server.tables import fulfillments
from tests.flows.webhooks import script, sql
from tests.fresh_database import FreshDatabase
from tests.histories import START, Event, charge, event, intent, purchase, session
from tests.playing import CONNECTION, ROAD

PASSES = """
create table public.given (event_type text);
create table public.changes (kept bigint, status text);
grant insert on public.given, public.changes to payments_trigger;
create function public.give() returns trigger language plpgsql set search_path = '' as $$
begin
    if payments.fulfill(new, 'passes', KEY, 2500, 'usd') then
        insert into public.given values (new.event_type);
    end if;
    return null;
end $$;
create trigger give after update on payments.webhook_events for each row
    when (new.processing_status = 'processed' and old.processing_status <> 'processed') execute function public.give();
create function public.change() returns trigger language plpgsql set search_path = '' as $$
begin
    insert into public.changes values (new.amount_kept, new.status);
    return null;
end $$;
create trigger change after update of amount_kept, status on payments.fulfillments for each row
    execute function public.change();
"""
REFUSING = """
create function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'boom'; end $$;
create trigger refuse after update on payments.fulfillments for each row
    when (new.status = 'reversed') execute function public.refuse();
"""
LEASE = timedelta(seconds=60)


@pytest.fixture
async def db(database: FreshDatabase) -> AsyncIterator[Database]:
    """The server's own connection to a fresh database."""
    opened = await Database.connect(database.server_url)
    try:
        yield opened
    finally:
        await opened.close()


def selling(database: FreshDatabase, key: str | None = None) -> None:
    script(database, PASSES.replace("KEY", "null::text" if key is None else f"'{key}'"))


async def tell(db: Database, one: Event) -> Applied:
    return await apply_event(db, ROAD, read_event(one), orjson.dumps(one).decode())


async def told(db: Database, *history: Event) -> None:
    for one in history:
        applied = await tell(db, one)
        assert applied.status == "processed", applied.event["lastError"]


async def worked(db: Database) -> list[str]:
    """The worker's turn with reversals; what developers' code said against it."""
    due = await fulfillments.lease_reversals(db, 20, LEASE)
    return [error for one in due if (error := await fulfillments.settle_reversal(db, one))]


async def given(db: Database) -> dict[str, tuple[str, int]]:
    """(status, kept) of each payment."""
    rows = await db.fetch("select payment_key, status, amount_kept from payments.fulfillments order by 1")
    return {row["payment_key"]: (row["status"], row["amount_kept"]) for row in rows}


async def mirrored(db: Database) -> dict[str, tuple[str, int, int]]:
    """(status, amount, refunded) of each payment."""
    rows = await db.fetch(
        "select provider_object_id, status, amount, amount_refunded from payments.transactions where type <> 'refund'"
    )
    return {row["provider_object_id"]: tuple(row)[1:] for row in rows}


async def queued(db: Database) -> list[str]:
    return [row[0] for row in await db.fetch("select payment_key from payments.reversal_queue order by 1")]


def invoice(name: str, **changed: Any) -> dict[str, Any]:
    return {
        "id": f"in_{name}",
        "object": "invoice",
        "status": "paid",
        "subtotal": 2500,
        "amount_paid": 2500,
        "amount_due": 2500,
        "currency": "usd",
        "customer": "cus_1",
        "parent": None,
        "lines": {"data": []},
        "created": START,
        "metadata": {},
        "status_transitions": {"paid_at": START},
        "livemode": False,
        **changed,
    }


def paying(name: str, of: str = "") -> dict[str, Any]:
    """An invoice payment: pi_<name> pays in_<of>."""
    return {
        "id": f"inpay_{name}",
        "object": "invoice_payment",
        "invoice": f"in_{of or name}",
        "payment": {"type": "payment_intent", "payment_intent": f"pi_{name}"},
        "status": "paid",
        "amount_paid": 2500,
        "status_transitions": {"paid_at": START},
        "livemode": False,
    }


def linked(name: str, of: str = "") -> Event:
    return event("invoice_payment.paid", START + 20, paying(name, of))


def refund(name: str, status: str, at: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": f"re_{name}",
        "object": "refund",
        "amount": 2500,
        "currency": "usd",
        "status": status,
        "charge": "ch_o1_1",
        "payment_intent": "pi_o1",
        "created": at,
        "metadata": {},
        "reason": None,
        **changed,
    }


def lost(**changed: Any) -> Event:
    raw = {
        "id": "dp_o1",
        "object": "dispute",
        "amount": 2500,
        "charge": "ch_o1_1",
        "payment_intent": "pi_o1",
        "currency": "usd",
        "reason": "fraudulent",
        "status": "lost",
        "created": START,
        "metadata": {},
        "livemode": False,
    }
    return event("charge.dispute.closed", START + 500, {**raw, **changed})


async def test_of_two_grants_for_an_intent_and_its_invoice_one_stays_taken_back(
    database: FreshDatabase, db: Database
) -> None:
    selling(database)
    await told(db, *purchase("x"), event("invoice.paid", START + 1, invoice("x")))
    assert await given(db) == {"pi_x": ("granted", 2500), "in_x": ("granted", 2500)}
    await told(db, linked("x"))
    assert await given(db) == {"pi_x": ("reversed", 0), "in_x": ("granted", 2500)}
    assert sql(database, "select * from public.changes") == [{"kept": 0, "status": "reversed"}]
    assert sql(database, "select * from payments.broken_grants", role="paygres_service") == []
    booked = charge("x", balance_transaction="txn_x", amount_refunded=1000)
    await told(db, event("charge.refunded", START + 90, booked, {"amount_refunded": 0}))
    assert await given(db) == {"pi_x": ("reversed", 0), "in_x": ("granted", 1500)}
    assert await queued(db) == []
    # payments.broken_reversals compares with this
    assert [
        await db.fetchval(f"select amount_kept from payments.money_of('test', '{key}')") for key in ("pi_x", "in_x")
    ] == [None, 1500]


@pytest.mark.parametrize("invoice_first", [True, False])
async def test_of_an_intent_and_its_invoice_the_row_that_gave_nothing_gives_way(
    database: FreshDatabase, db: Database, invoice_first: bool
) -> None:
    selling(database, "k")
    paid = event("invoice.paid", START + 1, invoice("q"))
    bought = purchase("q")
    await told(db, *([paid, *bought] if invoice_first else [*bought, paid]))
    assert sorted(status for status, _ in (await given(db)).values()) == ["granted", "quarantined"]
    await told(db, linked("q"))
    assert await given(db) == {"in_q": ("granted", 2500)}
    assert sql(database, "select * from payments.event_queue", role="paygres_service") == []
    assert sql(database, "select from payments.attention where closed_at is null", role="project_admin") == []
    assert len(sql(database, "select * from public.given")) == 1


async def test_code_that_refuses_a_reversal_does_not_keep_a_link_out(database: FreshDatabase, db: Database) -> None:
    selling(database)
    script(database, REFUSING)
    await told(db, *purchase("q"), event("invoice.paid", START + 1, invoice("q")))
    link = linked("q")
    applied = await tell(db, link)
    assert applied.status == "failed"
    assert "a trigger on payments.fulfillments raised: boom" in str(applied.event["lastError"])
    assert await mirrored(db) == {"pi_q": ("succeeded", 2500, 0)}
    assert await queued(db) == ["pi_q"]
    assert ["boom" in error for error in await worked(db)] == [True]
    script(database, "drop trigger refuse on payments.fulfillments")
    await told(db, link)
    await db.execute("update payments.reversal_queue set leased_until = null")
    assert await worked(db) == []
    assert await given(db) == {"pi_q": ("reversed", 0), "in_q": ("granted", 2500)}
    assert await queued(db) == []


async def test_a_link_that_was_read_gives_nothing_twice_before_the_worker_renamed(
    database: FreshDatabase, db: Database
) -> None:
    selling(database)
    await told(db, *purchase("q"))
    await apply_reads(db, CONNECTION, [paying("q")], START + 10)
    assert await queued(db) == ["pi_q"]
    await told(db, event("invoice.paid", START + 20, invoice("q")))
    assert len(sql(database, "select * from public.given")) == 1
    assert await worked(db) == []
    assert await given(db) == {"in_q": ("granted", 2500)}
    assert await queued(db) == []


async def test_a_failed_refund_that_is_told_again_does_not_undo_a_new_one(
    database: FreshDatabase, db: Database
) -> None:
    selling(database)
    booked = charge("o1", balance_transaction="txn_o1")
    full = {**booked, "amount_refunded": 2500, "refunded": True}
    history = [
        *purchase("o1"),
        event("refund.created", START + 100, refund("1", "pending", START + 100)),
        event("charge.refunded", START + 100, full),
        event("refund.failed", START + 200, refund("1", "failed", START + 100)),
        event("charge.updated", START + 200, booked, {"amount_refunded": 2500, "refunded": True}),
    ]
    await told(db, *history)
    assert await given(db) == {"pi_o1": ("granted", 2500)}
    await told(
        db,
        event("refund.created", START + 300, refund("2", "pending", START + 300)),
        event("charge.refunded", START + 300, full),
    )
    assert await given(db) == {"pi_o1": ("reversed", 0)}
    noted = refund("1", "failed", START + 100, metadata={"note": "x"})
    await told(db, event("refund.updated", START + 400, noted, {"metadata": {"note": None}}))
    assert await given(db) == {"pi_o1": ("reversed", 0)}
    assert await mirrored(db) == {"pi_o1": ("refunded", 2500, 2500)}


@pytest.mark.parametrize("session_first", [True, False])
async def test_an_intent_that_a_session_claims_waits_for_nobody(
    database: FreshDatabase, db: Database, session_first: bool
) -> None:
    """A payment link's: nothing of it is stamped. What the session bought is not what was expected."""
    selling(database)
    claims = session(
        "y", status="complete", payment_status="paid", payment_intent="pi_y", customer="cus_1", amount_subtotal=1
    )
    completed = event("checkout.session.completed", START, claims)
    done = intent("y", status="succeeded", amount_received=2500, customer="cus_1")
    succeeded = event("payment_intent.succeeded", START, done)
    if not session_first:
        applied = await tell(db, succeeded)
        assert "it is not known yet whether pi_y pays an invoice" in str(applied.event["lastError"])
    await told(db, completed, succeeded)
    assert await given(db) == {"pi_y": ("granted", 2500)}


async def test_money_is_known_by_a_link_alone(database: FreshDatabase, db: Database) -> None:
    """Neither the intent nor its invoice payment was heard of, only the read of an invoice that names it."""
    selling(database)
    its = {"data": [{k: v for k, v in paying("q").items() if k != "status_transitions"}]}
    await told(db, event("invoice.paid", START, invoice("q")))
    await apply_reads(db, CONNECTION, [invoice("q", payments=its)], START + 10)
    back = charge("q", customer="cus_1", amount_refunded=2500, refunded=True)
    await told(db, event("charge.succeeded", START, charge("q", customer="cus_1")))
    await told(db, event("charge.refunded", START + 90, back))
    assert await mirrored(db) == {"pi_q": ("refunded", 2500, 2500)}
    assert await given(db) == {"in_q": ("reversed", 0)}
    assert await queued(db) == []


async def test_an_invoice_whose_newest_telling_names_no_intent_is_one_row_with_its_charge(db: Database) -> None:
    its = {"data": [{k: v for k, v in paying("q").items() if k != "status_transitions"}]}
    await apply_reads(db, CONNECTION, [invoice("q", payments=its)], START + 10)
    noted = invoice("q", metadata={"note": "x"})
    await told(db, event("invoice.updated", START + 30, noted, {"metadata": {"note": None}}))
    await told(db, event("charge.succeeded", START, charge("q", customer="cus_1")))
    assert await mirrored(db) == {"pi_q": ("succeeded", 2500, 0)}


async def test_money_that_is_not_known_is_asked_for_again_and_not_for_ever(
    database: FreshDatabase, db: Database
) -> None:
    selling(database)
    await told(db, *purchase("o1"))
    await db.execute("delete from payments.transactions")
    await db.execute("insert into payments.reversal_queue (environment, payment_key) values ('test', 'pi_o1')")
    assert await worked(db) == []
    (row,) = await db.fetch(
        "select attempts, last_error, next_attempt_at > now() as later from payments.reversal_queue"
    )
    assert tuple(row) == (1, "its money is not known", True)
    assert await fulfillments.lease_reversals(db, 20, LEASE) == []
    await db.execute("update payments.reversal_queue set next_attempt_at = now(), created_at = now() - interval '73 h'")
    assert await worked(db) == []
    assert await queued(db) == []
    assert await given(db) == {"pi_o1": ("granted", 2500)}


async def test_a_dispute_lost_in_another_currency_takes_all_that_is_left(database: FreshDatabase, db: Database) -> None:
    selling(database)
    await told(db, *purchase("o1", refunded=500))
    assert await given(db) == {"pi_o1": ("granted", 2000)}
    await told(db, lost(amount=1300, currency="eur"))
    assert await given(db) == {"pi_o1": ("reversed", 0)}
    (row,) = await db.fetch("select amount_disputed, amount_lost from payments.transactions")
    assert tuple(row) == (2000, 2000)


async def test_a_session_of_which_less_was_captured_paid_what_was_received(
    database: FreshDatabase, db: Database
) -> None:
    selling(database)
    kept = charge("p", amount_captured=1000)
    await told(
        db,
        event(
            "checkout.session.completed",
            START,
            session("p", status="complete", payment_status="unpaid", payment_intent="pi_p"),
        ),
        event("charge.captured", START + 50, kept),
        event("payment_intent.succeeded", START + 50, intent("p", status="succeeded", amount_received=1000)),
    )
    assert await mirrored(db) == {"pi_p": ("succeeded", 1000, 0)}
    assert await given(db) == {"pi_p": ("granted", 1000)}
    await told(db, event("charge.refunded", START + 90, {**kept, "amount_refunded": 1000, "refunded": True}))
    assert await mirrored(db) == {"pi_p": ("refunded", 1000, 1000)}
    assert await given(db) == {"pi_p": ("reversed", 0)}


async def test_what_an_invoice_was_paid_twice_may_go_back(database: FreshDatabase, db: Database) -> None:
    selling(database)
    await told(db, event("invoice.paid", START, invoice("z")))
    for name in ("z1", "z2"):
        done = intent(name, status="succeeded", amount_received=2500, customer="cus_1")
        await told(
            db,
            linked(name, "z"),
            event("charge.succeeded", START, charge(name, customer="cus_1")),
            event("payment_intent.succeeded", START, done),
        )
    surplus = charge("z2", customer="cus_1", amount_refunded=2500, refunded=True)
    await told(db, event("charge.refunded", START + 90, surplus))
    assert await mirrored(db) == {"in_z": ("succeeded", 2500, 0)}
    assert await given(db) == {"in_z": ("granted", 2500)}
    await told(db, event("charge.refunded", START + 95, charge("z1", customer="cus_1", amount_refunded=1000)))
    assert await mirrored(db) == {"in_z": ("partially_refunded", 2500, 1000)}
    assert await given(db) == {"in_z": ("granted", 1500)}


def free(name: str, **changed: Any) -> dict[str, Any]:
    """A session that cost nothing, by a coupon of 100 %."""
    return session(name, status="complete", payment_status="no_payment_required", amount_total=0, url=None, **changed)


NOTHING = {"amount_paid": 0, "amount_due": 0}


@pytest.mark.parametrize("order", list(itertools.permutations(("completed", "read", "paid"))), ids="-".join)
async def test_a_free_checkout_and_its_invoice_are_one_payment_in_any_order(
    database: FreshDatabase, db: Database, order: tuple[str, ...]
) -> None:
    """The invoice came after the checkout was completed: only a read tells whose it is."""
    selling(database)
    for step in order:
        if step == "completed":
            await told(db, event("checkout.session.completed", START, free("f")))
        elif step == "paid":
            await told(db, event("invoice.paid", START + 5, invoice("f", **NOTHING)))
        else:
            await apply_reads(db, CONNECTION, [free("f", invoice="in_f")], START + 10)
    assert await worked(db) == []
    held = {key: status for key, (status, _) in (await given(db)).items() if status == "granted"}
    assert held == {"in_f": "granted"}
    # what was given twice before anybody could know is taken back, and nothing else is ever given twice
    twice = len(sql(database, "select * from public.given")) == 2
    assert twice == (order[-1] == "read")
    assert [change["status"] for change in sql(database, "select status from public.changes")] == ["reversed"] * twice
    assert await mirrored(db) == {"in_f": ("succeeded", 0, 0)}
    assert await queued(db) == []
    assert sql(database, "select * from payments.broken_grants", role="paygres_service") == []


async def test_a_free_checkout_that_is_told_with_its_invoice_is_given_once(
    database: FreshDatabase, db: Database
) -> None:
    selling(database)
    await told(db, event("checkout.session.completed", START, free("f", invoice="in_f")))
    await told(db, event("invoice.paid", START, invoice("f", **NOTHING)))
    assert await given(db) == {"in_f": ("granted", 0)}
    assert await mirrored(db) == {"in_f": ("succeeded", 0, 0)}


async def test_with_one_key_a_free_checkout_and_its_invoice_are_given_once(
    database: FreshDatabase, db: Database
) -> None:
    selling(database, "k")
    await told(db, event("checkout.session.completed", START, free("f")))
    await told(db, event("invoice.paid", START + 5, invoice("f", **NOTHING)))
    await apply_reads(db, CONNECTION, [free("f", invoice="in_f")], START + 10)
    assert await worked(db) == []
    assert await given(db) == {"in_f": ("granted", 0)}
    assert len(sql(database, "select * from public.given")) == 1
    assert sql(database, "select from payments.attention where closed_at is null", role="project_admin") == []
