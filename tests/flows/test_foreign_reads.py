"""What Stripe's API tells and we do not apply: another installation's objects, and objects that cannot be applied."""

from collections.abc import AsyncIterator, Iterator
from itertools import permutations
from typing import Any

import pytest

from paygres.server import errors
from paygres.server.db.database import Database
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.reconcile import Asked, reconcile
from paygres.server.flows.sync_environment import sync_environment
from paygres.server.projections.snapshots import Unreadable
from paygres.server.stripe_gateway.gateway import Page
from paygres.server.tables import sweeps
from tests.flows.reconciling import OPERATOR, mirrored
from tests.flows.running_parts import Sandbox, parts_on, rows, sandbox_process
from tests.flows.syncing import connected
from tests.flows.webhooks import script
from tests.fresh_database import FreshDatabase
from tests.histories import START, customer, event, intent
from tests.playing import CONNECTION, deliver
from tests.subscription_histories import invoice

FOREIGN = {"metadata": {"insforge_installation_id": "22222222-2222-4222-8222-222222222222"}}
# What may stand where Stripe says that a dictionary is.
ODD = (None, "cus_x", ["insforge_installation_id"], 7, {"insforge_installation_id": ["another"]}, {"metadata": []})
CUSTOMERS = "select provider_customer_id as id from payments.customers order by 1"
QUEUED = "select object_type, object_id, reason from payments.refetch_queue order by object_id"
RAISES = """
create function public.raises() returns trigger language plpgsql as $$ begin
    if new.email = 'bad@example.com' then raise exception 'no room for %', new.email; end if; return null; end $$;
create trigger raises after insert or update on payments.customers for each row execute function public.raises();
"""
BAD = {"email": "bad@example.com"}


@pytest.fixture
async def db(database: FreshDatabase) -> AsyncIterator[Database]:
    opened = await Database.connect(database.server_url)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_process() as running:
        yield running


@pytest.mark.parametrize("others", [0, 1])
async def test_what_another_installation_stamped_is_left_out_and_not_read_again(
    db: Database, database: FreshDatabase, others: int
) -> None:
    theirs = intent("theirs", status="succeeded", amount_received=2500, **FOREIGN)
    await sweeps.queue_refetch(db, "test", "payment_intent", theirs["id"], "a gap")
    await sweeps.queue_refetch(db, "test", "customer", "cus_x", "a gap")
    assert await apply_reads(db, CONNECTION, [theirs, *[customer("a")] * others], START) == 0
    assert await rows(database, "select from payments.transactions") == []
    assert len(await rows(database, CUSTOMERS)) == others
    assert [one["object_id"] for one in await rows(database, QUEUED)] == ["cus_x"]


async def test_our_own_stamp_and_none_are_ours(db: Database, database: FreshDatabase) -> None:
    (own,) = await rows(database, "select id::text from system.installation")
    stamped = customer("a", metadata={"insforge_installation_id": own["id"]})
    await apply_reads(db, CONNECTION, [stamped, customer("b", **FOREIGN), customer("c")], START)
    assert await rows(database, CUSTOMERS) == [{"id": stamped["id"]}, {"id": customer("c")["id"]}]


@pytest.mark.parametrize("odd", ODD)
async def test_a_stamp_of_any_other_shape_is_none(db: Database, database: FreshDatabase, odd: Any) -> None:
    told = [
        customer("a", metadata=odd),
        intent("a", metadata=odd),
        {**invoice("a"), "parent": odd},
        {**invoice("b"), "parent": {"subscription_details": odd}, "metadata": odd},
        {**invoice("c"), "parent": {"subscription_details": {"metadata": odd}}, "metadata": None},
    ]
    assert await apply_reads(db, CONNECTION, told, START) == 0
    events = [event(f"{one['object']}.created", START + 1, {**one, "id": f"{one['id']}_heard"}) for one in told]
    assert {(await deliver(db, one)).status for one in events} == {"processed"}
    known = await rows(database, "select object_id as id from payments.stripe_objects order by 1")
    assert [one["id"] for one in known] == sorted(f"{one['id']}{heard}" for one in told for heard in ("", "_heard"))


async def test_the_invoice_of_another_installations_subscription_is_foreign_on_every_road(
    db: Database, database: FreshDatabase
) -> None:
    stamp = FOREIGN["metadata"]
    theirs = [
        invoice("now", metadata=stamp),
        {**invoice("then"), "parent": None, "subscription_details": FOREIGN},
    ]
    assert await apply_reads(db, CONNECTION, theirs, START) == 0
    assert {(await deliver(db, event("invoice.created", START, one))).status for one in theirs} == {"ignored"}
    assert await rows(database, "select from payments.stripe_objects") == []


async def test_one_object_that_cannot_be_applied_stops_none_of_its_page(db: Database, database: FreshDatabase) -> None:
    script(database, RAISES)
    odd = {"id": "pi_odd", "object": "payment_intent"}
    page = [customer("a"), customer("b", **BAD), odd, customer("c")]
    assert await apply_reads(db, CONNECTION, page, START) == 2
    assert await rows(database, CUSTOMERS) == [{"id": "cus_a"}, {"id": "cus_c"}]
    told = "Stripe listed it, and it could not be applied: "
    assert [(one["object_id"], one["reason"]) for one in await rows(database, QUEUED)] == [
        ("cus_b", f"{told}The database refused this: no room for bad@example.com"),
        ("pi_odd", f"{told}payment_intent without status, amount, currency: not a shape this version reads"),
    ]
    with pytest.raises(errors.InvalidRequest):
        await apply_reads(db, CONNECTION, [page[1]], START)
    with pytest.raises(Unreadable):
        await apply_reads(db, CONNECTION, [odd], START)


async def test_a_sync_gets_past_an_object_that_cannot_be_applied(database: FreshDatabase, sandbox: Sandbox) -> None:
    script(database, RAISES)
    async with parts_on(database, sandbox.url, limits=False) as parts:
        key, _ = await connected(parts, sandbox, products=2, customers=130, subscriptions=2)
        bad = (await parts.gateway.request(key, "post", "/v1/customers", BAD)).object["id"]
        result = await sync_environment(parts, "test")
    assert result["sync"]["status"] == "failed"
    assert result["sync"]["error"] == "customers: 1 could not be applied (the log tells which) and will be read again"
    assert result["connection"]["lastSyncError"] == result["sync"]["error"]
    assert result["sync"]["counts"]["customers"] >= 131
    known = {one["id"] for one in await rows(database, CUSTOMERS)}
    assert len(known) == result["sync"]["counts"]["customers"] - 1
    assert bad not in known
    assert await rows(database, "select count(*) as n from payments.stripe_subscriptions") == [{"n": 2}]


async def test_a_reconcile_gets_past_an_object_that_cannot_be_read(
    database: FreshDatabase, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await mirrored(database, parts, sandbox, customers=2, payment_intents=3)
        (odd,) = await rows(
            database, "select min(object_id) as id from payments.stripe_objects where object_id ~ '^pi_'"
        )
        page = parts.gateway.page

        async def oddly(key: str, path: str, params: Any, **more: Any) -> Page:
            told = await page(key, path, params, **more)
            for one in told.rows:
                if one["id"] == odd["id"]:
                    del one["amount"]
            return told

        monkeypatch.setattr(parts.gateway, "page", oddly)
        answer = await reconcile(parts, "test", Asked(), OPERATOR)
    assert answer["reconciliation"]["status"] == "failed"
    assert answer["reconciliation"]["error"] == (
        "payment_intents: 1 could not be read (the log tells which) and will be read again"
    )
    assert answer["findings"] == []
    assert [one["object_id"] for one in await rows(database, QUEUED)] == [odd["id"]]


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_what_another_installation_tells_of_an_object_moves_nothing_in_any_order(
    db: Database, database: FreshDatabase, order: tuple[int, ...]
) -> None:
    ours, theirs = {"metadata": {}}, FOREIGN
    told = [
        event("payment_intent.created", START, intent("a", status="requires_payment_method", **ours)),
        event("payment_intent.processing", START + 1, intent("a", status="processing", **ours)),
        event("payment_intent.succeeded", START + 2, intent("a", status="succeeded", **theirs)),
        event("payment_intent.canceled", START + 3, intent("a", status="canceled", **theirs)),
    ]
    statuses = {told[number]["id"]: (await deliver(db, told[number])).status for number in order}
    assert [statuses[one["id"]] for one in told] == ["processed", "processed", "ignored", "ignored"]
    (known,) = await rows(database, "select as_of, raw ->> 'status' as status, undecided from payments.stripe_objects")
    assert known == {"as_of": START + 1, "status": "processing", "undecided": False}
