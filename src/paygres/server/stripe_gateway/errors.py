"""Stripe's failures in our words: translated once, here, from plain facts. Never a key in a message.

What the classes tell a flow that must decide whether its row is dead:
`Upstream(definite=True)` and `Card` mean Stripe surely did nothing; `Upstream(definite=False)` and `Unavailable`
mean the same request, with the same idempotency key, has to be sent again. So does `RateLimit`, unless nobody wants
what was asked for any more and it is `definite`.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from paygres.server import errors
from paygres.server.stripe_gateway.keys import mask_secrets, missing_permission

NO_ANSWER = "Stripe request failed"

_PRICE = re.compile(r"line_items\[(\d+)\]\[price\]")
_CHECK_KEY = (
    "Stripe refused the key of this environment. Set a valid one with PUT "
    "/api/payments/stripe/{environment}/config; a restricted key needs the permissions the message names."
)
_GRANT = (
    "Give the restricted key of this environment the permission `{permission}` in the Stripe dashboard, under "
    "Developers, API keys. The key stays the same: it need not be set again."
)


def unreachable(reason: str) -> errors.Upstream:
    """No answer: refused, reset, timed out. Stripe may or may not have acted."""
    return errors.Upstream(f"{NO_ANSWER}: {mask_secrets(reason)}", definite=False)


def not_stripe(status: int) -> errors.Upstream:
    """An answer that is not in Stripe's shape: a proxy, or a wrong `STRIPE_API_BASE`."""
    return errors.Upstream(
        f"{NO_ANSWER}: HTTP {status} with a body that is not Stripe's",
        definite=False,
        next_actions="Check STRIPE_API_BASE and any proxy between this server and Stripe.",
    )


def refused(status: int, fault: Mapping[str, Any], retry_after: str | None = None) -> errors.PaygresError:
    """What to raise for Stripe's answer with HTTP `status` and error object `fault` (contract 1.7, 0.2)."""
    message = mask_secrets(str(fault.get("message") or NO_ANSWER))
    code, kind = fault.get("code"), fault.get("type")
    if status == 429 or (status == 400 and code == "rate_limit"):
        limited = errors.RateLimit(message, retry_after=seconds(retry_after))
        limited.named = retry_after is not None
        return limited
    if status in (401, 403):
        permission = missing_permission(message) if status == 403 else None
        then = _GRANT.format(permission=permission) if permission else _CHECK_KEY
        return errors.Upstream(message, definite=True, code="PAYMENT_CONFIG_INVALID", next_actions=then)
    if status == 409 and code == "idempotency_key_in_use":
        return errors.Unavailable(
            "The same request is still running at Stripe; send it again in a moment", retry_after=1
        )
    if status == 409:
        return errors.Upstream(message, definite=False, status=409)
    if status == 402:
        return errors.Card(message)
    if 400 <= status < 500:
        if kind == "idempotency_error":
            return errors.Upstream(message, definite=True, status=400)
        return errors.Upstream(_explained(message, fault), definite=True, status=status)
    return errors.Upstream(message, definite=False, status=status if 500 <= status < 600 else 502)


def seconds(retry_after: str | None) -> int:
    """Whole seconds of a Retry-After header, 1 to 60; 1 when it is absent or a date."""
    try:
        return min(60, max(1, math.ceil(float(retry_after or 1))))
    except (ValueError, OverflowError):
        return 1


def _explained(message: str, fault: Mapping[str, Any]) -> str:
    """Stripe's text, and behind it what to do when the fault is a price that cannot be sold (F42)."""
    lower = message.lower()
    found = _PRICE.search(str(fault.get("param") or ""))
    item = f"lineItems.{found.group(1)}.priceId" if found else "the price"
    if fault.get("code") == "resource_missing" and "no such price" in lower:
        hint = f"{item} must name a price of the connected Stripe account in this environment"
    elif "inactive" in lower and ("price" in lower or "product" in lower):
        hint = f"{item} is archived in Stripe: activate it, or sell another price"
    elif "mode" in lower and ("recurring" in lower or "one-time" in lower or "one_time" in lower):
        hint = "mode `subscription` sells recurring prices (at least one), mode `payment` one-time prices only"
    else:
        return message
    return f"{message.rstrip('. ')}. ({hint})"
