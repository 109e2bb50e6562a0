"""invoice_payment: says which payment intent pays which invoice; it has no row of its own."""

from paygres.server.projections.invoices import Link, payment_links
from paygres.server.projections.snapshots import Snapshot, StripeObject, as_id


def lifecycle(raw: StripeObject) -> tuple[int, ...]:
    """open, then paid or canceled."""
    return (int(raw.get("status") in ("paid", "canceled")), int(raw.get("amount_paid") or 0))


def payment_keys(raw: StripeObject) -> tuple[str, ...]:
    """The invoice's, and the intent's, which become one."""
    invoice = as_id(raw.get("invoice"))
    intents = (str(link["payment_intent_id"]) for link in links(raw))
    return (invoice, *intents) if invoice else ()


def links(raw: StripeObject) -> list[Link]:
    return payment_links(raw)


def marks(snapshot: Snapshot) -> dict[str, int]:
    paid_at = (snapshot.raw.get("status_transitions") or {}).get("paid_at")
    return {"paid_at": int(paid_at)} if snapshot.raw.get("status") == "paid" and paid_at else {}


def row(raw: StripeObject, deleted: bool) -> None:
    """No table of its own."""
