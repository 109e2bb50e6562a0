"""checkout.session -> the row of the checkout it belongs to, and the customer it proves."""

import uuid

from paygres.server.projections.snapshots import Snapshot, StripeObject, as_id

_STATUS = {"open": "open", "complete": "completed", "expired": "expired"}
_PAID = ("paid", "no_payment_required")


def lifecycle(raw: StripeObject) -> tuple[int, ...]:
    """open before complete or expired; unpaid before paid."""
    return (
        int(raw.get("status") in ("complete", "expired")),
        int(raw.get("payment_status") in _PAID),
        int(raw.get("payment_intent") is not None),
    )


def payment_key(raw: StripeObject) -> str | None:
    """A completed session in payment mode is about its intent; one that cost nothing is its own payment."""
    if raw.get("mode") != "payment" or raw.get("status") != "complete":
        return None
    return as_id(raw.get("payment_intent")) or raw["id"]


def marks(snapshot: Snapshot) -> dict[str, int]:
    """Paid when complete and not unpaid (contract F6, F16); a failed delayed payment names its own event."""
    if snapshot.event_type == "checkout.session.async_payment_failed":
        return {"failed_at": snapshot.as_of}
    raw = snapshot.raw
    if raw.get("status") == "complete" and raw.get("payment_status") in _PAID:
        return {"paid_at": snapshot.as_of}
    return {}


def row(raw: StripeObject, deleted: bool) -> tuple[str, dict[str, object]]:
    """The columns Stripe decides; `row_id` finds a row that never learned its cs_ id (contract F24)."""
    payment_status = raw.get("payment_status")
    return "checkout_sessions", {
        "row_id": row_id(raw),
        "checkout_session_id": raw["id"],
        "status": _STATUS.get(raw.get("status") or "", "open"),
        "payment_status": payment_status if payment_status in (*_PAID, "unpaid") else None,
        "customer_id": as_id(raw.get("customer")),
        "payment_intent_id": as_id(raw.get("payment_intent")),
        "subscription_id": as_id(raw.get("subscription")),
        "url": raw.get("url"),
        "currency": raw.get("currency"),
        "amount_subtotal": raw.get("amount_subtotal"),
        "expires_at": raw.get("expires_at"),
    }


def row_id(raw: StripeObject) -> str | None:
    """Our row's id as we stamped it, or None when the session was not made here."""
    stamped = (raw.get("metadata") or {}).get("insforge_checkout_session_id") or raw.get("client_reference_id")
    try:
        return str(uuid.UUID(stamped)) if stamped else None
    except (ValueError, AttributeError, TypeError):
        return None


def subject(raw: StripeObject) -> tuple[str, str] | None:
    """The billing subject stamped into an object's metadata, or None."""
    metadata = raw.get("metadata") or {}
    kind, ident = metadata.get("insforge_subject_type"), metadata.get("insforge_subject_id")
    return (kind, ident) if kind and ident else None


def mapping(raw: StripeObject) -> dict[str, object] | None:
    """A completed session proves that its subject pays as its customer (decision 13)."""
    whose, customer = subject(raw), as_id(raw.get("customer"))
    if whose is None or customer is None or raw.get("status") != "complete":
        return None
    return {
        "subject_type": whose[0],
        "subject_id": whose[1],
        "customer_id": customer,
        "since": raw.get("created") or 0,
        "checkout_session_id": raw["id"],
    }
