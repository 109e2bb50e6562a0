"""What a comparison says beside the rows: money at stake, payments for nobody, strangers, doubt about a list."""

from collections.abc import Iterator
from typing import Any

import pytest

from paygres.server import errors
from paygres.server.flows.sync_environment import sync_environment
from paygres.server.flows.sync_pages import Progress
from tests.flows.reconciling import WHOSE, age, found, mirrored, run, spoil
from tests.flows.running_parts import Sandbox, parts_on, rows, sandbox_process
from tests.flows.syncing import SINCE, UNTIL, dial
from tests.flows.webhooks import script
from tests.fresh_database import FreshDatabase, in_its_own_loop
from tests.mirror import digest

STRANGER = {"insforge_installation_id": "another-installation"}
SOLD_BY = (
    "select sum(p.unit_amount * i.quantity)::bigint as amount from payments.stripe_subscription_items i"
    " join payments.stripe_prices p using (environment, price_id) where subscription_id = $1"
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_process() as running:
        yield running


async def test_the_money_of_a_payment_counts_once_however_many_of_its_rows_differ(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await mirrored(database, parts, sandbox, payment_intents=10, subscriptions=3, invoices=3)
        paid, other = await rows(
            database,
            "select provider_object_id as id, related_object_ids ->> 'charge' as charge, amount"
            " from payments.transactions where type = 'one_time_payment' and status = 'succeeded' order by 1 limit 2",
        )
        [live] = await rows(
            database,
            "select subscription_id as id from payments.stripe_subscriptions where status = 'active' limit 1",
        )
        [sold] = await rows(database, SOLD_BY, live["id"])
        await spoil(
            database,
            f"update payments.transactions set amount = 1 where provider_object_id = '{paid['id']}' returning 1",
            f"delete from payments.stripe_objects where object_id = '{paid['charge']}' returning 1",
            f"update payments.stripe_objects set raw = raw || '{{\"amount\": 2}}' where object_id = '{paid['id']}'"
            " returning 1",
            f"delete from payments.transactions where provider_object_id = '{other['id']}' returning 1",
            f"update payments.stripe_subscriptions set status = 'canceled' where subscription_id = '{live['id']}'"
            " returning 1",
        )
        answer = await run(parts)
    told = answer["reconciliation"]
    assert found(answer) == {
        ("stale", "transactions", paid["id"]),
        ("missing", "stripe_objects", paid["charge"]),
        ("stale", "stripe_objects", paid["id"]),
        ("missing", "transactions", other["id"]),
        ("stale", "stripe_subscriptions", live["id"]),
    }
    assert told["classes"]["stale"]["money"] == {"usd": paid["amount"] + sold["amount"]}
    assert told["classes"]["missing"]["money"] == {"usd": paid["amount"] + other["amount"]}
    assert told["moneyAtStake"] == {"usd": paid["amount"] + other["amount"] + sold["amount"]}
    [spoilt] = [one for one in answer["findings"] if (one["table"], one["class"]) == ("transactions", "stale")]
    assert spoilt["columns"] == {"amount": {"ours": 1, "stripe": paid["amount"]}}


async def test_a_payment_that_lost_its_link_and_its_objects_is_put_together_again(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await mirrored(database, parts, sandbox, subscriptions=3, invoices=3, payment_intents=12)
        before = await digest(database.superuser_url)
        payment = await of_an_invoice(database)
        lost = [payment["intent"], payment["charge"]]
        await spoil(
            database,
            f"delete from payments.payment_invoices where payment_intent_id = '{lost[0]}' returning 1",
            *(f"delete from payments.stripe_objects where object_id = '{one}' returning 1" for one in lost),
        )
        fixed = await run(parts, fix=True)
        await age(database)
        again = await run(parts)
    assert found(fixed) == {("missing", "payment_invoices", lost[0]), *(("missing", "stripe_objects", x) for x in lost)}
    assert fixed["reconciliation"]["moneyAtStake"] == {"usd": payment["amount"]}
    assert found(again) == set()
    after = await digest(database.superuser_url)
    assert after["payment_invoices"] == before["payment_invoices"]
    assert [named(one) for one in after["stripe_objects"]] == [named(one) for one in before["stripe_objects"]]


async def test_an_object_of_a_payment_whose_link_is_wrong_ends_where_it_belongs(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await mirrored(database, parts, sandbox, subscriptions=3, invoices=3, payment_intents=12)
        before = await digest(database.superuser_url)
        payment = await of_an_invoice(database)
        await spoil(
            database,
            "update payments.payment_invoices set invoice_id = 'in_Wrong'"
            f" where payment_intent_id = '{payment['intent']}' returning 1",
            f"update payments.stripe_objects set raw = raw || '{{\"amount\": 1}}'"
            f" where object_id = '{payment['charge']}' returning 1",
        )
        fixed = await run(parts, fix=True)
        await age(database)
        again = await run(parts)
    spoilt = {("stale", "payment_invoices", payment["intent"]), ("stale", "stripe_objects", payment["charge"])}
    assert found(fixed) == spoilt
    assert all(one["fixed"] for one in fixed["findings"])
    assert found(again) == set()
    after = await digest(database.superuser_url)
    assert [named(one) for one in after["stripe_objects"]] == [named(one) for one in before["stripe_objects"]]


async def test_a_refund_that_stripe_does_not_have_gets_no_row_when_its_payment_is_repaired(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    """The payment's charge is written again, and with it whatever stands with the payment."""
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await mirrored(database, parts, sandbox, payment_intents=6, charges=5)
        before = await digest(database.superuser_url)
        spoilt = await spoil(
            database,
            "update payments.stripe_objects set raw = raw || '{\"amount\": 1}'"
            " where object_id = (select max(object_id) from payments.stripe_objects where object_type = 'charge')"
            " returning object_id",
        )
        await spoil(
            database,
            "insert into payments.stripe_objects (environment, account_id, object_type, object_id, as_of, source,"
            " payment_key, raw) select 'test', account_id, 'refund', 're_Added', 1, 'api', payment_key,"
            " jsonb_build_object('id', 're_Added', 'object', 'refund', 'amount', 5, 'currency', 'usd',"
            " 'status', 'succeeded', 'payment_intent', payment_key)"
            f" from payments.stripe_objects where object_id = '{spoilt[0]}' returning 1",
        )
        fixed = await run(parts, fix=True)
    after = await digest(database.superuser_url)
    assert found(fixed) == {("stale", "stripe_objects", spoilt[0]), ("extra", "stripe_objects", "re_Added")}
    assert all(one["fixed"] for one in fixed["findings"])
    assert after["transactions"] == before["transactions"]


async def of_an_invoice(database: FreshDatabase) -> dict[str, Any]:
    """`intent`, `charge` and `amount` of a payment of an invoice."""
    [payment] = await rows(
        database,
        "select provider_object_id as intent, related_object_ids ->> 'charge' as charge, amount"
        " from payments.transactions"
        " where type = 'subscription_invoice' and provider_object_type = 'payment_intent' order by 1 limit 1",
    )
    return payment


def named(row: Any) -> tuple[str, str | None]:
    """An object and the payment it is about."""
    return row["object_id"], row["payment_key"]


async def test_live_subscriptions_and_paying_customers_without_a_subject_are_unmapped(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await mirrored(database, parts, sandbox, fields={}, subscriptions=4, invoices=4)
        live = await rows(
            database,
            "select subscription_id as id from payments.stripe_subscriptions where payments.is_live(status)",
        )
        paying = await rows(
            database,
            "select provider_customer_id as id, sum(amount)::bigint as amount from payments.transactions"
            " where status = 'succeeded' and provider_customer_id is not null and subject_id is null group by 1",
        )
        answer = await run(parts, fix=True)
    assert live
    assert paying
    assert {(one["class"], one["objectId"]) for one in answer["findings"]} == {
        ("unmapped", one["id"]) for one in (*live, *paying)
    }
    assert not any(one["fixed"] for one in answer["findings"])
    by_customer = {one["objectId"]: one["amount"] for one in answer["findings"] if one["table"] == "customers"}
    assert by_customer == {one["id"]: one["amount"] for one in paying}
    assert answer["reconciliation"]["moneyAtStake"] == {}


async def test_objects_of_another_installation_are_told_and_left_alone(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        key = await mirrored(database, parts, sandbox, customers=3, fields={"customers": {"metadata": STRANGER}})
        entered, *strangers = (await parts.gateway.page(key, "/v1/customers", {})).rows
        row = f"'test', '', 'customer', '{entered['id']}', 1, 'api', '{{}}'"
        columns = "environment, account_id, object_type, object_id, as_of, source, raw"
        await spoil(database, f"insert into payments.stripe_objects ({columns}) values ({row}) returning 1")
        answer = await run(parts, fix=True)
    assert found(answer) == {
        ("foreign", "stripe_objects", entered["id"]),
        *(("foreign", "", one["id"]) for one in strangers),
    }
    assert await rows(database, "select object_id as id from payments.stripe_objects where object_id ~ '^cus_'") == [
        {"id": entered["id"]}
    ]
    assert answer["reconciliation"]["classes"]["foreign"] == {"rows": 3, "fixed": 0, "money": {}}
    assert await rows(database, "select from payments.customers") == []


async def test_many_rows_that_were_not_listed_wait_for_an_operators_word(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        key = await mirrored(database, parts, sandbox, customers=30)
        gone = sorted(one["id"] for one in await rows(database, CUSTOMERS))[:6]
        for one in gone:
            await parts.gateway.request(key, "delete", f"/v1/customers/{one}")
        await age(database)
        careful = await run(parts, fix=True)
        kept = await rows(database, "select from payments.customers where deleted")
        confirmed = await run(parts, fix=True, confirm=True)
        await age(database)
        after = await run(parts)
        recorded = await rows(
            database, "select actor, target, request_id from system.audit_log where action = 'reconcile.fix' order by 1"
        )
    assert (found(careful), careful["reconciliation"]["unconfirmed"], kept) == (set(), {"customers": 6}, [])
    assert found(confirmed) == {("extra", table, one) for one in gone for table in ("customers", "stripe_objects")}
    assert sorted(one["id"] for one in await rows(database, f"{CUSTOMERS} where deleted")) == gone
    assert (found(after), after["reconciliation"]["unconfirmed"]) == (set(), {})
    assert [(one["actor"], one["request_id"]) for one in recorded] == [("ops", "req_1")] * 2
    assert confirmed["reconciliation"]["id"] in {one["target"] for one in recorded}


CUSTOMERS = "select provider_customer_id as id from payments.customers"
PAID = (
    "select provider_object_id as id, amount from payments.transactions"
    " where provider_object_type = 'payment_intent' and status = 'succeeded' order by 1"
)


async def test_a_list_that_stripe_refuses_says_nothing_about_its_rows(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await mirrored(database, parts, sandbox, customers=3)
        await spoil(database, "update payments.customers set email = null returning 1")
        dial(sandbox, "faults", answers=[{"status": 403, "path": "/v1/customers", "count": 1}])
        answer = await run(parts)
    assert found(answer) == set()
    assert answer["reconciliation"]["status"] == "failed"
    assert answer["reconciliation"]["error"].startswith("customers: ")


async def test_only_some_nouns_of_some_time_are_compared(database: FreshDatabase, sandbox: Sandbox) -> None:
    middle = (SINCE + UNTIL) // 2
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await mirrored(database, parts, sandbox, customers=40, payment_intents=4)
        await spoil(
            database,
            "update payments.customers set email = null returning 1",
            "update payments.transactions set amount = 1 returning 1",
        )
        answer = await run(parts, objects=("customers",), since=middle)
    young = await rows(database, f"{CUSTOMERS} where provider_created_at >= to_timestamp($1)", middle)
    assert 0 < len(young) < 40
    assert found(answer) == {("stale", "customers", one["id"]) for one in young}


async def test_what_became_known_after_the_list_is_no_finding(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        key = await mirrored(database, parts, sandbox, customers=3)
        [one, *_] = await rows(database, CUSTOMERS)
        await parts.gateway.request(key, "post", f"/v1/customers/{one['id']}", {"email": "new@example.com"})
        # It was read at Stripe a second after any list of now: as when its event comes while lists are read.
        await spoil(
            database,
            "update payments.stripe_objects set as_of = extract(epoch from now()) + 60"
            f" where object_id = '{one['id']}' returning 1",
        )
        assert found(await run(parts)) == set()


async def test_a_run_whose_server_died_is_interrupted(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await mirrored(database, parts, sandbox, customers=1)
        before = await run(parts)
        [left] = await spoil(
            database,
            "update payments.reconciliations set status = 'running', finished_at = null,"
            " alive_until = now() - interval '1 second' returning id",
        )
        await run(parts)
        states = await rows(database, "select id, status from payments.reconciliations order by started_at")
    assert str(left) == before["reconciliation"]["id"]
    assert [one["status"] for one in states] == ["interrupted", "succeeded"]
    assert await rows(database, "select from payments.reconciliation_objects") == []


async def test_a_run_that_forgot_what_was_listed_fails(database: FreshDatabase, sandbox: Sandbox) -> None:
    def crash(_: Progress) -> None:
        # what a crash of PostgreSQL leaves of an unlogged table
        in_its_own_loop(spoil(database, "truncate payments.reconciliation_objects"))

    async with parts_on(database, sandbox.url, limits=False) as parts:
        await mirrored(database, parts, sandbox, customers=3)
        answer = await run(parts, objects=("customers",), fix=True, on_progress=crash)
    assert answer["reconciliation"]["status"] == "failed"
    assert "PostgreSQL crashed" in answer["reconciliation"]["error"]
    assert (answer["findings"], await rows(database, f"{CUSTOMERS} where deleted")) == ([], [])


async def test_without_a_key_nothing_is_compared(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with parts_on(database, sandbox.url) as parts:
        with pytest.raises(errors.NotConfigured):
            await run(parts)
    assert await rows(database, "select from payments.reconciliations") == []


async def test_a_repair_that_a_sync_would_have_skipped_is_made(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await mirrored(database, parts, sandbox, customers=2, fields=WHOSE)
        await spoil(database, "update payments.customers set email = 'x@example.com' returning 1")
        await sync_environment(parts, "test")  # Stripe says what it said before: nothing is written
        await age(database)
        fixed = await run(parts, fix=True)
        await age(database)
        again = await run(parts)
    assert len(fixed["findings"]) == 2
    assert again["findings"] == []
    assert await rows(database, f"{CUSTOMERS} where email = 'x@example.com'") == []


async def test_an_object_that_cannot_be_repaired_keeps_no_other_from_it_and_its_reason_is_told(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        key = await mirrored(database, parts, sandbox, customers=6, payment_intents=2, fields=WHOSE)
        bad, late, gone, *_ = [one["id"] for one in await rows(database, f"{CUSTOMERS} order by 1")]
        await parts.gateway.request(key, "delete", f"/v1/customers/{gone}")
        await age(database)
        await spoil(database, "update payments.customers set email = 'x@example.com' returning 1")
        paid = await spoil(database, "update payments.transactions set amount = 1 returning provider_object_id")
        script(database, RAISES.format(bad=bad, late=late, gone=gone))
        dry = await run(parts)
        fixed = await run(parts, fix=True)
        script(database, "drop function public.raises() cascade")
        await age(database)
        again = await run(parts, fix=True)
        await age(database)
        after = await run(parts)
    why = "The database refused this: not this one"
    told = dry["reconciliation"]
    assert (told["status"], told["error"]) == (
        "failed",
        f"customers: 1 could not be compared or repaired ({bad}: {why})",
    )
    left = {("stale", "customers", late), ("extra", "customers", gone), ("extra", "stripe_objects", gone)}
    assert {(one["class"], one["table"], one["key"]) for one in fixed["findings"] if not one["fixed"]} == left
    assert {("stale", "transactions", one) for one in paid} < found(fixed)
    assert len(found(fixed) - left) >= len(paid) + 3
    told, broken = fixed["reconciliation"], "; ".join(f"{one}: {why}" for one in (bad, late, gone))
    assert (told["status"], told["error"]) == ("failed", f"customers: 3 could not be compared or repaired ({broken})")
    assert found(again) == {("stale", "customers", bad), *left}
    assert (again["reconciliation"]["status"], found(after)) == ("succeeded", set())


async def test_a_payment_that_cannot_be_computed_keeps_no_other_from_it(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await mirrored(database, parts, sandbox, customers=2, payment_intents=2)
        await age(database)
        paid = [one["id"] for one in await rows(database, PAID)]
        await spoil(database, "update payments.transactions set amount = 1 returning 1")
        await spoil(
            database,
            'update payments.stripe_objects set raw = raw || \'{"amount_received": ["much"]}\''
            f" where object_id = '{paid[0]}' returning 1",
        )
        dry = await run(parts, objects=("charges",))
        fixed = await run(parts, objects=("charges",), fix=True)
    assert len(paid) > 1
    for answer in (dry, fixed):
        told = answer["reconciliation"]
        why = f"payments: 1 could not be compared or repaired ({paid[0]}: projection: TypeError)"
        assert (told["status"], told["error"]) == ("failed", why)
        assert found(answer) == {("stale", "transactions", one) for one in paid[1:]}
    amounts = {one["id"]: one["amount"] for one in await rows(database, PAID)}
    assert amounts.pop(paid[0]) == 1
    assert 1 not in amounts.values()


# What a comparison writes is taken back before a deferred trigger fires: that one raises only at a repair.
RAISES = """
create function public.raises() returns trigger language plpgsql as $$ begin raise exception 'not this one'; end $$;
create trigger raises after insert or update on payments.customers for each row
    when (new.provider_customer_id = '{bad}') execute function public.raises();
create constraint trigger raises_late after insert or update on payments.customers deferrable initially deferred
    for each row when (new.provider_customer_id in ('{late}', '{gone}')) execute function public.raises();
"""
