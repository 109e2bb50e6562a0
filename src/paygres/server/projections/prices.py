"""price -> payments.stripe_prices."""

from paygres.server.projections.snapshots import StripeObject, as_id


def lifecycle(raw: StripeObject) -> tuple[int, ...]:
    """A price has no stages; only its chain of updates orders it."""
    return ()


def row(raw: StripeObject, deleted: bool) -> tuple[str, dict[str, object]] | None:
    """Amounts in minor units; `unit_amount_decimal` stays text, it may have fractions of them."""
    if "currency" not in raw:
        return None
    recurring = raw.get("recurring") or {}
    decimal = raw.get("unit_amount_decimal")
    return "prices", {
        "price_id": raw["id"],
        "product_id": as_id(raw.get("product")),
        "active": bool(raw.get("active")),
        "currency": raw["currency"],
        "unit_amount": raw.get("unit_amount"),
        "unit_amount_decimal": None if decimal is None else str(decimal),
        "type": raw.get("type") or "one_time",
        "lookup_key": raw.get("lookup_key"),
        "billing_scheme": raw.get("billing_scheme"),
        "tax_behavior": raw.get("tax_behavior"),
        "recurring_interval": recurring.get("interval"),
        "recurring_interval_count": recurring.get("interval_count"),
        "metadata": raw.get("metadata") or {},
        "deleted": deleted,
    }
