"""dispute: how it ages, what money it takes, and what an operator must know of it."""

from paygres.server.projections.snapshots import StripeObject, as_id

# Inquiries (warning_*) move no money (decision 18).
_TAKEN = ("needs_response", "under_review", "lost")
_WAITING = ("needs_response", "warning_needs_response")
_CLOSED = ("won", "lost", "warning_closed", "prevented")


def lifecycle(raw: StripeObject) -> tuple[int, ...]:
    """Waiting for evidence, under review, closed."""
    status = raw.get("status") or ""
    return (2 if status in _CLOSED else 0 if status in _WAITING else 1,)


def payment_keys(raw: StripeObject) -> tuple[str, ...]:
    """The payment that is disputed."""
    key = as_id(raw.get("payment_intent")) or as_id(raw.get("charge"))
    return (key,) if key else ()


def taken(raw: StripeObject) -> int:
    """Minor units that are gone for now, or for good."""
    return int(raw.get("amount") or 0) if raw.get("status") in _TAKEN else 0


def lost(raw: StripeObject) -> int:
    """Minor units that are gone for good."""
    return int(raw.get("amount") or 0) if raw.get("status") == "lost" else 0


def attention(raw: StripeObject) -> dict[str, object]:
    """Open while Stripe waits for evidence."""
    due = (raw.get("evidence_details") or {}).get("due_by")
    return {
        "reason": "dispute",
        "object_type": "dispute",
        "object_id": raw["id"],
        "open": raw.get("status") in _WAITING,
        "message": "A buyer disputes this payment; answer it in the Stripe dashboard before evidence is due.",
        "details": {
            "charge": as_id(raw.get("charge")),
            "amount": raw.get("amount"),
            "currency": raw.get("currency"),
            "dispute_reason": raw.get("reason"),
            "due_by": due,
        },
    }


def row(raw: StripeObject, deleted: bool) -> None:
    """No table of its own."""
