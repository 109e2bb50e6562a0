"""charge: how it ages and what it says about its payment; its row is the transaction."""

from paygres.server.projections.snapshots import Snapshot, StripeObject, as_id


def lifecycle(raw: StripeObject) -> tuple[int, ...]:
    """Settled, captured, refunded, disputed, booked: each of them only ever goes forward within a second."""
    return (
        int(raw.get("status") in ("succeeded", "failed")),
        int(raw.get("amount_captured") or 0),
        int(raw.get("amount_refunded") or 0),
        int(bool(raw.get("disputed"))),
        int(raw.get("balance_transaction") is not None),
    )


def payment_keys(raw: StripeObject) -> tuple[str, ...]:
    """A charge is an attempt of its intent; one made without an intent is its own payment."""
    return (as_id(raw.get("payment_intent")) or raw["id"],)


def marks(snapshot: Snapshot) -> dict[str, int]:
    """When the attempt succeeded or failed, and when money went back (contract F9)."""
    raw = snapshot.raw
    found: dict[str, int] = {}
    if raw.get("status") == "succeeded" and raw.get("captured") is not False:
        found["paid_at"] = snapshot.as_of
    elif raw.get("status") == "failed":
        found["failed_at"] = snapshot.failed_by
    if snapshot.event_type == "charge.refunded":
        found["refunded_at"] = snapshot.as_of
    return found


def row(raw: StripeObject, deleted: bool) -> None:
    """No table of its own."""
