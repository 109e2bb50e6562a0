"""?wait=: an answer as soon as the purchase is projected and fulfilled, never before, and at the latest in time."""

import socket
import time
from collections.abc import Iterator

import pytest

from paygres.server.db.embedded import Urls
from tests.flows.checkouts import ADA, BOB, Shop, shop, signed_in, subject
from tests.flows.waiting import GUEST, ORDERS, ROUTE, Counter, still_waits
from tests.flows.webhooks import script, sql
from tests.http.running import admin, serving

PAID = (True, None, "completed", "paid")


@pytest.fixture(scope="module")
def counter(postgres: Urls) -> Iterator[Counter]:
    """A shop with three connections for requests, whose orders are fulfilled by a trigger."""
    with shop(postgres, PAYGRES_POOL_SIZE="3") as opened:
        script(opened.database, ORDERS)
        yield Counter(opened)


def granted(order: str) -> list[dict[str, str]]:
    return [{"rule": "orders", "key": order, "status": "granted"}]


def pause(shop: Shop, seconds: float) -> None:
    sql(shop.database, "update public.warehouse set pause = $1", seconds)


def close_warehouse(shop: Shop, closed: bool) -> None:
    sql(shop.database, "update public.warehouse set closed = $1", closed)


def make_due(shop: Shop) -> None:
    answer = shop.server.client.post("/api/paygres/test/events/retry", headers=admin(), json={})
    assert answer.status_code == 200, answer.text


def test_it_answers_once_the_order_is_paid(counter: Counter) -> None:
    session = counter.order("prompt")
    waiting = counter.start(session, watched="prompt")
    assert still_waits(waiting)
    counter.shop.pay(session)
    answered = waiting.result(5)
    assert (answered.order, answered.states) == ("paid", PAID)
    assert answered.answer["fulfillments"] == granted("prompt")
    assert answered.answer["checkoutSession"]["id"] == session["id"]


def test_it_does_not_answer_before_a_slow_trigger_is_committed(counter: Counter) -> None:
    session = counter.order("slow")
    waiting = counter.start(session, watched="slow")
    pause(counter.shop, 0.7)
    counter.shop.pay(session)
    pause(counter.shop, 0.0)
    answered = waiting.result(5)
    assert (answered.order, answered.states) == ("paid", PAID)


@pytest.mark.parametrize("backwards", [False, True])
def test_events_about_the_payment_alone_do_not_end_the_waiting(counter: Counter, backwards: bool) -> None:
    order = f"order_{backwards}"
    session = counter.order(order)
    events = counter.pay_unheard(session, 4)
    completion = events.pop("checkout.session.completed")
    waiting = counter.start(session, wait=30, watched=order)
    for event in sorted(events.values(), reverse=backwards):
        counter.deliver(event)
    assert still_waits(waiting)
    assert counter.status(order) == "pending"
    counter.deliver(completion)
    answered = waiting.result(5)
    assert (answered.order, answered.states) == ("paid", PAID)


def test_a_failed_trigger_keeps_it_waiting_until_a_later_try_pays_the_order(counter: Counter) -> None:
    session = counter.order("later")
    waiting = counter.start(session, watched="later")
    close_warehouse(counter.shop, closed=True)
    counter.shop.pay(session)
    assert counter.shop.row(session["id"])["status"] == "completed"
    assert still_waits(waiting)
    now = counter.answer(session, 0)
    assert (now["settled"], now["waitsFor"], now["fulfillments"]) == (False, "processing", [])
    close_warehouse(counter.shop, closed=False)
    assert still_waits(waiting)
    make_due(counter.shop)
    answered = waiting.result(10)
    assert (answered.order, answered.states) == ("paid", PAID)


def test_a_dead_event_ends_the_waiting_and_is_said_to_need_an_operator(counter: Counter) -> None:
    session = counter.order("dead")
    close_warehouse(counter.shop, closed=True)
    counter.shop.pay(session)
    counter.shop.force("update payments.event_queue set next_attempt_at = null")
    answered = counter.start(session).result(5)
    assert answered.states == (False, "operator", "completed", "paid")
    assert answered.seconds < 2
    close_warehouse(counter.shop, closed=False)
    make_due(counter.shop)
    counter.shop.wait(lambda: counter.status("dead") == "paid")
    assert counter.answer(session, 0)["settled"] is True


def test_a_lost_webhook_is_looked_for_at_stripe(counter: Counter) -> None:
    session = counter.order("lost")
    with counter.losing():
        waiting = counter.start(session, wait=10, watched="lost")
        counter.shop.pay(session)
        answered = waiting.result(12)
    assert (answered.order, answered.states) == ("paid", PAID)
    assert answered.seconds < 8
    assert answered.answer["fulfillments"] == granted("lost")


def test_a_buyer_who_does_not_pay_is_told_so_in_time(counter: Counter) -> None:
    session = counter.order("browsing")
    asked = counter.asked_stripe()
    waiting = [counter.start(session, wait=1) for _ in range(5)]
    for answered in [one.result(4) for one in waiting]:
        assert answered.states == (False, "payment", "open", "unpaid")
        assert 1.0 <= answered.seconds < 2.5
    assert counter.asked_stripe() - asked == 1
    answered = waiting[0].result()
    assert answered.answer["checkoutSession"]["url"] == session["url"]


def test_what_is_settled_is_answered_at_once(counter: Counter) -> None:
    paid, expired = counter.order("settled"), counter.order("expired")
    counter.shop.pay(paid)
    counter.shop.expire(expired)
    for session, status in ((paid, "completed"), (expired, "expired")):
        began = time.monotonic()
        answer = counter.answer(session, 20)
        assert (answer["settled"], answer["checkoutSession"]["status"]) == (True, status)
        assert time.monotonic() - began < 1


def test_a_delayed_payment_is_answered_unpaid_and_later_paid(counter: Counter) -> None:
    stripe = counter.shop.sandbox.stripe.v1
    product = stripe.products.create({"name": "Pocket notebook"})
    price = stripe.prices.create({"product": product.id, "currency": "eur", "unit_amount": 1500})
    session = counter.order("debit", lineItems=[{"priceId": price.id, "quantity": 2}])
    waiting = counter.start(session)
    typed = {"method": "sepa_debit", "email": "ada@example.com", "name": "Ada", "iban": "AT611904300234573201"}
    assert counter.shop.sandbox.http.browser.post(session["url"], data=typed).status_code == 303
    answered = waiting.result(5)
    assert answered.states == (True, None, "completed", "unpaid")
    assert answered.answer["fulfillments"] == []
    counter.shop.wait(lambda: counter.shop.row(session["id"])["payment_status"] == "paid")
    later = counter.answer(session, 5)
    assert (later["settled"], later["checkoutSession"]["paymentStatus"]) == (True, "paid")
    assert later["fulfillments"] == [{"rule": "orders", "key": "debit", "status": "quarantined"}]  # not in dollars


def test_a_subscription_is_settled_when_its_invoice_is(counter: Counter) -> None:
    stripe = counter.shop.sandbox.stripe.v1
    product = stripe.products.create({"name": "Pro"})
    price = stripe.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 900, "recurring": {"interval": "month"}}
    )
    session = counter.order(
        "plan",
        signed_in(ADA),
        mode="subscription",
        subject=subject("user", ADA),
        lineItems=[{"priceId": price.id, "quantity": 1}],
    )
    events = counter.pay_unheard(session, 6)
    waiting = counter.start(session, wait=30, headers=signed_in(ADA))
    paying = {name: events.pop(name) for name in ("invoice.paid", "invoice.payment_succeeded")}
    for event in events.values():
        counter.deliver(event)
    assert counter.shop.row(session["id"])["status"] == "completed"
    assert still_waits(waiting)
    counter.deliver(paying["invoice.paid"])
    assert waiting.result(5).states == PAID


def test_who_may_not_read_may_not_wait(counter: Counter) -> None:
    session = counter.order("private", signed_in(ADA))
    for headers in (signed_in(BOB), GUEST):
        began = time.monotonic()
        answer = counter.read(session, 5, headers)
        assert (answer.status_code, answer.json()["error"]) == (404, "PAYMENT_NOT_FOUND")
        assert time.monotonic() - began < 1
    assert counter.read(session, 0, signed_in(ADA)).status_code == 200
    assert counter.client.get(f"{ROUTE}/{session['id']}?wait=1").status_code == 401


@pytest.mark.parametrize("wait", ["31", "-1", "1.5", "soon", ""])
def test_a_wait_that_makes_no_sense_is_a_400(counter: Counter, wait: str) -> None:
    session = {"id": "00000000-0000-4000-8000-000000000000"}
    answer = counter.read(session, wait)
    assert (answer.status_code, answer.json()["error"]) == (
        (404, "PAYMENT_NOT_FOUND") if wait == "" else (400, "INVALID_INPUT")
    )


def test_fifty_wait_on_three_connections_and_the_shop_goes_on(counter: Counter) -> None:
    sessions = [counter.order(f"crowd{n}") for n in range(5)]
    waiting = [[counter.start(session, watched=f"crowd{n}") for _ in range(10)] for n, session in enumerate(sessions)]
    assert counter.waiting() == 50
    counter.order("meanwhile")
    for session, its_waiters in zip(sessions[:4], waiting[:4], strict=True):
        counter.shop.pay(session)
        for one in its_waiters:
            answered = one.result(5)
            assert (answered.order, answered.states) == ("paid", PAID)
    assert still_waits(waiting[4][0])
    assert counter.waiting() == 10
    counter.shop.pay(sessions[4])
    assert all(one.result(5).states == PAID for one in waiting[4])
    counter.shop.wait(lambda: counter.waiting() == 0)


def test_a_client_that_leaves_is_not_waited_for(counter: Counter) -> None:
    session = counter.order("gone")
    request = (
        f"GET {ROUTE}/{session['id']}?wait=30 HTTP/1.1\r\nhost: x\r\nauthorization: {GUEST['authorization']}\r\n\r\n"
    )
    clients = [socket.create_connection(("127.0.0.1", counter.shop.server.port)) for _ in range(8)]
    for client in clients:
        client.sendall(request.encode())
    counter.shop.wait(lambda: counter.waiting() == 8)
    for client in clients:
        client.close()
    counter.shop.wait(lambda: counter.waiting() == 0)


def test_another_process_sees_it_too_and_answers_when_it_is_stopped(counter: Counter) -> None:
    with serving({**counter.shop.env, "PORT": "0"}) as other:
        there = Counter(counter.shop, other.client)
        paid, open_one = there.order("elsewhere"), there.order("stopped")
        waiting, stopped = there.start(paid, watched="elsewhere"), there.start(open_one)
        counter.shop.pay(paid)
        answered = waiting.result(5)
        assert (answered.order, answered.states) == ("paid", PAID)
        other.process.terminate()
        assert stopped.result(5).states == (False, "payment", "open", "unpaid")
