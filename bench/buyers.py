"""Requests for checkouts by a hundred signed-in buyers, who come back: their tokens are verified once in 30 s."""

import itertools
import time
from functools import cache

import jwt
import orjson

from bench.load import post

CHECKOUT = "/api/payments/stripe/test/checkout-sessions"
JWT_SECRET = "1d0c8f5a7be94c32a6f7e8d9c0b1a293"
BUYERS = 100
_numbers = itertools.count(1)


def checkouts(count: int, *, keyed: bool) -> list[bytes]:
    """So many checkouts for different orders; `keyed` gives each an idempotency key."""
    return [_checkout(next(_numbers), keyed=keyed) for _ in range(count)]


def _checkout(number: int, *, keyed: bool) -> bytes:
    body = {
        "mode": "payment",
        "lineItems": [{"priceId": "price_1Example", "quantity": 1}],
        "successUrl": "https://shop.example.com/thanks?session_id={CHECKOUT_SESSION_ID}",
        "cancelUrl": "https://shop.example.com/cart",
        "metadata": {"order_id": f"order-{number:08d}"},
    }
    if keyed:
        body["idempotencyKey"] = f"order:order-{number:08d}"
    token = _token(number % BUYERS)
    return post(CHECKOUT, orjson.dumps(body), {"Authorization": f"Bearer {token}"})


@cache
def _token(buyer: int) -> str:
    claims = {"sub": f"buyer-{buyer:08d}", "role": "authenticated", "exp": int(time.time()) + 3600}
    return jwt.encode(claims, JWT_SECRET, algorithm="HS256")
