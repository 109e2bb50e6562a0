"""Waiting for checkouts in tests: orders that a trigger fulfills, answers that come later, webhooks held back."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx2

from tests.flows.checkouts import Shop
from tests.flows.webhooks import sql
from tests.http.running import ANON_KEY, admin, bearer

ROUTE = "/api/paygres/test/checkout-sessions"
GUEST = bearer(ANON_KEY)
# Fulfills an order, unless the warehouse is closed, and takes its time: what is not committed is seen by nobody.
ORDERS = """
create table public.orders (id text primary key, status text not null default 'pending');
create table public.warehouse (closed boolean not null, pause double precision not null);
insert into public.warehouse values (false, 0);
grant select on public.warehouse to payments_trigger;
grant select, update on public.orders to payments_trigger;
create function public.fulfill_order() returns trigger language plpgsql set search_path = '' as $$
declare
    wanted text := new.payload #>> '{data,object,metadata,order_id}';
begin
    if (select w.closed from public.warehouse w) then
        raise exception 'the warehouse is closed';
    end if;
    if payments.fulfill(new, 'orders', wanted, 3000, 'usd') then
        update public.orders set status = 'paid' where id = wanted;
        perform pg_sleep(w.pause) from public.warehouse w;
    end if;
    return null;
end $$;
create trigger fulfill_order after update on payments.webhook_events for each row
    when (old.processing_status is distinct from new.processing_status and new.processing_status = 'processed'
          and new.event_type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded'))
    execute function public.fulfill_order();
"""


class Counter:
    """Requests that wait meanwhile, at a shop (or at another server of its database)."""

    def __init__(self, shop: Shop, client: httpx2.Client | None = None) -> None:
        self.shop = shop
        self.client = client or shop.server.client
        self._threads = ThreadPoolExecutor(64)

    def order(self, name: str, headers: Mapping[str, str] | None = None, **changes: Any) -> dict[str, Any]:
        """An open checkout of an order that its trigger fulfills."""
        sql(self.shop.database, "insert into public.orders (id) values ($1)", name)
        return self.shop.buy(dict(headers or GUEST), metadata={"order_id": name}, **changes)

    def status(self, name: str) -> str:
        (order,) = sql(self.shop.database, "select status from public.orders where id = $1", name)
        return order["status"]

    def read(
        self, session: Mapping[str, Any], wait: object, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        path = f"{ROUTE}/{session['id']}?wait={wait}"
        return self.client.get(path, headers=dict(headers or GUEST), timeout=40)

    def answer(self, session: Mapping[str, Any], wait: int, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        answer = self.read(session, wait, headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def start(
        self,
        session: Mapping[str, Any],
        wait: int = 20,
        watched: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "Future[Answered]":
        """Waits in a thread of its own; an order that is `watched` is looked at as soon as the answer is there."""

        def run() -> Answered:
            began = time.monotonic()
            answer = self.answer(session, wait, headers)
            order = self.status(watched) if watched else None
            return Answered(answer, order, time.monotonic() - began)

        before = self.waiting()
        started = self._threads.submit(run)
        self.shop.wait(lambda: self.waiting() > before or started.done())
        return started

    def waiting(self) -> int:
        """How many requests wait at this server, as its metrics tell."""
        return self._metric("paygres_checkout_waiters ")

    def asked_stripe(self) -> int:
        """How often this server has read a session at Stripe."""
        return self._metric('paygres_stripe_requests_total{operation="get checkout/sessions",status="200"}')

    def _metric(self, begins: str) -> int:
        lines = self.client.get("/metrics", headers=admin()).text.splitlines()
        return int(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(begins)))

    @contextmanager
    def losing(self) -> Iterator[None]:
        """Webhooks that begin their way in this block never arrive."""
        self.shop.sim("faults", lose=1.0)
        try:
            yield
        finally:
            self.shop.sim("faults", lose=0.0)

    def pay_unheard(self, session: Mapping[str, Any], at_least: int) -> dict[str, str]:
        """Pay, and nobody is told; so many events and more, by type."""
        with self.losing():
            self.shop.pay(session)
            self.shop.wait(lambda: len(self.events(session)) >= at_least)
            self.shop.wait(self._nothing_on_its_way)
            return self.events(session)

    def events(self, session: Mapping[str, Any]) -> dict[str, str]:
        """Ids of the events that its payment made, by type; the checkout's own must be among them."""
        listed = self.shop.sandbox.http.api("GET", "/v1/events", {"limit": "100"}).json()["data"]
        told = [e["data"]["object"] for e in listed if e["data"]["object"]["id"] == session["checkoutSessionId"]]
        about = {told[0][name] for name in ("id", "payment_intent", "subscription", "invoice")} if told else set[str]()
        about.discard(None)
        return {e["type"]: e["id"] for e in listed if _names(e["data"]["object"]) & about}

    def deliver(self, event: str) -> None:
        """Let it arrive after all; returns when it is stored."""
        self.shop.sim("resend", event=event)
        self.shop.wait(lambda: self.shop.sql("select from payments.stripe_snapshots where event_id = $1", event))

    def _nothing_on_its_way(self) -> bool:
        found = self.shop.sandbox.http.browser.get("/_sim/deliveries").json()["deliveries"]
        return all(one["state"] != "pending" for one in found)


def _names(told: Mapping[str, Any]) -> set[Any]:
    """What an object is, and what it is about."""
    return {told["id"], told.get("payment_intent")}


class Answered:
    """An answer, the order at the moment it came, and after how many seconds that was."""

    def __init__(self, answer: dict[str, Any], order: str | None, seconds: float) -> None:
        self.answer = answer
        self.order = order
        self.seconds = seconds

    @property
    def states(self) -> tuple[bool, str | None, str, str | None]:
        session = self.answer["checkoutSession"]
        return self.answer["settled"], self.answer["waitsFor"], session["status"], session["paymentStatus"]


def still_waits(started: "Future[Answered]") -> bool:
    """No answer for as long as several looks take."""
    try:
        started.result(timeout=0.15)
    except TimeoutError:
        return True
    return False
