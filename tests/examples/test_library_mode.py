"""The example with the server inside: one process that sells, takes webhooks in and marks orders."""

import uuid
from collections.abc import Iterator

import httpx2
import pytest

from paygres.server.db.embedded import Urls
from tests.examples.running import example, new_port, until
from tests.flows.checkouts import shop_environment
from tests.flows.webhooks import sql
from tests.fresh_database import FreshDatabase, cloned
from tests.http.running import ANON_KEY, BODY, CHECKOUT, admin, bearer
from tests.sandbox.running import Sandbox

TABLES = (
    "create table public.orders (id uuid primary key, amount bigint, currency text, status text default 'pending')",
    "grant select, update on public.orders to payments_trigger",
)
Running = tuple[Sandbox, httpx2.Client, FreshDatabase]


@pytest.fixture(scope="module")
def running(postgres: Urls) -> Iterator[Running]:
    with cloned(postgres) as database, Sandbox() as sandbox:
        for statement in TABLES:
            sql(database, statement, role="paygres_owner")
        port = new_port()
        env = shop_environment(database, sandbox, API_BASE_URL=f"http://127.0.0.1:{port}")
        with example("library_mode", "app:app", port, env) as client:
            until(lambda: connected(client))
            yield sandbox, client, database


def connected(client: httpx2.Client) -> bool:
    test = client.get("/api/payments/stripe/status", headers=admin()).json()["connections"][0]
    return test["status"] == "connected" and test["lastSyncStatus"] == "succeeded"


def test_an_order_is_marked_in_the_transaction_of_its_event(running: Running) -> None:
    sandbox, client, database = running
    assert client.get("/about").json() == {"shop": "notebooks"}
    order = str(uuid.uuid4())
    sql(database, f"insert into public.orders values ('{order}', 3000, 'usd')", role="paygres_owner")
    body = {**BODY, "lineItems": [{"priceId": sandbox.price(), "quantity": 2}], "metadata": {"order_id": order}}
    made = client.post(CHECKOUT, headers=bearer(ANON_KEY), json=body)
    assert made.status_code == 201, made.text
    session = made.json()["checkoutSession"]
    sandbox.http.browser.post("/_sim/pay", json={"session": session["checkoutSessionId"]})
    path = f"/api/paygres/test/checkout-sessions/{session['id']}?wait=15"
    settled = client.get(path, headers=bearer(ANON_KEY)).json()
    assert (settled["settled"], settled["fulfillments"]) == (
        True,
        [{"rule": "orders", "key": order, "status": "granted"}],
    )
    assert sql(database, "select status from public.orders", role="paygres_owner") == [{"status": "paid"}]
