"""Payments and subscriptions as operators act on them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from paygres.server.db.database import Database
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("payments")


@dataclass(frozen=True, slots=True)
class Payment:
    """Amounts in minor units. `payment_intent_id` is None when several intents paid, or a charge without one."""

    status: str
    amount: int | None
    amount_refunded: int
    currency: str | None
    payment_intent_id: str | None
    charge_id: str | None
    payment_intents: list[str]


@dataclass(frozen=True, slots=True)
class Subscription:
    """`items` are {id, price, quantity}."""

    subscription_id: str
    status: str
    items: list[dict[str, Any]]
    cancel_at_period_end: bool
    cancel_at: datetime | None


async def select_payment(db: Database, environment: str, account_id: str, name: str) -> Payment | None:
    """The payment that goes by this name, or None."""
    with translated():
        row = await db.fetchrow(Q.select_payment, environment, account_id, name)
    if row is None:
        return None
    related = orjson.loads(row["related_object_ids"])
    several = related.get("payment_intents") or []
    named = name if name in several else None
    return Payment(
        row["status"],
        row["amount"],
        row["amount_refunded"],
        row["currency"],
        named if several else related.get("payment_intent"),
        None if several else related.get("charge"),
        several,
    )


async def select_subscription(
    db: Database, environment: str, account_id: str, subscription_id: str
) -> Subscription | None:
    """One mirrored subscription, or None."""
    with translated():
        row = await db.fetchrow(Q.select_subscription, environment, account_id, subscription_id)
    if row is None:
        return None
    return Subscription(
        row["subscription_id"],
        row["status"],
        orjson.loads(row["items"]),
        row["cancel_at_period_end"],
        row["cancel_at"],
    )
