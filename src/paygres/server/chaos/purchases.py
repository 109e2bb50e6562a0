"""One-time purchases as Stripe tells them, from the card that works to the dispute that is lost."""

from collections.abc import Iterator

from paygres.server.chaos.objects import CHEAP_PRICE, DAY, Bought, Event, Shop, event
from paygres.server.chaos.scenario import Scenario

PAID = "card_purchase"
COMPLETED, LATE_MONEY = "checkout.session.completed", "checkout.session.async_payment_succeeded"


def purchases(shop: Shop) -> Iterator[Scenario]:
    """In the order in which they are reported; the first is what the others are compared with."""
    bought = Bought(shop)
    rows = (bought.row(),)
    at = shop.start
    card = _by_card(bought)
    yield Scenario(PAID, rows, (*card, _booked(bought)), twins=((1, 3), (0, 3), (0, 1)))
    told = (*card[:2], card[3], event(LATE_MONEY, at + 2, bought.session()))
    yield Scenario("money_told_by_two_events", rows, told, twins=((2, 3), (1, 3)))
    yield Scenario("declined_then_paid", rows, _declined_then_paid(bought))
    pending = _pending(bought)
    late = at + 3 * DAY
    came = (
        event("charge.succeeded", late, bought.charge()),
        event("payment_intent.succeeded", late, bought.succeeded()),
        event(LATE_MONEY, late, bought.session()),
    )
    yield Scenario("delayed_payment_succeeds", rows, (*pending, *came), outcome="paid_late", twins=((3, 4),))
    yield Scenario("delayed_payment_pending", rows, pending, outcome="unpaid")
    failed = bought.intent(last_payment_error={"code": "payment_method_provider_decline"})
    gone = (
        event("payment_intent.payment_failed", late, failed),
        event("checkout.session.async_payment_failed", late, bought.session(payment_status="unpaid")),
    )
    yield Scenario("delayed_payment_fails", rows, (*pending, *gone), outcome="unpaid")
    free = bought.session(payment_status="no_payment_required", amount_total=0, payment_intent=None)
    yield Scenario("nothing_to_pay", rows, (event(COMPLETED, at, free),), outcome="free")
    expired = event(
        "checkout.session.expired",
        at + DAY,
        bought.session(status="expired", payment_status="unpaid", payment_intent=None, customer_details=None),
    )
    yield Scenario("abandoned", rows, (expired,), outcome="unpaid")
    yield Scenario("declined_and_abandoned", rows, (*_declined(bought), expired), outcome="unpaid")
    short = (*card[:2], card[3])
    yield Scenario("partly_refunded", rows, (*short, *_refunded(bought, max(1, bought.paid * 2 // 5))), outcome="other")
    yield Scenario("refunded", rows, (*short, *_refunded(bought, bought.paid)), outcome="returned")
    yield Scenario("dispute_lost", rows, (*short, *_disputed(bought, "lost")), outcome="returned")
    yield Scenario("dispute_won", rows, (*short, *_disputed(bought, "won")), outcome="other")
    yield from _other_money(shop, bought, short)


def _other_money(shop: Shop, bought: Bought, first: tuple[Event, ...]) -> Iterator[Scenario]:
    """Metadata is the buyer's: without any, nothing can be claimed with it."""
    if not shop.metadata:
        return
    again = Bought(shop, "chaos_again", at=shop.start + 3600)
    paid_again = _by_card(again)
    yield Scenario(
        "second_payment",
        (bought.row(), again.row()),
        (*first, *paid_again[:2], paid_again[3]),
        outcome="twice",
        ordered=False,
    )
    cheap = Bought(shop, price=CHEAP_PRICE, amount=shop.cheap_amount)
    paid = _by_card(cheap)
    yield Scenario(
        "cheap_price_for_this_order", (cheap.row(),), (*paid[:2], paid[3]), outcome="mispriced", ordered=False
    )


def _by_card(bought: Bought, attempt: int = 1) -> tuple[Event, ...]:
    """The burst of one second, in the recorded order."""
    at = bought.second
    return (
        event("charge.succeeded", at, bought.charge(attempt)),
        event("payment_intent.succeeded", at, bought.succeeded(attempt)),
        event("payment_intent.created", at, bought.intent()),
        event(COMPLETED, at, bought.session()),
    )


def _booked(bought: Bought) -> Event:
    booked = bought.charge(balance_transaction=f"txn_{bought.name}")
    return event("charge.updated", bought.second + 2, booked, {"balance_transaction": None})


def _declined(bought: Bought) -> tuple[Event, ...]:
    at = bought.second
    declined = bought.charge(status="failed", captured=False, amount_captured=0, paid=False)
    waits = bought.intent(last_payment_error={"code": "card_declined"}, latest_charge=declined["id"])
    return (
        event("charge.failed", at, declined),
        event("payment_intent.payment_failed", at, waits),
        event("payment_intent.created", at, bought.intent()),
    )


def _declined_then_paid(bought: Bought) -> tuple[Event, ...]:
    second = _by_card(Bought(bought.shop, at=bought.second + 7), 2)
    return (*_declined(bought), *second[:2], second[3])


def _pending(bought: Bought) -> tuple[Event, ...]:
    at = bought.second
    return (
        event("payment_intent.processing", at, bought.intent(status="processing")),
        event(COMPLETED, at, bought.session(payment_status="unpaid")),
    )


def _refunded(bought: Bought, amount: int) -> tuple[Event, ...]:
    at = bought.second + 3600
    back = bought.charge(
        amount_refunded=amount, refunded=amount == bought.paid, balance_transaction=f"txn_{bought.name}"
    )
    return (
        event("refund.created", at, bought.refund(amount, at)),
        event("charge.refunded", at, back, {"amount_refunded": 0, "refunded": False}),
    )


def _disputed(bought: Bought, ends: str) -> tuple[Event, ...]:
    at = bought.second + DAY
    taken = bought.dispute("needs_response", at)
    return (
        event("charge.dispute.created", at, taken),
        event("charge.dispute.closed", at + DAY, {**taken, "status": ends}),
    )
