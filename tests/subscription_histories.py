"""Histories of subscriptions for tests: the purchase, renewals, changes and the end, as Stripe was recorded sending
them. Objects hold the fields projections read, with invented values."""

from typing import Any

from tests.histories import START, Event, charge, event, intent, session

DAY = 86_400
Raw = dict[str, Any]


def item(name: str, price: str = "price_m", product: str = "prod_pro", *, at: int = START) -> Raw:
    """One item of a subscription, with its period."""
    return {
        "id": f"si_{name}",
        "object": "subscription_item",
        "created": START,
        "current_period_start": at,
        "current_period_end": at + 30 * DAY,
        "metadata": {},
        "price": {"id": price, "object": "price", "product": product},
        "quantity": 1,
    }


def subscription(name: str, **changed: Any) -> Raw:
    """An active subscription with one item."""
    return {
        "id": f"sub_{name}",
        "object": "subscription",
        "status": "active",
        "customer": f"cus_{name}",
        "items": {"object": "list", "data": [item(name)], "has_more": False},
        "latest_invoice": f"in_{name}_1",
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "trial_start": None,
        "trial_end": None,
        "created": START,
        "metadata": {},
        "livemode": False,
        **changed,
    }


def invoice(name: str, number: int = 1, *, metadata: Raw | None = None, **changed: Any) -> Raw:
    """A draft invoice of a subscription."""
    return {
        "id": f"in_{name}_{number}",
        "object": "invoice",
        "status": "draft",
        "amount_due": 900,
        "amount_paid": 0,
        "attempt_count": 0,
        "attempted": False,
        "created": START,
        "currency": "usd",
        "customer": f"cus_{name}",
        "customer_email": f"{name}@example.com",
        "description": None,
        "number": None,
        "livemode": False,
        "metadata": {},
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"subscription": f"sub_{name}", "metadata": metadata or {}},
        },
        "lines": {"object": "list", "data": [_line(name)], "has_more": False},
        "status_transitions": {"finalized_at": None, "paid_at": None},
        "webhooks_delivered_at": None,
        **changed,
    }


def invoice_payment(name: str, number: int = 1, *, at: int = START) -> Raw:
    """Says which intent paid the invoice."""
    return {
        "id": f"inpay_{name}_{number}",
        "object": "invoice_payment",
        "amount_paid": 900,
        "created": at,
        "currency": "usd",
        "invoice": f"in_{name}_{number}",
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": f"pi_{name}_{number}"},
        "status": "paid",
        "status_transitions": {"paid_at": at},
    }


def billed(name: str, number: int, at: int, metadata: Raw, *, declines: int = 0, refunded: int = 0) -> list[Event]:
    """One invoice: drafted, finalized, perhaps declined, paid by an intent that nobody stamped, perhaps refunded."""
    draft = invoice(name, number, metadata=metadata, created=at)
    final = {**draft, "status": "open", "number": f"N-{number}", "status_transitions": {"finalized_at": at}}
    found = [event("invoice.created", at, draft), event("invoice.finalized", at, final)]
    pays = f"{name}_{number}"
    stamped = {"customer": f"cus_{name}", "amount": 900}
    for attempt in range(1, declines + 1):
        failed = charge(
            pays, attempt, created=at, status="failed", captured=False, amount_captured=0, paid=False, **stamped
        )
        declined = intent(pays, created=at, last_payment_error={"code": "card_declined"}, **stamped)
        tried = {**final, "attempted": True, "attempt_count": attempt}
        before = {"attempted": attempt > 1, "attempt_count": attempt - 1}
        found += [
            event("charge.failed", at, failed),
            event("payment_intent.payment_failed", at, declined),
            event("invoice.payment_failed", at, tried),
            event("invoice.updated", at, tried, before),
        ]
        at += 3 * DAY
    paid_charge = charge(pays, declines + 1, created=at, amount_captured=900, **stamped)
    done = intent(pays, created=at, status="succeeded", amount_received=900, latest_charge=paid_charge["id"], **stamped)
    paid = {
        **final,
        "status": "paid",
        "amount_paid": 900,
        "attempted": True,
        "attempt_count": declines + 1,
        "status_transitions": {"finalized_at": at, "paid_at": at},
    }
    found += [
        event("charge.succeeded", at, paid_charge),
        event("payment_intent.succeeded", at, done),
        event("invoice.paid", at, paid),
        event("invoice.payment_succeeded", at, paid),
        event("invoice_payment.paid", at + 9, invoice_payment(name, number, at=at)),
    ]
    if refunded:
        found += refund(pays, declines + 1, at + 600, refunded, paid_charge)
    return found


def refund(pays: str, attempt: int, at: int, amount: int, before: Raw, *, names_charge: bool = True) -> list[Event]:
    """A card refund as recorded: refund.created, charge.refunded, refund.updated. One may name its intent alone."""
    back = {
        "id": f"re_{pays}",
        "object": "refund",
        "amount": amount,
        "charge": f"ch_{pays}_{attempt}" if names_charge else None,
        "created": at,
        "currency": "usd",
        "description": None,
        "payment_intent": f"pi_{pays}",
        "reason": "requested_by_customer",
        "status": "pending",
    }
    counted = {**before, "amount_refunded": amount, "refunded": amount >= before["amount"]}
    return [
        event("refund.created", at, back),
        event("charge.refunded", at, counted, {"amount_refunded": 0, "refunded": False}),
        event("refund.updated", at + 1, {**back, "status": "succeeded"}, {"status": "pending"}),
    ]


def subscribed(
    name: str,
    *,
    subject: tuple[str, str] | None = None,
    at: int = START,
    renewals: int = 0,
    declines: int = 0,
    refunded: int = 0,
    ends: bool = False,
    price: str = "price_m",
    product: str = "prod_pro",
) -> list[Event]:
    """A subscription bought by checkout, renewed some times (the last time after declines), perhaps ended."""
    metadata: Raw = {}
    if subject:
        metadata = {"insforge_subject_type": subject[0], "insforge_subject_id": subject[1]}
    first = {"object": "list", "data": [item(name, price, product, at=at)], "has_more": False}
    bought = subscription(name, metadata=metadata, created=at, items=first)
    complete = session(
        name,
        mode="subscription",
        status="complete",
        payment_status="paid",
        subscription=bought["id"],
        invoice=f"in_{name}_1",
        customer=f"cus_{name}",
        customer_details={"email": f"{name}@example.com"},
        created=at - 60,
        metadata=metadata,
        url=None,
    )
    found = [
        event("checkout.session.completed", at, complete),
        event("customer.subscription.created", at, bought),
        *billed(name, 1, at, metadata, refunded=refunded),
    ]
    state = bought
    for renewal in range(1, renewals + 1):
        at += 30 * DAY
        period = {"object": "list", "data": [item(name, price, product, at=at)], "has_more": False}
        last = renewal == renewals
        after = {**state, "items": period, "latest_invoice": f"in_{name}_{renewal + 1}"}
        before = {"items": state["items"], "latest_invoice": state["latest_invoice"]}
        found.append(event("customer.subscription.updated", at, after, before))
        found += billed(name, renewal + 1, at, metadata, declines=declines if last else 0)
        state = after
    if ends:
        gone = {**state, "status": "canceled", "canceled_at": at + DAY, "ended_at": at + DAY}
        found.append(event("customer.subscription.deleted", at + DAY, gone))
    return found


def _line(name: str) -> Raw:
    return {
        "id": f"il_{name}",
        "object": "line_item",
        "amount": 900,
        "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": {"subscription": f"sub_{name}", "subscription_item": f"si_{name}"},
        },
        "pricing": {"type": "price_details", "price_details": {"price": "price_m", "product": "prod_pro"}},
        "quantity": 1,
    }
