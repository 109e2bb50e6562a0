"""product -> payments.stripe_products."""

from paygres.server.projections.snapshots import StripeObject, as_id


def lifecycle(raw: StripeObject) -> tuple[int, ...]:
    """A product has no stages; `updated` is Stripe's own clock of it."""
    return (int(raw.get("updated") or 0),)


def row(raw: StripeObject, deleted: bool) -> tuple[str, dict[str, object]] | None:
    """A bare tombstone of a product never seen has no name to store and no row."""
    if "name" not in raw:
        return None
    return "products", {
        "product_id": raw["id"],
        "name": raw["name"],
        "description": raw.get("description"),
        "active": bool(raw.get("active")),
        "default_price_id": as_id(raw.get("default_price")),
        "metadata": raw.get("metadata") or {},
        "deleted": deleted,
    }
