"""A key in every state its checkout can be in, asked again: never a dead URL, never two live sessions."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.flows.checkouts import SESSIONS, Shop

_names = (f"state {n}" for n in itertools.count(1))
POST = {"path": SESSIONS, "method": "POST", "count": 100}


class Order:
    """One order with one key, and what can happen to its checkout."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.name = shop, next(_names)
        self.key = f"order:{self.name}"
        self.wanted: dict[str, Any] = {"idempotencyKey": self.key, "metadata": {"order_id": self.name}}

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self.shop.rows(self.key)

    @property
    def newest(self) -> dict[str, Any]:
        return self.rows[-1]

    def live(self) -> list[str]:
        """Sessions of this order that a buyer can still pay."""
        return [one["id"] for one in self.shop.at_stripe(self.name) if one["status"] == "open"]

    # starting states

    def opened(self) -> None:
        self.shop.buy(**self.wanted)

    def paid(self) -> None:
        self.shop.pay(self.shop.buy(**self.wanted))

    def expired(self) -> None:
        self.shop.expire(self.shop.buy(**self.wanted))

    def expired_unheard(self) -> None:
        """Stripe ended it; neither its answer nor the webhook has come."""
        self.lost_answer()
        self.unheard("expire")

    def paid_unheard(self) -> None:
        self.lost_answer()
        self.unheard("pay")

    def overdue_expired(self) -> None:
        """Its time is over, and the webhook that said how it ended was lost."""
        self.opened()
        self.unheard("expire")
        self.time_is_over()

    def overdue_paid(self) -> None:
        self.opened()
        self.unheard("pay")
        self.time_is_over()

    def failed(self) -> None:
        self.faulty(answers=[{"status": 400, **POST}], expected=400)

    def no_answer(self) -> None:
        """Stripe failed before it did anything."""
        self.faulty(answers=[{"status": 500, **POST}], expected=500)

    def lost_answer(self) -> None:
        """Stripe made the session, its answer never came."""
        self.faulty(answers=[{"status": 500, "after": True, **POST}], expected=500)
        assert len(self.live()) == 1

    def killed_before_stripe(self) -> None:
        self.no_answer()
        self.still_leased()

    def killed_after_stripe(self) -> None:
        self.lost_answer()
        self.still_leased()

    def lost_answer_then_paid(self) -> None:
        self.lost_answer()
        self.shop.sim("pay", session=self.live()[0])

    def lost_answer_then_expired(self) -> None:
        self.lost_answer()
        self.shop.sim("expire", session=self.live()[0])
        self.shop.wait(lambda: self.newest["status"] == "expired")

    # how they come about

    def faulty(self, *, answers: list[dict[str, Any]], expected: int) -> None:
        self.shop.sim("faults", answers=answers)
        try:
            self.shop.refused(expected, **self.wanted)
        finally:
            self.shop.sim("faults", answers=[])

    def unheard(self, control: str) -> None:
        self.shop.sim("faults", drop=1.0)
        try:
            self.shop.sim(control, session=self.live()[0])
        finally:
            self.shop.sim("faults", drop=0.0)

    def time_is_over(self) -> None:
        self.shop.force(
            "update payments.stripe_checkout_sessions set expires_at = now() - interval '1 s'"
            f" where id = '{self.newest['id']}'"
        )

    def still_leased(self) -> None:
        """Its process is gone, the lease is not over yet."""
        self.shop.force(
            "update payments.checkout_attempts set leased_until = clock_timestamp() + interval '300 ms'"
            f" where id = '{self.newest['id']}'"
        )


SAME_SESSION = [Order.opened, Order.lost_answer, Order.killed_after_stripe]
NEW_SESSION = [
    Order.expired,
    Order.failed,
    Order.no_answer,
    Order.killed_before_stripe,
    Order.lost_answer_then_expired,
    Order.expired_unheard,
    Order.overdue_expired,
]
PAID = [Order.paid, Order.lost_answer_then_paid, Order.paid_unheard, Order.overdue_paid]


@pytest.fixture
def order(open_shop: Shop) -> Order:
    return Order(open_shop)


def refuse_another_request(order: Order) -> None:
    """Whatever the state: a 409 that makes no row. (What was unheard may be heard of meanwhile.)"""
    before = [r["id"] for r in order.rows]
    order.shop.refused(409, **order.wanted, customerEmail="someone.else@example.com")
    assert [r["id"] for r in order.rows] == before


@pytest.mark.parametrize("state", SAME_SESSION)
def test_the_session_that_stripe_has_is_given(order: Order, state: Callable[[Order], None]) -> None:
    state(order)
    refuse_another_request(order)
    (at_stripe,) = order.live()
    session = order.shop.buy(**order.wanted)
    assert (session["status"], session["checkoutSessionId"]) == ("open", at_stripe)
    assert order.live() == [at_stripe]


@pytest.mark.parametrize("state", NEW_SESSION)
def test_a_new_live_session_is_given(order: Order, state: Callable[[Order], None]) -> None:
    state(order)
    refuse_another_request(order)
    assert order.live() == []
    session = order.shop.buy(**order.wanted)
    assert (session["status"], [session["checkoutSessionId"]]) == ("open", order.live())


@pytest.mark.parametrize("state", PAID)
def test_what_is_paid_stays_sold_once(order: Order, state: Callable[[Order], None]) -> None:
    state(order)
    refuse_another_request(order)
    session = order.shop.buy(**order.wanted)
    assert (session["status"], session["paymentStatus"]) == ("completed", "paid")
    assert len(order.shop.at_stripe(order.name)) == 1


class Life(RuleBasedStateMachine):
    """Any of these, any number of times, in any order."""

    shop: Shop

    @initialize()
    def begin(self) -> None:
        self.order = Order(self.shop)
        self.paid = False

    @rule()
    def ask(self) -> None:
        session = self.shop.buy(**self.order.wanted)
        if self.paid:
            assert session["status"] == "completed"
        else:
            assert [session["checkoutSessionId"]] == self.order.live()

    @rule()
    def ask_for_something_else(self) -> None:
        if self.order.rows:
            self.shop.refused(409, **self.order.wanted, customerEmail="someone.else@example.com")

    @rule(fault=st.sampled_from(["refused key", "no answer", "lost answer"]))
    def ask_in_vain(self, fault: str) -> None:
        """Stripe does not answer well; an open or paid session is given without asking Stripe."""
        settled = bool(self.order.rows) and self.order.newest["status"] in ("open", "completed")
        status = 401 if fault == "refused key" else 500
        self.shop.sim("faults", answers=[{"status": status, "after": fault == "lost answer", **POST}])
        try:
            answer = self.shop.post(**self.order.wanted)
        finally:
            self.shop.sim("faults", answers=[])
        assert answer.status_code == (201 if settled else 502 if fault == "refused key" else 500)

    @rule(heard=st.booleans())
    def expire(self, heard: bool) -> None:
        for live in self.order.live():
            self.end("expire", live, heard)

    @rule(heard=st.booleans())
    def pay(self, heard: bool) -> None:
        for live in self.order.live():
            self.paid = True
            self.end("pay", live, heard)

    def end(self, control: str, live: str, heard: bool) -> None:
        """An open row must hear of it (its own time would be over); one that was never answered need not."""
        heard = heard or self.order.newest["status"] == "open"
        if heard:
            self.shop.sim(control, session=live)
            self.shop.wait(lambda: self.order.newest["status"] in ("expired", "completed"))
        else:
            self.order.unheard(control)

    @invariant()
    def at_most_one_live_session(self) -> None:
        if hasattr(self, "order"):
            assert len(self.order.live()) <= (0 if self.paid else 1)
            assert sum(r["status"] == "open" for r in self.order.rows) <= 1


def test_no_history_leads_to_a_dead_url_or_a_second_sale(open_shop: Shop) -> None:
    Life.shop = open_shop
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=14,
            stateful_step_count=7,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
        ),
    )
