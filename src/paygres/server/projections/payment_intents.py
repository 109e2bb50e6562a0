"""payment_intent: how it ages and what it says about its payment; its row is the transaction."""

from paygres.server.projections.snapshots import Snapshot, StripeObject


def lifecycle(raw: StripeObject) -> tuple[int, ...]:
    """succeeded and canceled are final, requires_capture precedes only those; received money only grows.
    Between the earlier states an intent goes back and forth, so nothing is said about their order."""
    status = raw.get("status")
    final = 2 if status in ("succeeded", "canceled") else 1 if status == "requires_capture" else 0
    return (final, int(raw.get("amount_received") or 0))


def payment_keys(raw: StripeObject) -> tuple[str, ...]:
    """An intent is the payment, unless it pays an invoice."""
    return (raw["id"],)


def failed(raw: StripeObject) -> bool:
    """The newest attempt was declined, or the intent was given up."""
    status = raw.get("status")
    return status == "canceled" or (
        status in ("requires_payment_method", "requires_confirmation") and raw.get("last_payment_error") is not None
    )


def attempted(raw: StripeObject) -> bool:
    """Somebody tried to pay: an intent that only waits for a payment method is not a transaction yet."""
    return raw.get("status") not in ("requires_payment_method", "requires_confirmation") or failed(raw)


def marks(snapshot: Snapshot) -> dict[str, int]:
    """When this snapshot says the money came or did not come."""
    if snapshot.raw.get("status") == "succeeded":
        return {"paid_at": snapshot.as_of}
    return {"failed_at": snapshot.failed_by} if failed(snapshot.raw) else {}


def row(raw: StripeObject, deleted: bool) -> None:
    """No table of its own."""
