"""Subscriptions as Stripe tells them: the first invoice, a renewal, a failed one, the end."""

from collections.abc import Iterator
from typing import Any

from paygres.server.chaos.objects import DAY, Bought, Event, Raw, Shop, event
from paygres.server.chaos.scenario import Scenario

SUBSCRIBED = "subscribed"
_MONTH = 30 * DAY


def plans(shop: Shop) -> Iterator[Scenario]:
    """In the order in which they are reported; the first is what the others are compared with. The month that was paid
    last is the current one, so that access which ends by the clock has not ended."""
    at = shop.start + _MONTH
    plan = _Plan(shop, at)
    bought = plan.bought
    rows = (bought.row(),)
    complete = event("checkout.session.completed", at, bought.session(subscription=plan.id, invoice="in_chaos_1"))
    first = (complete, event("customer.subscription.created", at, plan.subscription()), *plan.billed(1, at))
    # 0 completed, 1 created, 2 charge, 3 intent, 4 paid, 5 payment_succeeded, 6 invoice_payment
    twins = ((4, 5), (0, 4), (0, 5), (0, 1), (3, 4), (1, 4))
    yield Scenario(SUBSCRIBED, rows, first, twins=twins, family="plan")
    yield _renewed(shop)
    late = plan.subscription(status="past_due", latest_invoice="in_chaos_2")
    due = (
        event("customer.subscription.updated", at + 9, late, {"status": "active", "latest_invoice": "in_chaos_1"}),
        event("invoice.payment_failed", at + 9, plan.invoice(2, at + 9, attempted=True, attempt_count=1)),
    )
    yield Scenario("renewal_fails", rows, (*first[:2], *first[4:6], *due), outcome="other", family="plan")
    gone = plan.subscription(status="canceled", canceled_at=at + 60, ended_at=at + 60)
    ended = event("customer.subscription.deleted", at + 60, gone)
    yield Scenario("canceled", rows, (*first[:2], *first[4:6], ended), outcome="returned", family="plan")
    incomplete = plan.subscription(status="incomplete")
    expired = plan.subscription(status="incomplete_expired", ended_at=at + DAY)
    never = (
        event("customer.subscription.created", at, incomplete),
        event("invoice.payment_failed", at, plan.invoice(1, at, attempted=True, attempt_count=1)),
        event("customer.subscription.updated", at + DAY, expired, {"status": "incomplete"}),
        event(
            "checkout.session.expired",
            at + DAY,
            bought.session(status="expired", payment_status="unpaid", subscription=None),
        ),
    )
    yield Scenario("first_payment_fails", rows, never, outcome="unpaid", family="plan")


def _renewed(shop: Shop) -> Scenario:
    at = shop.start
    plan = _Plan(shop, at)
    complete = event("checkout.session.completed", at, plan.bought.session(subscription=plan.id, invoice="in_chaos_1"))
    start = plan.subscription()
    after = plan.subscription(at + _MONTH, latest_invoice="in_chaos_2")
    paid_first, paid_second = plan.billed(1, at), plan.billed(2, at + _MONTH)
    events = (
        complete,
        event("customer.subscription.created", at, start),
        paid_first[2],
        paid_first[3],
        event(
            "customer.subscription.updated",
            at + _MONTH,
            after,
            {"items": start["items"], "latest_invoice": "in_chaos_1"},
        ),
        paid_second[2],
        paid_second[3],
    )
    return Scenario("renewed", (plan.bought.row(),), events, outcome="other", twins=((5, 6),), family="plan")


class _Plan:
    """One subscription that began at `at`."""

    id = "sub_chaos"

    def __init__(self, shop: Shop, at: int) -> None:
        self.bought = Bought(shop, mode="subscription", price=shop.plan, amount=shop.plan_amount, at=at)
        self.at = at

    def subscription(self, period: int | None = None, **changed: Any) -> Raw:
        """Active, in the month that begins at `period`."""
        begins = self.at if period is None else period
        item: Raw = {
            "id": "si_chaos",
            "object": "subscription_item",
            "created": self.at,
            "current_period_start": begins,
            "current_period_end": begins + _MONTH,
            "metadata": {},
            "price": {"id": self.bought.price, "object": "price", "product": "prod_chaos"},
            "quantity": 1,
        }
        return {
            "id": self.id,
            "object": "subscription",
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "created": self.at,
            "customer": self.bought.customer,
            "items": {"object": "list", "data": [item], "has_more": False},
            "latest_invoice": "in_chaos_1",
            "livemode": False,
            "metadata": self.bought.stamped(),
            "status": "active",
            "trial_end": None,
            "trial_start": None,
            **changed,
        }

    def invoice(self, number: int, at: int, **changed: Any) -> Raw:
        """Finalized, to be paid."""
        line: Raw = {
            "id": f"il_chaos_{number}",
            "object": "line_item",
            "amount": self.bought.paid,
            "parent": {
                "type": "subscription_item_details",
                "subscription_item_details": {"subscription": self.id, "subscription_item": "si_chaos"},
            },
            "pricing": {
                "type": "price_details",
                "price_details": {"price": self.bought.price, "product": "prod_chaos"},
            },
            "quantity": 1,
        }
        return {
            "id": f"in_chaos_{number}",
            "object": "invoice",
            "amount_due": self.bought.paid,
            "amount_paid": 0,
            "attempt_count": 0,
            "attempted": False,
            "billing_reason": "subscription_create" if number == 1 else "subscription_cycle",
            "created": at,
            "currency": self.bought.shop.currency,
            "customer": self.bought.customer,
            "customer_email": "buyer@example.com",
            "description": None,
            "lines": {"object": "list", "data": [line], "has_more": False},
            "livemode": False,
            "metadata": {},
            "number": f"CHAOS-{number}",
            "parent": {
                "type": "subscription_details",
                "subscription_details": {"subscription": self.id, "metadata": self.bought.stamped()},
            },
            "status": "open",
            "status_transitions": {"finalized_at": at, "paid_at": None},
            "subtotal": self.bought.paid,
            "total": self.bought.paid,
            "webhooks_delivered_at": None,
            **changed,
        }

    def billed(self, number: int, at: int) -> tuple[Event, ...]:
        """An invoice that is paid; its intent carries no stamp of ours."""
        intent, charge = f"pi_chaos_{number}", f"ch_chaos_{number}"
        own: Raw = {"metadata": {}, "created": at}
        paid = self.invoice(
            number,
            at,
            status="paid",
            amount_paid=self.bought.paid,
            attempted=True,
            attempt_count=1,
            status_transitions={"finalized_at": at, "paid_at": at},
        )
        done = self.bought.succeeded()
        joins: Raw = {
            "id": f"inpay_chaos_{number}",
            "object": "invoice_payment",
            "amount_paid": self.bought.paid,
            "created": at,
            "currency": self.bought.shop.currency,
            "invoice": paid["id"],
            "livemode": False,
            "payment": {"type": "payment_intent", "payment_intent": intent},
            "status": "paid",
            "status_transitions": {"paid_at": at},
        }
        return (
            event("charge.succeeded", at, self.bought.charge(id=charge, payment_intent=intent, **own)),
            event("payment_intent.succeeded", at, {**done, "id": intent, "latest_charge": charge, **own}),
            event("invoice.paid", at, paid),
            event("invoice.payment_succeeded", at, paid),
            event("invoice_payment.paid", at + 9, joins),
        )
