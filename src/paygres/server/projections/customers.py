"""customer -> payments.customers."""

from paygres.server.projections.snapshots import StripeObject


def lifecycle(raw: StripeObject) -> tuple[int, ...]:
    """A customer has no stages; only its chain of updates orders it."""
    return ()


def row(raw: StripeObject, deleted: bool) -> tuple[str, dict[str, object]]:
    """A deleted customer keeps what was known of it (contract F12)."""
    return "customers", {
        "customer_id": raw["id"],
        "email": raw.get("email"),
        "name": raw.get("name"),
        "phone": raw.get("phone"),
        "deleted": deleted,
        "metadata": raw.get("metadata") or {},
        "created": raw.get("created"),
    }
