"""Purchases as bursts of signed deliveries, and the checkouts they belong to, stored beforehand."""

import hashlib
import hmac
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from bench.load import post
from bench.objects import full
from tests import histories

SECRET = "whsec_5b7c1f0e93a24d68b1c2d3e4f5a60718"
ROUTE = "/api/webhooks/stripe/test"

_SESSIONS = """
insert into payments.stripe_checkout_sessions (
    id, environment, mode, status, payment_status, success_url, cancel_url, checkout_session_id, url,
    currency, amount_subtotal, metadata, raw, caller_scope, line_items)
select r.id, 'test', 'payment', 'open', 'unpaid', r.raw ->> 'success_url', r.raw ->> 'cancel_url',
       r.raw ->> 'id', r.raw ->> 'url', 'usd', 2500, r.raw -> 'metadata', r.raw, 'guest:127.0.0.0/24',
       '[{"priceId": "price_1Example", "quantity": 1}]'
from unnest($1::uuid[], $2::jsonb[]) as r (id, raw)
"""
_READS = """
with stored as (
    insert into payments.stripe_snapshots (
        environment, account_id, object_type, object_id, as_of, source, payload)
    select 'test', '', 'checkout.session', r.raw ->> 'id', (r.raw ->> 'created')::bigint, 'api', r.raw::text
    from unnest($1::jsonb[]) as r (raw)
)
insert into payments.stripe_objects (environment, account_id, object_type, object_id, as_of, source, raw)
select 'test', '', 'checkout.session', r.raw ->> 'id', (r.raw ->> 'created')::bigint, 'api', r.raw
from unnest($1::jsonb[]) as r (raw)
"""


@dataclass(frozen=True, slots=True)
class Purchase:
    """One buyer's burst in Stripe's order: the events' JSON, and the session as it was when it was made."""

    name: str
    row_id: uuid.UUID
    session: dict[str, Any]
    events: list[bytes]


def purchase(name: str, nth: int) -> Purchase:
    """Every other buyer is signed in; one in five is refunded in part, one in ten is declined first, one in
    ten authenticates. Eight to eleven event types come of it, 2 to 5 kB each."""
    now = int(time.time()) - 120
    subject = ("user", name) if nth % 2 else None
    burst = histories.purchase(
        name,
        subject=subject,
        at=now,
        declines=int(nth % 10 == 3),
        authenticates=nth % 10 == 6,
        refunded=500 if nth % 5 == 4 else 0,
    )
    for event in burst:
        event["data"]["object"] = full(event["data"]["object"])
    paid = next(e for e in burst if e["type"] == "checkout.session.completed")["data"]["object"]
    row_id = uuid.UUID(paid["metadata"]["insforge_checkout_session_id"])
    opened = {
        **paid,
        "status": "open",
        "payment_status": "unpaid",
        "payment_intent": None,
        "customer": None,
        "customer_details": None,
        "url": f"https://pay.example.com/c/{name}",
        "created": now - 60,
    }
    return Purchase(name, row_id, opened, [_as_stripe_writes(event) for event in burst])


def completed(name: str, order_id: str) -> Purchase:
    """The one event that fulfills: a guest's paid session for `order_id` over 2500 minor units."""
    whole = purchase(name, 0)
    events = [orjson.loads(event) for event in whole.events]
    event = next(e for e in events if e["type"] == "checkout.session.completed")
    event["data"]["object"]["metadata"]["order_id"] = order_id
    return Purchase(name, whole.row_id, whole.session, [_as_stripe_writes(event)])


def _as_stripe_writes(event: dict[str, Any]) -> bytes:
    """Stripe's deliveries are indented by two."""
    return orjson.dumps(event, option=orjson.OPT_INDENT_2)


def delivery(payload: bytes) -> bytes:
    """The event as Stripe posts it, signed now (good for five minutes)."""
    now = int(time.time())
    mac = hmac.new(SECRET.encode(), b"%d." % now + payload, hashlib.sha256).hexdigest()
    return post(ROUTE, payload, {"Stripe-Signature": f"t={now},v1={mac}"})


async def keep_checkouts(superuser_url: str, purchases: Sequence[Purchase]) -> None:
    """Store what creating these checkouts has left behind: their rows and the sessions as Stripe answered."""
    connection = await asyncpg.connect(superuser_url)
    try:
        sessions = [orjson.dumps(bought.session).decode() for bought in purchases]
        await connection.execute(_SESSIONS, [bought.row_id for bought in purchases], sessions)
        await connection.execute(_READS, sessions)
    finally:
        await connection.close()
