"""subscription -> payments.stripe_subscriptions and its items."""

from paygres.server.projections.snapshots import StripeObject, Unreadable, as_id
from paygres.server.projections.subjects import subject

ENDED = ("canceled", "incomplete_expired")


def lifecycle(raw: StripeObject) -> tuple[int, ...]:
    """An ended subscription never comes back (contract F3); the other states may follow each other in any order."""
    return (int(raw.get("status") in ENDED),)


def check(raw: StripeObject) -> None:
    """Since basil (2025-03-31) the billing period is the items'; an older rendering has it nowhere we read."""
    for item in _items(raw):
        if "current_period_end" not in item:
            raise Unreadable("subscription items without current_period_end: rendered by an API version before basil")


def truncated(raw: StripeObject) -> bool:
    """Events carry at most ten items; the rest must be read."""
    return bool((raw.get("items") or {}).get("has_more"))


def completes(newest: StripeObject, other: StripeObject) -> bool:
    """The newest telling lacks items, and this one has them all."""
    return truncated(newest) and not truncated(other)


def row(raw: StripeObject, deleted: bool) -> tuple[str, dict[str, object]] | None:
    """Times in Unix seconds; the period spans all items. `complete` is false when more items exist than are here."""
    customer = as_id(raw.get("customer"))
    if customer is None:
        return None
    items = _items(raw)
    whose = subject(raw) or (None, None)
    return "subscriptions", {
        "subscription_id": raw["id"],
        "customer_id": customer,
        "subject_type": whose[0],
        "subject_id": whose[1],
        # gone at Stripe without having ended, as with all test data
        "status": "canceled" if deleted and raw["status"] not in ENDED else raw["status"],
        "current_period_start": min((i["current_period_start"] for i in items), default=None),
        "current_period_end": max((i["current_period_end"] for i in items), default=None),
        "cancel_at_period_end": bool(raw.get("cancel_at_period_end")),
        "cancel_at": raw.get("cancel_at"),
        "canceled_at": raw.get("canceled_at"),
        "trial_start": raw.get("trial_start"),
        "trial_end": raw.get("trial_end"),
        "latest_invoice_id": as_id(raw.get("latest_invoice")),
        "metadata": raw.get("metadata") or {},
        "created": raw.get("created"),
        "complete": not truncated(raw),
        "items": [_item(item) for item in items],
    }


def _items(raw: StripeObject) -> list[StripeObject]:
    return (raw.get("items") or {}).get("data") or []


def _item(item: StripeObject) -> dict[str, object]:
    price = item.get("price") or {}
    return {
        "subscription_item_id": item["id"],
        "product_id": as_id(price.get("product")),
        "price_id": price.get("id"),
        "quantity": item.get("quantity"),
        "metadata": item.get("metadata") or {},
        "raw": item,
    }
