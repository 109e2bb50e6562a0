"""checkout.session -> the row of the checkout it belongs to, and the customer it proves."""

import uuid

from paygres.server.projections.invoices import Link
from paygres.server.projections.snapshots import Snapshot, StripeObject, as_id, within

_STATUS = {"open": "open", "complete": "completed", "expired": "expired"}
_PAID = ("paid", "no_payment_required")


def lifecycle(raw: StripeObject) -> tuple[int, ...]:
    """open before complete or expired; unpaid before paid; an intent and an invoice are never taken back."""
    return (
        int(raw.get("status") in ("complete", "expired")),
        int(raw.get("payment_status") in _PAID),
        int(raw.get("payment_intent") is not None),
        int(raw.get("invoice") is not None),
    )


def payment_keys(raw: StripeObject) -> tuple[str, ...]:
    """A completed session is about its intent, in subscription mode about its invoice; one that cost nothing in
    payment mode is its own payment, and joins its invoice's family once it has one."""
    if raw.get("status") != "complete":
        return ()
    keys = (as_id(raw.get("payment_intent")) or as_id(raw.get("invoice")), raw["id"] if cost_nothing(raw) else None)
    return tuple(key for key in keys if key)


def cost_nothing(raw: StripeObject) -> bool:
    """Nothing was to pay, so no intent was made; the session itself stands for it."""
    return raw.get("status") == "complete" and raw.get("mode") == "payment" and not raw.get("payment_intent")


def links(raw: StripeObject) -> list[Link]:
    """The invoice of a session that cost nothing: Stripe may make it after the session was completed."""
    invoice = as_id(raw.get("invoice"))
    if invoice is None or not cost_nothing(raw):
        return []
    return [{"payment_intent_id": raw["id"], "invoice_id": invoice, "invoice_payment_id": raw["id"]}]


def marks(snapshot: Snapshot) -> dict[str, int]:
    """Paid when complete and not unpaid (contract F6, F16); a failed delayed payment names its own event."""
    if snapshot.event_type == "checkout.session.async_payment_failed":
        return {"failed_at": snapshot.as_of}
    raw = snapshot.raw
    if raw.get("status") == "complete" and raw.get("payment_status") in _PAID:
        return {"paid_at": snapshot.as_of}
    return {}


def row(raw: StripeObject, deleted: bool) -> tuple[str, dict[str, object]]:
    """The columns Stripe decides; `row_id` finds a row that never learned its cs_ id (contract F24).

    One that is gone can be paid no more.
    """
    payment_status = raw.get("payment_status")
    status = _STATUS.get(raw.get("status") or "", "open")
    if deleted and status == "open":
        status = "expired"
    return "checkout_sessions", {
        "row_id": row_id(raw),
        "mode": raw.get("mode"),
        "checkout_session_id": raw["id"],
        "status": status,
        "payment_status": payment_status if payment_status in (*_PAID, "unpaid") else None,
        "customer_id": as_id(raw.get("customer")),
        "payment_intent_id": as_id(raw.get("payment_intent")),
        "subscription_id": as_id(raw.get("subscription")),
        "url": None if deleted else raw.get("url"),
        "currency": raw.get("currency"),
        "amount_subtotal": raw.get("amount_subtotal"),
        "expires_at": raw.get("expires_at"),
    }


def row_id(raw: StripeObject) -> str | None:
    """Our row's id as we stamped it, or None when the session was not made here.

    Of a Payment Link the visitor writes client_reference_id into its address.
    """
    reference = None if raw.get("payment_link") else raw.get("client_reference_id")
    stamped = within(raw, "metadata").get("insforge_checkout_session_id") or reference
    try:
        return str(uuid.UUID(stamped)) if stamped else None
    except (ValueError, AttributeError, TypeError):
        return None
