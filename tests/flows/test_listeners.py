"""Functions in developers' Python run in the event's transaction: with it or not at all, and never forgotten."""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from paygres.server import NotStarted, StripeEvent, Transaction
from tests.flows.checkouts import free_port
from tests.flows.listening import FULFILLING, anew, ask, due, execute, opened, payments_on, shown, soon, told, until
from tests.flows.webhooks import ROUTE, SECRET, signed
from tests.fresh_database import FreshDatabase
from tests.histories import START, charge, event, purchase, session
from tests.http.running import environment

ROOT = Path(__file__).resolve().parents[2]
Listen = Callable[[StripeEvent, Transaction], Awaitable[None]]


def completed(name: str, order: str = "o1", **changed: Any) -> dict[str, Any]:
    told_of = {"status": "complete", "payment_status": "paid", "metadata": {"order_id": order}, **changed}
    return session(name, payment_intent=f"pi_{name}", **told_of)


def paid(name: str, order: str = "o1") -> dict[str, Any]:
    return event("checkout.session.completed", START, completed(name, order))


async def mark_paid(event: StripeEvent, tx: Transaction) -> None:
    """The whole of a shop: the order's own price decides."""
    order = await tx.fetchrow("select * from public.orders where id = $1", event.object["metadata"]["order_id"])
    if await event.fulfill(tx, "orders", key=order["id"], amount=order["amount"], currency=order["currency"]):
        await tx.execute("update public.orders set paid = paid + 1 where id = $1", order["id"])


@pytest.fixture
def shop(emptied: FreshDatabase) -> FreshDatabase:
    """Orders, and nothing of the test before."""
    return anew(emptied)


async def times_paid(database: FreshDatabase, order: str = "o1") -> int:
    (row,) = await ask(database, "select paid from public.orders where id = $1", order)
    return row["paid"]


async def test_a_listener_runs_between_rows_and_mark_in_the_weak_role(shop: FreshDatabase) -> None:
    await execute(
        shop,
        "create function public.marked() returns trigger language plpgsql as $$ begin"
        " insert into public.seen (what, role) values ('mark', current_user); return null; end $$;"
        "create trigger marked after update on payments.webhook_events for each row"
        " when (new.processing_status = 'processed') execute function public.marked()",
    )
    payments = payments_on(shop, worker=False)
    told_with: list[StripeEvent] = []

    @payments.on("checkout.session.completed", environment="test", name="shop.second")
    @payments.on("checkout.session.completed", name="shop.first")
    async def listen(event: StripeEvent, tx: Transaction) -> None:
        told_with.append(event)
        rows = await tx.fetchval("select count(*) from payments.transactions where status = 'succeeded'")
        marks = await tx.fetchval("select count(*) from payments.webhook_events")
        await tx.execute(
            "insert into public.seen (what, role) values ($1, current_user)", f"{rows} rows, {marks} marks"
        )

    @payments.on("checkout.session.completed", environment="live", name="shop.live")
    async def never(event: StripeEvent, tx: Transaction) -> None:
        raise AssertionError("this is the other environment")

    async with opened(payments) as client:
        body = paid("a")
        answer = await told(client, body)
    assert (answer["handled"], answer["event"]["processingStatus"]) == (True, "processed")
    seen = await ask(shop, "select what, role from public.seen order by n")
    assert [tuple(row.values()) for row in seen] == [
        ("1 rows, 0 marks", "payments_trigger"),
        ("1 rows, 0 marks", "payments_trigger"),
        ("mark", "payments_trigger"),
    ]
    first, second = told_with
    assert (first.id, first.type, first.environment, first.created) == (body["id"], body["type"], "test", START)
    assert first.object == body["data"]["object"]
    assert first.object is not second.object
    assert "cs_test_a" not in repr(first).partition("object=")[0]


async def test_one_payment_is_given_once_whatever_tells_of_it(shop: FreshDatabase) -> None:
    payments = payments_on(shop, worker=False)
    payments.on(*FULFILLING, name="shop.mark_paid")(mark_paid)
    async with opened(payments) as client:
        first = paid("a")
        for body in (first, first, event(FULFILLING[1], START + 5, first["data"]["object"]), first):
            await told(client, body)
        replayed = await client.post(f"/api/paygres/test/events/{first['id']}/replay", json={"reason": "again"})
        assert replayed.json()["outcome"] == "processed", replayed.text
        await told(client, paid("b", "dear"))
    assert await times_paid(shop) == 1
    assert await times_paid(shop, "dear") == 0
    found = await ask(shop, "select key, status from payments.fulfillments order by created_at")
    assert [tuple(row.values()) for row in found] == [("o1", "granted"), ("dear", "quarantined")]


async def test_the_documented_program_pays_an_order(shop: FreshDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "python-listeners.md").read_text(encoding="utf-8")
    for name, value in environment(shop.server_url, STRIPE_TEST_WEBHOOK_SECRET=SECRET).items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {"__name__": "app"}
    exec(compile(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0], "app.py", "exec"), names)
    await execute(shop, "alter table public.orders add status text default 'pending', add paid_at timestamptz")
    async with opened(names["payments"]) as client:
        assert (await told(client, paid("a")))["event"]["processingStatus"] == "processed"
    assert await ask(shop, "select id from public.orders where status = 'paid' and paid_at is not null") == [
        {"id": "o1"}
    ]


async def test_deliveries_at_once_to_two_processes_pay_once(shop: FreshDatabase) -> None:
    programs = [payments_on(shop) for _ in range(2)]
    for one in programs:
        one.on(*FULFILLING, name="shop.mark_paid")(mark_paid)
    first = paid("a")
    second = event(FULFILLING[1], START + 5, first["data"]["object"])
    async with opened(programs[0]) as here, opened(programs[1]) as there:
        await asyncio.gather(*(told(client, body) for client in (here, there) for body in (first, second, first)))
        await until(lambda: _nothing_is_left(shop))
    assert await times_paid(shop) == 1
    assert len(await ask(shop, "select from payments.fulfillments")) == 1


async def _nothing_is_left(database: FreshDatabase) -> bool:
    return not await ask(database, "select from payments.event_queue")


async def test_a_raising_listener_keeps_rows_and_event_and_is_mended(shop: FreshDatabase) -> None:
    payments = payments_on(shop)
    broken = True

    @payments.on("checkout.session.completed", name="app.billing.fulfill")
    async def fulfill(event: StripeEvent, tx: Transaction) -> None:
        await mark_paid(event, tx)
        if broken:
            _ = event.object["metadata"]["plan"]

    async with opened(payments) as client:
        body = paid("a")
        answer = await told(client, body)
        assert (answer["handled"], answer["event"]["processingStatus"]) == (False, "failed")
        assert (await shown(shop, body["id"]))["last_error"] == "listener app.billing.fulfill: KeyError 'plan'"
        assert await times_paid(shop) == 0
        assert await ask(shop, "select from payments.fulfillments") == []
        assert await ask(shop, "select status from payments.transactions") == [{"status": "succeeded"}]
        broken = False
        await due(shop)
        await soon(client, lambda: times_paid(shop))
    assert await shown(shop, body["id"]) == {
        "processing_status": "processed",
        "last_error": None,
        "attempt_count": 2,
    }


@pytest.mark.parametrize("sleeps", ["in Python", "in PostgreSQL"])
async def test_a_slow_listener_is_given_up_within_the_webhooks_time(shop: FreshDatabase, sleeps: str) -> None:
    payments = payments_on(shop, worker=False)

    @payments.on("checkout.session.completed", name="shop.slow")
    async def slow(event: StripeEvent, tx: Transaction) -> None:
        await tx.execute("update public.orders set paid = 1")
        await (tx.execute("select pg_sleep(9)") if sleeps == "in PostgreSQL" else asyncio.sleep(9))

    async with opened(payments) as client:
        began = time.monotonic()
        body = paid("a")
        await told(client, body)
        assert time.monotonic() - began < 3.5  # a promise to the buyer's redirect, not a benchmark
        assert (await shown(shop, body["id"]))["last_error"] == "listener shop.slow: took longer than 1.5 s"
        again = await told(client, event("customer.created", START, {"id": "cus_1", "object": "customer"}))
        assert again["event"]["processingStatus"] in ("processed", "pending")  # the connection is as good as new
    assert await times_paid(shop) == 0


async def test_a_raising_trigger_takes_the_listeners_work_along(shop: FreshDatabase) -> None:
    await execute(
        shop,
        "create function public.refuse() returns trigger language plpgsql as $$ begin"
        " raise exception 'not today'; end $$;"
        "create trigger refuse after update on payments.webhook_events for each row"
        " when (new.processing_status = 'processed') execute function public.refuse()",
    )
    payments = payments_on(shop, worker=False)
    payments.on(*FULFILLING, name="shop.mark_paid")(mark_paid)
    async with opened(payments) as client:
        body = paid("a")
        await told(client, body)
    row = await shown(shop, body["id"])
    assert (row["processing_status"], "not today" in row["last_error"]) == ("failed", True)
    assert await times_paid(shop) == 0
    assert await ask(shop, "select status from payments.transactions") == [{"status": "succeeded"}]


async def swallow(event: StripeEvent, tx: Transaction) -> None:
    try:
        await tx.execute("select 1 / 0")
    except Exception:
        return


async def commit(event: StripeEvent, tx: Transaction) -> None:
    await tx.execute("commit")


async def reach_too_far(event: StripeEvent, tx: Transaction) -> None:
    await tx.execute("delete from payments.stripe_snapshots")


async def leave_a_task(event: StripeEvent, tx: Transaction) -> None:
    global _left
    _left = asyncio.create_task(_write_late(tx))


async def _write_late(tx: Transaction) -> None:
    await asyncio.sleep(0)
    await tx.execute("update public.orders set paid = 99")


_left: asyncio.Task[None] | None = None


@pytest.mark.parametrize(
    ("listener", "reason"),
    [
        (swallow, "InFailedSQLTransactionError"),
        (commit, "RuntimeError commit: the transaction is the event's"),
        (reach_too_far, "InsufficientPrivilegeError permission denied for table stripe_snapshots"),
    ],
)
async def test_a_listener_cannot_leave_its_transaction(shop: FreshDatabase, listener: Listen, reason: str) -> None:
    payments = payments_on(shop, worker=False)
    payments.on("checkout.session.completed", name="shop.bad")(listener)
    async with opened(payments) as client:
        body = paid("a")
        await told(client, body)
    assert (await shown(shop, body["id"]))["last_error"].startswith(f"listener shop.bad: {reason}")


async def test_a_task_that_a_listener_leaves_behind_writes_nothing(shop: FreshDatabase) -> None:
    payments = payments_on(shop, worker=False)
    payments.on("checkout.session.completed", name="shop.late")(leave_a_task)
    async with opened(payments) as client:
        assert (await told(client, paid("a")))["event"]["processingStatus"] == "processed"
    assert _left is not None
    with pytest.raises(RuntimeError, match="no longer yours"):
        await _left
    assert await times_paid(shop) == 0


async def test_a_savepoint_confines_what_fails(shop: FreshDatabase) -> None:
    payments = payments_on(shop, worker=False)

    @payments.on("checkout.session.completed", name="shop.careful")
    async def careful(event: StripeEvent, tx: Transaction) -> None:
        await tx.executemany("insert into public.seen (what) values ($1)", [("kept",), ("too",)])
        try:
            async with tx.savepoint():
                await tx.execute("insert into public.seen (what) values ('undone'); select 1 / 0")
        except Exception:
            await tx.execute("insert into public.seen (what) values ('after')")

    async with opened(payments) as client:
        assert (await told(client, paid("a")))["event"]["processingStatus"] == "processed"
    assert [row["what"] for row in await ask(shop, "select what from public.seen order by n")] == [
        "kept",
        "too",
        "after",
    ]


async def test_a_process_that_lacks_the_listener_leaves_the_event_to_one_that_has_it(shop: FreshDatabase) -> None:
    program = payments_on(shop)
    program.on(*FULFILLING, name="app.billing.fulfill")(mark_paid)
    async with opened(program):
        pass
    async with opened(payments_on(shop)) as plain:
        body = paid("a")
        answer = await told(plain, body)
        assert (answer["handled"], answer["event"]["processingStatus"]) == (False, "pending")
        assert answer["event"]["lastError"] == "waits for a process that has app.billing.fulfill"
        assert await ask(shop, "select status from payments.transactions") == [{"status": "succeeded"}]
        other = await told(plain, event("charge.succeeded", START, charge("b")))
        assert other["event"]["processingStatus"] == "processed"
        (known,) = (await plain.get("/api/paygres/listeners")).json()["listeners"]
        assert (known["name"], known["environment"], known["waitingEvents"]) == ("app.billing.fulfill", None, 1)
        replayed = await plain.post(f"/api/paygres/test/events/{body['id']}/replay", json={})
        assert replayed.json()["outcome"] == "pending"
        assert await times_paid(shop) == 0
        again = payments_on(shop)
        again.on(*FULFILLING, name="app.billing.fulfill")(mark_paid)
        async with opened(again) as client:
            await soon(client, lambda: times_paid(shop))
    assert (await shown(shop, body["id"]))["processing_status"] == "processed"
    assert await ask(shop, "select from payments.event_queue") == []


async def test_a_forgotten_listener_lets_its_events_go(shop: FreshDatabase) -> None:
    program = payments_on(shop, worker=False)
    program.on(*FULFILLING, name="app.gone")(mark_paid)
    async with opened(program):
        pass
    async with opened(payments_on(shop)) as plain:
        body = paid("a")
        await told(plain, body)
        forgotten = await plain.delete("/api/paygres/listeners/app.gone")
        assert forgotten.json() == {"name": "app.gone", "forgotten": True}
        assert (await plain.delete("/api/paygres/listeners/app.gone")).status_code == 404
        await until(lambda: _is_processed(shop, body["id"]))
    assert await ask(shop, "select actor, action, target from system.audit_log where action like 'listener.%'") == [
        {"actor": "api-key", "action": "listener.forget", "target": "app.gone"}
    ]


async def _is_processed(database: FreshDatabase, event_id: str) -> bool:
    return (await shown(database, event_id))["processing_status"] == "processed"


async def test_a_rehearsal_shows_what_a_listener_would_write_and_keeps_nothing(shop: FreshDatabase) -> None:
    async with opened(payments_on(shop, worker=False)) as client:
        body = paid("a")
        await told(client, body)
    payments = payments_on(shop, worker=False)
    payments.on(*FULFILLING, name="shop.mark_paid")(mark_paid)
    async with opened(payments) as client:
        answer = await client.post(f"/api/paygres/test/events/{body['id']}/replay", json={"dryRun": True})
    assert answer.json()["outcome"] == "processed"
    assert {"table": "public.orders", "inserted": 0, "updated": 1, "deleted": 0} in answer.json()["writes"]
    assert await times_paid(shop) == 0


async def test_events_that_are_only_recorded_are_heard_as_well(shop: FreshDatabase) -> None:
    payments = payments_on(shop, worker=False)

    @payments.on("payout.paid", name="shop.payout")
    async def payout(event: StripeEvent, tx: Transaction) -> None:
        await tx.execute("insert into public.seen (what) values ($1)", event.object["id"])

    async with opened(payments) as client:
        body = event("payout.paid", START, {"id": "po_1", "object": "payout", "amount": 900})
        assert (await told(client, body))["event"]["processingStatus"] == "ignored"
        await told(client, {**event("payout.paid", START, {"id": "po_2", "object": "payout"}), "livemode": True})
    assert await ask(shop, "select what from public.seen") == [{"what": "po_1"}]


async def test_reversals_follow_in_the_event_that_tells_of_the_refund(shop: FreshDatabase) -> None:
    payments = payments_on(shop, worker=False)
    payments.on(*FULFILLING, name="shop.mark_paid")(mark_paid)
    history = purchase("o1", refunded=1000)
    for one in history:
        one["data"]["object"]["metadata"]["order_id"] = "o1"
    async with opened(payments) as client:
        for one in history[::-1]:
            await told(client, one)
    assert await times_paid(shop) == 1
    assert await ask(shop, "select amount_paid, amount_kept from payments.fulfillments") == [
        {"amount_paid": 2500, "amount_kept": 1500}
    ]


def test_mistakes_are_told_where_they_are_made(shop: FreshDatabase) -> None:
    payments = payments_on(shop)
    with pytest.raises(ValueError, match=r"not subscribe to checkout\.session\.complete\. Did you mean .*completed"):
        payments.on("checkout.session.complete", name="shop.a")(mark_paid)
    with pytest.raises(ValueError, match="at least one"):
        payments.on(name="shop.a")(mark_paid)
    with pytest.raises(ValueError, match=r"no messages of type fulfillment\.grant"):
        payments.after_commit("fulfillment.grant", name="shop.b")(_after)
    payments.on("invoice.paid")(mark_paid)
    with pytest.raises(ValueError, match=r"Two functions are named tests\.flows\.test_listeners\.mark_paid"):
        payments.on("invoice.paid")(mark_paid)
    with pytest.raises(ValueError, match="could not know it by that name"):

        @payments.on("invoice.paid")
        async def inner(event: StripeEvent, tx: Transaction) -> None: ...

    with pytest.raises(TypeError, match="must be an async function"):
        payments.on("invoice.paid", name="shop.c")(lambda event, tx: None)  # type: ignore[arg-type, return-value]


async def _after(message: object) -> None: ...


async def test_a_forgotten_lifespan_is_told_at_the_first_request(shop: FreshDatabase) -> None:
    payments = payments_on(shop)
    transport = httpx2.ASGITransport(app=payments.asgi_app())  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=transport, base_url="http://shop.example.com") as client:
        with pytest.raises(NotStarted, match=r"lifespan=payments\.lifespan"):
            await client.get("/api/health")


async def test_nothing_can_be_registered_while_it_runs(shop: FreshDatabase) -> None:
    payments = payments_on(shop, worker=False)
    async with opened(payments):
        with pytest.raises(RuntimeError, match="before the lifespan begins"):
            payments.on("invoice.paid", name="shop.late")(mark_paid)


@contextmanager
def program(database: FreshDatabase, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], httpx2.Client]]:
    """The developer's program as a process; killed at the end."""
    port = free_port()
    env = environment(database.server_url, STRIPE_TEST_WEBHOOK_SECRET=SECRET, PYTHONPATH=str(ROOT), **more)
    command = [sys.executable, "-m", "uvicorn", "tests.flows.listening_program:app", "--port", str(port)]
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            deadline = time.monotonic() + 15
            while time.monotonic() < deadline:
                try:
                    client.get("/api/health")
                    break
                except httpx2.TransportError:
                    time.sleep(0.05)
            yield process, client
    finally:
        process.kill()
        process.wait(10)


async def test_a_process_killed_between_listener_and_commit_leaves_nothing_and_pays_once(shop: FreshDatabase) -> None:
    body = paid("a")
    payload = orjson.dumps(body)

    def deliver(client: httpx2.Client) -> httpx2.Response:
        return client.post(ROUTE, content=payload, headers=signed(payload))

    with program(shop, LISTENER_SLEEPS="1.2") as (process, client):
        sending = asyncio.create_task(asyncio.to_thread(deliver, client))
        await until(lambda: _somebody_sleeps(shop, sending))
        process.kill()
        with pytest.raises(httpx2.TransportError):
            await sending
    await until(lambda: _nobody_sleeps(shop))
    assert await times_paid(shop) == 0
    assert await ask(shop, "select from payments.stripe_snapshots") == []
    again = payments_on(shop, worker=False)
    again.on("checkout.session.completed", name="tests.flows.listening_program.pay_order")(mark_paid)
    async with opened(again) as restarted:
        for _ in range(2):
            assert (await told(restarted, body))["event"]["processingStatus"] == "processed"
    assert await times_paid(shop) == 1
    assert await ask(shop, "select name from payments.listeners") == [
        {"name": "tests.flows.listening_program.pay_order"}
    ]


SLEEPING = "select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"


async def _somebody_sleeps(database: FreshDatabase, sending: asyncio.Task[httpx2.Response]) -> bool:
    assert not sending.done(), sending.result().text
    return bool(await ask(database, SLEEPING))


async def _nobody_sleeps(database: FreshDatabase) -> bool:
    return not await ask(database, SLEEPING)
