"""Money that goes back in odd ways ends in one state whatever is told first: the payment's row and its refunds'."""

import random
from collections.abc import Callable, Sequence

import pytest

from tests.flows.test_money_edges import invoice, linked, refund
from tests.histories import START, Event, charge, event, intent, purchase, session
from tests.playing import Mirror, Step, times

NAME = "Q0Q"  # tests.playing gives each copy of a history a name of its own
PAYER = f"cus_{NAME}"


def failed_and_refunded_again() -> list[Event]:
    of = {"charge": f"ch_{NAME}_1", "payment_intent": f"pi_{NAME}"}
    booked = charge(NAME, balance_transaction=f"txn_{NAME}")
    full = {**booked, "amount_refunded": 2500, "refunded": True}
    first = refund(f"1{NAME}", "failed", START + 100, **of)
    return [
        *purchase(NAME),
        event("refund.created", START + 100, {**first, "status": "pending"}),
        event("charge.refunded", START + 100, full),
        event("refund.failed", START + 200, first),
        event("charge.updated", START + 200, booked, {"amount_refunded": 2500, "refunded": True}),
        event("refund.created", START + 300, refund(f"2{NAME}", "pending", START + 300, **of)),
        event("charge.refunded", START + 300, full),
        event("refund.updated", START + 400, {**first, "metadata": {"note": "x"}}, {"metadata": {"note": None}}),
    ]


def captured_in_part() -> list[Event]:
    kept = charge(NAME, amount_captured=1000)
    done = intent(NAME, status="succeeded", amount_received=1000, latest_charge=kept["id"])
    bought = session(NAME, status="complete", payment_status="unpaid", payment_intent=done["id"])
    return [
        event("checkout.session.completed", START, bought),
        event("charge.captured", START + 50, kept),
        event("payment_intent.succeeded", START + 50, done),
        event("charge.refunded", START + 90, {**kept, "amount_refunded": 1000, "refunded": True}),
    ]


def paid_twice() -> list[Event]:
    found = [event("invoice.paid", START, invoice(NAME, customer=PAYER))]
    for name, back in ((f"1{NAME}", 1000), (f"2{NAME}", 2500)):
        done = intent(name, status="succeeded", amount_received=2500, customer=PAYER)
        paid = charge(name, customer=PAYER)
        found += [
            linked(name, NAME),
            event("charge.succeeded", START, paid),
            event("payment_intent.succeeded", START, done),
            event("charge.refunded", START + 90, {**paid, "amount_refunded": back, "refunded": back == 2500}),
        ]
    return found


def told_with_its_intent_alone() -> list[Step]:
    """Stripe's refunds may name no charge; the charge counts this one all the same. The first card was declined."""
    paid = charge(NAME, 2, balance_transaction=f"txn_{NAME}")
    counted = {**paid, "amount_refunded": 1000}
    back = refund(NAME, "pending", START + 100, amount=1000, charge=None, payment_intent=f"pi_{NAME}")
    done = {**back, "status": "succeeded"}
    return [
        *purchase(NAME, declines=1),
        event("refund.created", START + 100, back),
        event("charge.refunded", START + 100, counted, {"amount_refunded": 0}),
        event("refund.updated", START + 101, done, {"status": "pending"}),
        (counted, START + 100),
        (done, START + 150),
    ]


def named_by_one_refund_of_two() -> list[Step]:
    paid = charge(NAME, balance_transaction=f"txn_{NAME}")
    of = {"charge": None, "payment_intent": f"pi_{NAME}"}
    first = refund(f"1{NAME}", "succeeded", START + 100, amount=1000, **of)
    second = refund(f"2{NAME}", "succeeded", START + 200, amount=700, **{**of, "charge": paid["id"]})
    return [
        *purchase(NAME),
        event("refund.created", START + 100, first),
        event("charge.refunded", START + 100, {**paid, "amount_refunded": 1000}),
        event("refund.created", START + 200, second),
        event("charge.refunded", START + 200, {**paid, "amount_refunded": 1700}),
        (first, START + 300),
    ]


def failed_with_its_intent_alone() -> list[Step]:
    paid = charge(NAME, balance_transaction=f"txn_{NAME}")
    full = {**paid, "amount_refunded": 2500, "refunded": True}
    back = refund(NAME, "succeeded", START + 100, charge=None, payment_intent=f"pi_{NAME}")
    failed = {**back, "status": "failed"}
    return [
        *purchase(NAME),
        event("refund.created", START + 100, back),
        event("charge.refunded", START + 100, full),
        event("refund.failed", START + 200, failed, {"status": "succeeded"}),
        (failed, START + 250),
    ]


def invoiced_for_nothing() -> list[Step]:
    """A checkout that cost nothing was its own payment until its invoice was told, here by a read."""
    free = session(NAME, status="complete", payment_status="no_payment_required", amount_total=0, url=None)
    bill = {"amount_paid": 0, "amount_due": 0, "customer": PAYER}
    return [
        event("checkout.session.completed", START, free),
        event("invoice.paid", START, invoice(NAME, **bill)),
        event("invoice.updated", START + 40, invoice(NAME, **bill, description="x"), {"description": None}),
        ({**free, "invoice": f"in_{NAME}"}, START),
    ]


@pytest.mark.parametrize(
    ("history", "end"),
    [
        (failed_and_refunded_again, ("refunded", 2500, 2500)),
        (captured_in_part, ("refunded", 1000, 1000)),
        (paid_twice, ("partially_refunded", 2500, 1000)),
        (told_with_its_intent_alone, ("partially_refunded", 2500, 1000)),
        (named_by_one_refund_of_two, ("partially_refunded", 2500, 1700)),
        (failed_with_its_intent_alone, ("succeeded", 2500, 0)),
        (invoiced_for_nothing, ("succeeded", 0, 0)),
    ],
)
def test_any_order_of_money_that_goes_back_ends_in_one_state(
    mirror: Mirror, history: Callable[[], Sequence[Step]], end: tuple[str, int, int]
) -> None:
    events = history()
    rng = random.Random(NAME)
    orders: list[list[Step]] = [[*events], [*events[::-1]]]
    for _ in range(times(30)):
        shuffled: list[Step] = [*events, *(one for one in events if rng.random() < 0.3)]
        rng.shuffle(shuffled)
        orders.append(shuffled)
    states = mirror.states_of_orders(orders)
    assert [state for state in states if state != states[0]] == []
    rows = [row for row in states[0]["transactions"] if row["type"] != "refund"]
    assert [(row["status"], row["amount"], row["amount_refunded"]) for row in rows] == [end]
