"""Which fields of an object lists are narrowed by, and the values it has there."""

from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]

# The fields a list can be narrowed by, per kind of object. Dots lead into nested objects,
# `*` into each element of a list.
LINKS: dict[str, tuple[str, ...]] = {
    "balance_transaction": ("currency", "source", "type"),
    "billing_portal.configuration": ("active", "is_default"),
    "charge": ("customer", "payment_intent", "transfer_group"),
    "checkout.session": ("customer", "customer_details.email", "payment_intent", "subscription", "status"),
    "coupon": (),
    "customer": ("email", "test_clock"),
    "customer_balance_transaction": ("customer", "invoice"),
    "dispute": ("charge", "payment_intent"),
    "event": ("type",),
    "invoice": ("customer", "status", "parent.subscription_details.subscription", "collection_method"),
    "invoiceitem": ("customer", "invoice", "parent.subscription_details.subscription"),
    "invoice_payment": ("invoice", "status", "payment.payment_intent", "payment.type"),
    "payment_intent": ("customer",),
    "payment_method": ("customer", "type", "allow_redisplay"),
    "payout": ("status", "destination"),
    "price": ("active", "currency", "lookup_key", "product", "type", "recurring.interval", "recurring.usage_type"),
    "product": ("active", "url"),
    "promotion_code": ("active", "code", "customer", "promotion.coupon"),
    "refund": ("charge", "payment_intent"),
    "setup_intent": ("customer", "payment_method"),
    "subscription": (
        "customer",
        "status",
        "collection_method",
        "items.data.*.price.id",
        "pending_setup_intent",
        "test_clock",
    ),
    "subscription_item": ("subscription",),
}


def links_of(item: Object) -> list[tuple[str, str]]:
    """The (field, value) pairs by which lists find the object."""
    return list(_links(item))


def _links(item: Object) -> Iterator[tuple[str, str]]:
    kind = item["object"]
    for name in LINKS.get(kind, ()):
        for value in _values(item, name.split(".")):
            if isinstance(value, bool):
                yield f"{kind}.{name}", "true" if value else "false"
            elif isinstance(value, str):
                yield f"{kind}.{name}", value


def _values(value: Any, steps: list[str]) -> Iterator[Any]:
    for place, step in enumerate(steps):
        if step == "*":
            for one in value or ():
                yield from _values(one, steps[place + 1 :])
            return
        value = value.get(step) if isinstance(value, dict) else None
    yield value
