"""The load that the original's figures were taken with, in our own words: small events of ten types, compact JSON, sent
step by step for seventy buyers at a time, so that no two events of one buyer are in flight together."""

import itertools
import time
from typing import Any

import orjson

from bench.events import delivery
from tests.histories import Event, charge, customer, event, intent, session
from tests.subscription_histories import invoice, subscription

BUYERS = 70
TYPES = 10
_numbers = itertools.count(1)


def mixed(count: int) -> list[bytes]:
    """About `count` signed events of buyers nobody has seen: whole blocks, at least one."""
    blocks = max(1, round(count / (BUYERS * TYPES)))
    return [delivery(orjson.dumps(told)) for _ in range(blocks) for told in _block()]


def _block() -> list[Event]:
    buyers = [_buyer(f"mix{next(_numbers):07d}") for _ in range(BUYERS)]
    return [told for step in zip(*buyers, strict=True) for told in step]


def _buyer(name: str) -> list[Event]:
    """Buys once, subscribes, is renamed, refunded in part, and leaves."""
    at = int(time.time()) - 1000
    team: dict[str, Any] = {
        "metadata": {
            "insforge_checkout_mode": "payment",
            "insforge_subject_type": "team",
            "insforge_subject_id": f"team_{name}",
        },
        "customer": f"cus_{name}",
    }
    person = customer(name, created=at, name="Load")
    paid = session(
        name,
        status="complete",
        payment_status="paid",
        payment_intent=f"pi_{name}",
        customer_details={"email": person["email"]},
        created=at,
        url=None,
        **team,
    )
    money = intent(name, status="succeeded", amount_received=2500, latest_charge=f"ch_{name}_1", created=at, **team)
    plan = subscription(name, created=at, **team)
    billed = invoice(
        name,
        metadata=team["metadata"],
        status="paid",
        amount_paid=900,
        number=name,
        created=at,
        status_transitions={"finalized_at": at, "paid_at": at + 1},
    )
    refunded = charge(name, amount_refunded=500, created=at, customer=person["id"])
    refund = {
        "id": f"re_{name}",
        "object": "refund",
        "amount": 500,
        "charge": refunded["id"],
        "created": at + 5,
        "currency": "usd",
        "metadata": {},
        "payment_intent": money["id"],
        "reason": "requested_by_customer",
        "status": "succeeded",
    }
    leaving = {"cancel_at_period_end": True}
    return [
        event("customer.created", at, person),
        event("checkout.session.completed", at + 1, paid),
        event("payment_intent.succeeded", at + 2, money),
        event("customer.subscription.created", at + 3, plan),
        event("invoice.paid", at + 4, billed),
        event("customer.subscription.updated", at + 5, {**plan, **leaving}, {"cancel_at_period_end": False}),
        event("customer.updated", at + 6, {**person, "name": "Renamed"}, {"name": person["name"]}),
        event("charge.refunded", at + 7, refunded, {"amount_refunded": 0}),
        event("refund.created", at + 8, refund),
        event("customer.subscription.deleted", at + 9, {**plan, "status": "canceled", "canceled_at": at + 9}),
    ]
