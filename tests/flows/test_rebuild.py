"""The mirror made anew from the ledger is the mirror the events made, whatever was in its place."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from paygres.server.db.database import Database
from paygres.server.db.embedded import Urls
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.operator import Operator
from paygres.server.flows.rebuild_projections import Wanted, rebuild_projections
from paygres.server.tables import reads
from tests.flows.webhooks import hooked, script, sql
from tests.fresh_database import FreshDatabase, cloned
from tests.histories import START, Event, charge, event, intent, purchase, session
from tests.http.running import admin
from tests.mirror import TABLES, Digest, digest
from tests.playing import CONNECTION, ROAD, Mirror, deliver
from tests.subscription_histories import billed, invoice, invoice_payment, refund, subscribed, subscription

ME = Operator("tester", None, "because")
OURS = ("stripe_checkout_sessions",)


@pytest.fixture(scope="module")
def mirror(postgres: Urls) -> Iterator[Mirror]:
    with cloned(postgres) as fresh:
        played = Mirror(fresh)
        try:
            yield played
        finally:
            played.close()


def of_all_kinds(name: str, at: int = START) -> list[Event]:
    """Purchases, subscriptions, refunds, a dispute, deleted people, plans: something of every kind, told out of order
    within seconds."""
    person = {
        "id": f"cus_{name}_gone",
        "object": "customer",
        "email": f"{name}@example.com",
        "name": "Ada",
        "phone": None,
        "metadata": {},
        "created": at,
        "livemode": False,
    }
    product = {
        "id": f"prod_{name}",
        "object": "product",
        "name": "Pro",
        "active": True,
        "description": None,
        "metadata": {"plan_family": f"plan_{name}"},
    }
    price = {
        "id": f"price_{name}",
        "object": "price",
        "product": product["id"],
        "active": True,
        "currency": "usd",
        "unit_amount": 900,
        "type": "recurring",
        "metadata": {},
    }
    free = session(f"{name}_free", status="complete", payment_status="no_payment_required", amount_total=0, url=None)
    bill = invoice(f"{name}_free", status="paid", amount_due=0, parent=None, status_transitions={"paid_at": at})
    paid = charge(f"{name}_disputed")
    dispute = {
        "id": f"du_{name}",
        "object": "dispute",
        "amount": 2500,
        "charge": paid["id"],
        "created": at + 9,
        "currency": "usd",
        "payment_intent": paid["payment_intent"],
        "reason": "fraudulent",
        "status": "needs_response",
        "evidence_details": {"due_by": at + 99},
    }
    return [
        event("product.created", at, product),
        event("price.created", at, price),
        event("price.deleted", at + 50, price),
        event("customer.created", at, person),
        event("customer.deleted", at + 5, person),
        *purchase(f"{name}_plain", subject=("user", f"u_{name}"), at=at),
        *purchase(f"{name}_refunded", subject=("user", f"u_{name}"), at=at + 40, declines=1, refunded=1000),
        *purchase(f"{name}_guest", at=at, authenticates=True),
        *subscribed(f"{name}_sub", subject=("team", f"t_{name}"), at=at, renewals=1, declines=1, refunded=400),
        *subscribed(f"{name}_two", subject=("team", f"t_{name}"), at=at + 30),
        *subscribed(f"{name}_ended", at=at, ends=True),
        *billed(f"{name}_late", 7, at, {"insforge_subject_type": "team", "insforge_subject_id": f"l_{name}"}),
        event("checkout.session.completed", at + 3, {**free, "invoice": bill["id"]}),
        event("checkout.session.completed", at, free),
        event("invoice.paid", at, bill),
        event("charge.succeeded", at, paid),
        event("charge.dispute.created", at + 9, dispute),
        *refund(f"{name}_unknown", 1, at, 300, charge(f"{name}_unknown"))[:1],
    ]


def not_ours(name: str) -> list[Event]:
    """Events that are kept and change nothing: of the other mode, of another account, of another installation."""
    paid = intent(name, status="succeeded", amount_received=2500)
    stamped = {**paid, "metadata": {"insforge_installation_id": "22222222-2222-4222-8222-222222222222"}}
    return [
        {**event("payment_intent.succeeded", START, {**paid, "id": f"pi_{name}_live"}), "livemode": True},
        {**event("payment_intent.succeeded", START, {**paid, "id": f"pi_{name}_other"}), "account": "acct_other"},
        event("payment_intent.succeeded", START, stamped),
        event("invoice.upcoming", START, {"object": "invoice", "customer": "cus_x"}),
    ]


def rebuilt(database: FreshDatabase, **wanted: bool) -> dict[str, Any]:
    """One rebuild, as the command runs it; its report."""

    async def once() -> dict[str, Any]:
        db = await Database.connect(database.server_url, checkout_pool=4)
        try:
            return await rebuild_projections(db, "test", ROAD.installation_id, Wanted(**wanted), ME)
        finally:
            await db.close()

    return asyncio.run(once())


def state(mirror: Mirror) -> Digest:
    return asyncio.run(digest(mirror.database.superuser_url))


def lose(database: FreshDatabase) -> None:
    """Every mirrored table is empty, and our checkouts know nothing of what Stripe said since they were made."""
    script(
        database,
        "truncate " + ", ".join(f"payments.{name}" for name in TABLES if name not in OURS) + ";"
        "set role payments_trigger;"
        "update payments.stripe_checkout_sessions set status = 'open', payment_status = null, customer_id = null,"
        " payment_intent_id = null, subscription_id = null, url = null, currency = null, raw = '{}'",
    )


def play(mirror: Mirror, seed: int) -> list[Event]:
    """All kinds, some twice, in any order; others' events and reads among them, one of a subscription that is gone."""
    rng = random.Random(seed)
    events = of_all_kinds(f"h{seed}")
    reads: list[Any] = [
        (e["data"]["object"], e["created"] + rng.choice([-1, 0, 1])) for e in events if rng.random() < 0.3
    ]
    gone = {"id": f"sub_h{seed}_two", "object": "subscription", "deleted": True}
    steps: list[Any] = [*events, *reads, *(e for e in events if rng.random() < 0.3)]
    rng.shuffle(steps)
    mirror.fill([*steps, (gone, START + 500)])

    async def others() -> None:
        db = await Database.connect(mirror.database.server_url)
        for body in not_ours(f"f{seed}"):
            assert (await deliver(db, body)).status == "ignored"
        await db.close()

    asyncio.run(others())
    return events


def differing(found: Digest, wanted: Digest) -> dict[str, Any]:
    """The rows that only one of the two has, by table."""
    return {
        table: (
            [r for r in found[table] if r not in wanted[table]],
            [r for r in wanted[table] if r not in found[table]],
        )
        for table in wanted
        if found[table] != wanted[table]
    }


@pytest.mark.parametrize("seed", range(3))
def test_an_empty_mirror_becomes_what_the_events_made_and_a_second_rebuild_changes_nothing(
    mirror: Mirror, seed: int
) -> None:
    play(mirror, seed)
    live = state(mirror)
    lose(mirror.database)
    report = rebuilt(mirror.database)
    assert (report["failed"], report["extra"]) == ([], [])
    assert differing(state(mirror), live) == {}
    rehearsal = rebuilt(mirror.database, dry_run=True)
    assert (rehearsal["differences"]["examples"], rehearsal["extra"]) == ([], [])
    rebuilt(mirror.database)
    assert differing(state(mirror), live) == {}


def test_twenty_thousand_events_are_folded_to_the_last_row(mirror: Mirror) -> None:
    mark, copies = "Q0Q", 255
    events = [{**one, "id": one["id"] + mark} for one in of_all_kinds(mark)]
    random.Random(7).shuffle(events)
    mirror.fill(events)
    live = {table: rows for table, rows in state(mirror).items() if table not in (*OURS, "access")}
    (newest,) = sql(mirror.database, "select max(seq) as seq from payments.stripe_snapshots")
    script(
        mirror.database,
        "insert into payments.stripe_snapshots (environment, account_id, object_type, object_id, as_of, source,"
        " event_id, event_type, payload) select s.environment, s.account_id, s.object_type,"
        f" replace(s.object_id, '{mark}', own), s.as_of, s.source, replace(s.event_id, '{mark}', own), s.event_type,"
        f" replace(s.payload, '{mark}', own) from generate_series(1, {copies}) as n,"
        " lateral (select 'Q' || lpad(n::text, 6, '0') || 'Q') as name (own), payments.stripe_snapshots s"
        f" where s.seq <= {newest['seq']} order by n, s.seq",
    )
    assert len(events) * (copies + 1) > 20_000
    lose(mirror.database)
    assert rebuilt(mirror.database)["failed"] == []
    found = state(mirror)
    for table, rows in live.items():
        told = [orjson.dumps(row, option=orjson.OPT_SORT_KEYS).decode() for row in rows]
        wanted = {
            text.replace(mark, own) for own in (mark, *(f"Q{n:06d}Q" for n in range(1, copies + 1))) for text in told
        }
        assert {orjson.dumps(row, option=orjson.OPT_SORT_KEYS).decode() for row in found[table]} == wanted, table
        assert len(found[table]) == len(wanted)


def test_events_that_come_meanwhile_are_not_overwritten(mirror: Mirror) -> None:
    events = [one for n in range(6) for one in of_all_kinds(f"m{n}", START + n)]
    random.Random(3).shuffle(events)
    wanted = mirror.state_after(events)
    half = len(events) // 2
    mirror.fill(events[:half])
    lose(mirror.database)

    async def both() -> dict[str, Any]:
        db = await Database.connect(mirror.database.server_url, checkout_pool=6)

        async def arrive() -> None:
            for body in events[half:]:
                assert (await deliver(db, body)).status == "processed"

        rebuild = asyncio.create_task(rebuild_projections(db, "test", ROAD.installation_id, Wanted(), ME))
        await asyncio.gather(rebuild, arrive())
        await db.close()
        return rebuild.result()

    assert asyncio.run(both())["failed"] == []
    sessions = [row["id"] for row in wanted["stripe_checkout_sessions"]]
    found = state(mirror)
    found["stripe_checkout_sessions"] = [r for r in found["stripe_checkout_sessions"] if r["id"] in sessions]
    assert differing(found, {**wanted, "stripe_checkout_sessions": found["stripe_checkout_sessions"]}) == {}


def test_what_was_damaged_is_told_by_a_rehearsal_and_mended_by_a_rebuild(mirror: Mirror) -> None:
    mirror.fill(of_all_kinds("d"))
    live = state(mirror)
    script(
        mirror.database,
        "update payments.transactions set amount = 1 where provider_object_id = 'pi_d_plain';"
        "update payments.stripe_objects set paid_at = 5, deleted = true where object_id = 'ch_d_plain_1';"
        "update payments.customers set deleted = true where provider_customer_id = 'cus_d_plain';"
        "update payments.subject_customers set since = 1 where customer_id = 'cus_d_plain';"
        "update payments.customer_mappings set provider_customer_id = 'cus_wrong' where subject_id = 'u_d';"
        "update payments.payment_invoices set invoice_id = 'in_wrong' where payment_intent_id = 'pi_d_ended_1';"
        "delete from payments.stripe_subscriptions where subscription_id = 'sub_d_sub';"
        "set role payments_trigger;"
        "update payments.stripe_checkout_sessions set status = 'open' where checkout_session_id = 'cs_test_d_guest'",
    )
    damaged = state(mirror)
    report = rebuilt(mirror.database, dry_run=True)
    assert state(mirror) == damaged
    told = {
        (one["table"], *one["key"].values(), one["change"], *one["columns"])
        for one in report["differences"]["examples"]
    }
    assert told >= {
        ("payments.transactions", "pi_d_plain", "payment_intent", "changed", "amount"),
        ("payments.stripe_objects", "ch_d_plain_1", "charge", "changed", "deleted", "paid_at"),
        ("payments.customers", "cus_d_plain", "changed", "deleted"),
        ("payments.payment_invoices", "pi_d_ended_1", "changed", "invoice_id"),
        ("payments.stripe_subscriptions", "sub_d_sub", "added"),
    }
    assert {one[0] for one in told} == {
        "payments.transactions",
        "payments.stripe_objects",
        "payments.customers",
        "payments.subject_customers",
        "payments.customer_mappings",
        "payments.payment_invoices",
        "payments.stripe_subscriptions",
        "payments.stripe_checkout_sessions",
    }
    assert report["differences"]["rows"] == 8
    rebuilt(mirror.database)
    assert differing(state(mirror), live) == {}


def test_rows_the_ledger_never_heard_of_are_reported_and_removed_only_when_asked(mirror: Mirror) -> None:
    mirror.fill(of_all_kinds("x"))
    live = state(mirror)
    script(
        mirror.database,
        "insert into payments.transactions (environment, provider, type, status, provider_object_type,"
        " provider_object_id, provider_created_at) values ('test', 'stripe', 'one_time_payment', 'succeeded',"
        " 'payment_intent', 'pi_invented', now());"
        "insert into payments.stripe_products (environment, product_id, name, active)"
        " values ('test', 'prod_invented', 'Nothing', true);"
        "insert into payments.subject_customers (environment, account_id, subject_type, subject_id, customer_id, since,"
        " evidence_id, by_operator) values ('test', 'acct_1', 'team', 'told', 'cus_told', 9, 'operator', true)",
    )
    named = {("payments.transactions", "pi_invented"), ("payments.stripe_products", "prod_invented")}
    for wanted in ({"dry_run": True}, {}):
        extra = rebuilt(mirror.database, **wanted)["extra"]
        assert {(one["table"], one["key"].get("objectId") or one["key"].get("productId")) for one in extra} == named
    assert rebuilt(mirror.database, remove_extra=True)["removed"] == 2
    found = state(mirror)
    operators = [row for row in found["subject_customers"] if row["by_operator"]]
    assert [row["customer_id"] for row in operators] == ["cus_told"]
    script(mirror.database, "delete from payments.subject_customers where customer_id = 'cus_told'")
    script(mirror.database, "delete from payments.customer_mappings where provider_customer_id = 'cus_told'")
    assert differing(state(mirror), live) == {}


def test_a_rebuild_marks_no_event_grants_nothing_and_fires_only_for_rows_that_change(mirror: Mirror) -> None:
    mirror.fill(of_all_kinds("g"))
    script(
        mirror.database,
        "create table public.fired (what text); grant insert on public.fired to payments_trigger;"
        "create function public.note() returns trigger language plpgsql set search_path = '' as"
        " $$ begin insert into public.fired values (tg_table_name); return null; end $$;"
        + ";".join(
            f"create trigger note after insert or update on payments.{table} for each row"
            " execute function public.note()"
            for table in ("webhook_events", "customers", "stripe_checkout_sessions")
        ),
    )
    rebuilt(mirror.database)
    assert sql(mirror.database, "select * from public.fired") == []
    script(mirror.database, "update payments.customers set name = 'Eve' where provider_customer_id = 'cus_g_plain'")
    script(mirror.database, "truncate public.fired")
    rebuilt(mirror.database)
    assert [row["what"] for row in sql(mirror.database, "select * from public.fired")] == ["customers"]
    assert [
        r["action"] for r in sql(mirror.database, "select action from system.audit_log order by seq desc limit 2")
    ] == [
        "rebuild.finish",
        "rebuild.start",
    ]
    script(mirror.database, "drop function public.note() cascade; drop table public.fired")


def test_money_that_went_back_is_noted_for_what_was_fulfilled(mirror: Mirror) -> None:
    mirror.fill(of_all_kinds("r"))
    script(
        mirror.database,
        "insert into payments.fulfillments (environment, account_id, rule, payment_key, key, status, event_id,"
        " event_type, amount, currency, amount_paid, amount_kept, granted_at) values ('test', 'acct_1', 'orders',"
        " 'pi_r_refunded', 'o1', 'granted', 'evt_r', 'payment_intent.succeeded', 2500, 'usd', 2500, 2500, now());"
        "truncate payments.reversal_queue, payments.transactions",
    )
    rebuilt(mirror.database)
    assert [r["payment_key"] for r in sql(mirror.database, "select * from payments.reversal_queue")] == [
        "pi_r_refunded"
    ]
    assert [r["status"] for r in sql(mirror.database, "select * from payments.fulfillments")] == ["granted"]


def test_an_object_that_cannot_be_folded_is_named_and_keeps_nobody_out(mirror: Mirror) -> None:
    mirror.fill(of_all_kinds("b"))
    live = state(mirror)
    script(
        mirror.database,
        "insert into payments.stripe_snapshots (environment, account_id, object_type, object_id, as_of, source,"
        " payload) values ('test', 'acct_1', 'invoice_payment', 'inpay_broken', 5, 'api',"
        """ '{"id": "inpay_broken", "object": "invoice_payment", "invoice": "in_b", "payment": {}, "status": "paid","""
        """ "status_transitions": {"paid_at": "soon"}}')""",
    )
    lose(mirror.database)
    (failed,) = rebuilt(mirror.database)["failed"]
    assert (failed["objectType"], failed["objectId"]) == ("invoice_payment", "inpay_broken")
    assert differing(state(mirror), live) == {}


def test_what_stripe_answered_about_an_intent_that_stands_alone_is_not_asked_again(mirror: Mirror) -> None:
    paid = intent("alone", status="succeeded", customer="cus_a", amount_received=2500)
    mirror.fill([event("payment_intent.succeeded", START, paid)])

    async def asked() -> None:
        db = await Database.connect(mirror.database.server_url)
        await reads.settle_standing_alone(db, "test", "pi_alone")
        await apply_reads(db, CONNECTION, [paid], START + 60)
        await db.close()

    asyncio.run(asked())
    live = state(mirror)
    assert [row["status"] for row in live["transactions"]] == ["succeeded"]
    lose(mirror.database)
    assert rebuilt(mirror.database, dry_run=True)["differences"]["tables"]["payments.transactions"]["added"] == 1
    rebuilt(mirror.database)
    assert differing(state(mirror), live) == {}
    assert rebuilt(mirror.database)["extra"] == []


def test_the_route_tells_how_far_it_is_and_refuses_strangers(mirror: Mirror) -> None:
    mirror.fill(of_all_kinds("route"))
    live = state(mirror)
    lose(mirror.database)
    path = "/api/paygres/test/rebuild"
    with hooked(mirror.database) as server:
        assert server.client.post(path, json={}).status_code == 401
        assert server.client.post(path, json={"dryRun": "yes"}, headers=admin()).status_code == 400
        assert server.client.post("/api/paygres/nowhere/rebuild", json={}, headers=admin()).status_code == 400
        told = server.client.post(path, json={"dryRun": True}, headers=admin()).json()
        assert told["differences"]["tables"]["payments.transactions"]["added"] == len(live["transactions"])
        stream = {**admin(), "accept": "text/event-stream"}
        answer = server.client.post(path, json={"reason": "lost"}, headers=stream)
        events = [part for part in answer.text.split("\n\n") if part.startswith("event: ")]
        assert events[0].startswith("event: progress")
        report = orjson.loads(events[-1].removeprefix("event: result\ndata: "))
        assert (report["dryRun"], report["failed"]) == (False, [])
    assert differing(state(mirror), live) == {}


THEIRS = {"insforge_installation_id": "22222222-2222-4222-8222-222222222222"}
WHOSE = {"insforge_subject_type": "team", "insforge_subject_id": "t_mine"}


def theirs_and_ours(name: str) -> tuple[list[Any], list[Any]]:
    """What another installation made, some of it about a payment and a subject of ours; and what is ours of that."""
    sold = subscription(f"{name}_theirs", metadata=THEIRS | WHOSE, customer=f"cus_{name}", created=START - 60)
    paid = intent(f"{name}_theirs", status="succeeded", amount_received=2500, metadata=THEIRS)
    theirs = [sold, invoice(f"{name}_theirs", metadata=THEIRS), paid, charge(f"{name}_theirs", metadata=THEIRS)]
    # What nobody stamped is ours, even about a payment that somebody else made.
    ours = [
        subscription(f"{name}_mine", metadata=WHOSE, customer=f"cus_{name}"),
        intent(f"{name}_ours", status="succeeded", amount_received=2500),
        charge(f"{name}_ours"),
        charge(f"{name}_bill", payment_intent=f"pi_{name}_theirs_1", customer=f"cus_{name}"),
        invoice_payment(f"{name}_theirs"),
    ]
    return theirs, ours


def read_as(mirror: Mirror, installation: str, objects: list[Any]) -> None:
    """Read them at Stripe as the installation that made them does."""
    setting = "update system.installation set id = '{}'"
    (own,) = sql(mirror.database, "select id::text from system.installation")

    async def read() -> None:
        db = await Database.connect(mirror.database.server_url)
        for one in objects:
            await apply_reads(db, CONNECTION, [one], START + 50)
        await db.close()

    script(mirror.database, "reset role;" + setting.format(installation))
    asyncio.run(read())
    script(mirror.database, "reset role;" + setting.format(own["id"]))


@pytest.mark.parametrize("lost", [False, True])
def test_what_another_installation_made_and_was_read_before_that_was_left_out_is_not_there(
    mirror: Mirror, lost: bool
) -> None:
    theirs, ours = theirs_and_ours("w")
    mirror.fill([(one, START + 50) for one in ours])
    wanted = state(mirror)
    mirror.fill([])
    read_as(mirror, THEIRS["insforge_installation_id"], [*theirs, *ours])
    entered = state(mirror)
    assert {one["id"] for one in theirs} < {row["object_id"] for row in entered["stripe_objects"]}
    assert entered["subject_customers"] != wanted["subject_customers"]
    told = rebuilt(mirror.database, dry_run=True)
    assert state(mirror) == entered
    gone = {
        (one["table"], *one["key"].values()) for one in told["differences"]["examples"] if one["change"] == "removed"
    }
    assert gone >= {
        *(("payments.stripe_objects", one["id"], one["object"]) for one in theirs),
        ("payments.stripe_subscriptions", "sub_w_theirs"),
        ("payments.transactions", "pi_w_theirs", "payment_intent"),
    }
    if lost:
        lose(mirror.database)
    report = rebuilt(mirror.database)
    assert (report["failed"], report["extra"], report["notOurs"]) == ([], [], len(theirs))
    assert differing(state(mirror), wanted) == {}
    assert rebuilt(mirror.database, dry_run=True)["differences"]["examples"] == []
