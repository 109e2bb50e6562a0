"""refund: how it ages, and its row in payments.transactions beside the payment's own."""

from paygres.server.projections.snapshots import Snapshot, StripeObject, as_id

GIVEN_BACK, CAME_TO_NOTHING = "succeeded", ("failed", "canceled")
_STATUS = {"succeeded": "refunded", "failed": "failed", "canceled": "failed"}


def lifecycle(raw: StripeObject) -> tuple[int, ...]:
    """pending or requires_action, then succeeded, which may still fail; failed and canceled are final (contract F5)."""
    status = raw.get("status")
    return (2 if status in CAME_TO_NOTHING else 1 if status == GIVEN_BACK else 0,)


def payment_keys(raw: StripeObject) -> tuple[str, ...]:
    """The payment that is given back."""
    key = as_id(raw.get("payment_intent")) or as_id(raw.get("charge"))
    return (key,) if key else ()


def marks(snapshot: Snapshot) -> dict[str, int]:
    """When it failed; when it was made is its own `created`."""
    return {"failed_at": snapshot.failed_by} if snapshot.raw.get("status") in CAME_TO_NOTHING else {}


def transaction_of(raw: StripeObject, failed_at: int | None, payment: dict[str, object]) -> dict[str, object]:
    """The refund's row: whose it is and what it belongs to is the payment's. Amounts are positive."""
    intent, charge = as_id(raw.get("payment_intent")), as_id(raw.get("charge"))
    status = _STATUS.get(raw.get("status") or "", "pending")
    related = payment.get("related")
    of_payment = {k: v for k, v in related.items() if k != "refund"} if isinstance(related, dict) else {}
    own = {"payment_intent": intent, "charge": charge, "refund": raw["id"]}
    return {
        "object_type": "refund",
        "object_id": raw["id"],
        "raw_type": "refund",
        "raw_id": raw["id"],
        "parent_type": "payment_intent" if intent else "charge" if charge else None,
        "parent_id": intent or charge,
        "type": "refund",
        "status": status,
        "subject_type": payment.get("subject_type"),
        "subject_id": payment.get("subject_id"),
        "subject_by_customer": payment.get("subject_by_customer", False),
        "customer_id": payment.get("customer_id"),
        "email": payment.get("email"),
        "related": {**of_payment, **{k: v for k, v in own.items() if v}},
        "amount": raw.get("amount"),
        "amount_refunded": raw.get("amount"),
        "currency": raw.get("currency"),
        "description": raw.get("description") or raw.get("reason") or payment.get("description"),
        "paid_at": None,
        "failed_at": (failed_at or raw.get("created")) if status == "failed" else None,
        "refunded_at": raw.get("created") if status == "refunded" else None,
        "created": raw.get("created"),
    }


def row(raw: StripeObject, deleted: bool) -> None:
    """No table of its own."""
