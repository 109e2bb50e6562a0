"""A developer's program around `Payments`, in this process: real PostgreSQL, the real routes and the worker."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx2
import orjson

from paygres.server import Payments
from paygres.server.settings import Settings
from tests.flows.webhooks import ROUTE, SECRET, signed
from tests.fresh_database import FreshDatabase, in_its_own_loop
from tests.http.running import API_KEY, environment

ORDERS = """
create table public.orders (id text primary key, amount bigint, currency text, paid integer not null default 0);
insert into public.orders values ('o1', 2500, 'usd'), ('dear', 99900, 'usd');
create table public.seen (n serial, what text, role text);
grant select, update on public.orders to payments_trigger;
grant insert, select on public.seen to payments_trigger;
grant usage on sequence public.seen_n_seq to payments_trigger;
"""
# Cheaper than another clone for every test.
ANEW = """
drop schema public cascade;
create schema public authorization paygres_owner;
grant usage on schema public to public;
set session_replication_role = replica;
delete from system.audit_log;
delete from system.secrets;
do $$
declare named text;
begin
    for named in select tablename from pg_tables where schemaname = 'payments' loop
        execute format('delete from payments.%I', named);
    end loop;
end $$;
"""
ENCRYPTION_KEY = environment("")["ENCRYPTION_KEY"]  # as programs that are processes have it
FULFILLING = ("checkout.session.completed", "checkout.session.async_payment_succeeded")


def anew(database: FreshDatabase) -> FreshDatabase:
    """The same database without rows and without what developers made, and with orders."""

    async def run() -> None:
        connection = await asyncpg.connect(database.superuser_url)
        try:
            await connection.execute(ANEW)
        finally:
            await connection.close()
        await execute(database, ORDERS)

    in_its_own_loop(run())
    return database


def payments_on(database: FreshDatabase, *, worker: bool = True) -> Payments:
    """Not yet started, so that functions can be registered."""
    return Payments(
        Settings(
            database_url=database.server_url,
            direct_database_url=database.owner_url,
            jwt_secret="a JWT secret of thirty-two letters and more",
            encryption_key=ENCRYPTION_KEY,
            api_key=API_KEY,
            stripe_api_base="http://127.0.0.1:9",
            stripe_webhook_secrets={"test": SECRET},
        ),
        worker=worker,
    )


@asynccontextmanager
async def opened(payments: Payments) -> AsyncIterator[httpx2.AsyncClient]:
    """The program runs; a client of its routes."""
    async with payments.lifespan():
        transport = httpx2.ASGITransport(app=payments.asgi_app())  # type: ignore[arg-type]
        async with httpx2.AsyncClient(transport=transport, base_url="http://shop.example.com") as client:
            client.headers["x-api-key"] = API_KEY
            yield client


async def told(client: httpx2.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    """What the webhook's answer says of an event."""
    payload = orjson.dumps(body)
    answer = await client.post(ROUTE, content=payload, headers=signed(payload))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ask(database: FreshDatabase, statement: str, *args: Any) -> list[dict[str, Any]]:
    """Rows, read by the superuser."""
    connection = await asyncpg.connect(database.superuser_url)
    try:
        return [dict(row) for row in await connection.fetch(statement, *args)]
    finally:
        await connection.close()


async def execute(database: FreshDatabase, statements: str) -> None:
    """Several statements as the owner of the tables."""
    connection = await asyncpg.connect(database.superuser_url)
    try:
        await connection.execute("set role paygres_owner;" + statements)
    finally:
        await connection.close()


async def due(database: FreshDatabase) -> None:
    """As if the pause before the next attempts were over."""
    for queue in ("event_queue", "outbox", "reversal_queue"):
        await ask(database, f"update payments.{queue} set next_attempt_at = now() where next_attempt_at is not null")


async def until(found: Callable[[], Any], seconds: float = 8.0) -> Any:
    """The first true answer of an async question."""
    deadline = time.monotonic() + seconds
    while not (answer := await found()):
        assert time.monotonic() < deadline, "waited too long"
        await asyncio.sleep(0.03)
    return answer


async def soon(client: httpx2.AsyncClient, found: Callable[[], Any]) -> Any:
    """`until`, with the worker woken first."""
    await client.post("/api/paygres/test/events/retry", json={})
    return await until(found)


async def shown(database: FreshDatabase, event_id: str) -> dict[str, Any]:
    """The event as developers see it."""
    (row,) = await ask(
        database,
        "select processing_status, last_error, attempt_count from payments.webhook_events where provider_event_id = $1",
        event_id,
    )
    return row
