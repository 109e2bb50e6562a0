"""The events we read: which object each carries. The endpoint's subscription is derived from this table.

To add an event of a known object: one line here and one fixture in tests/projections/events/.
"""

from typing import Any, NamedTuple

from paygres.server.projections.objects import KINDS, Kind
from paygres.server.projections.snapshots import Snapshot, StripeObject, Unreadable

# Object by object: the events whose payload is that object.
_EVENTS_OF = {
    "checkout.session": ("completed", "async_payment_succeeded", "async_payment_failed", "expired"),
    "payment_intent": (
        "created",
        "processing",
        "requires_action",
        "amount_capturable_updated",
        "partially_funded",
        "payment_failed",
        "canceled",
        "succeeded",
    ),
    "charge": ("pending", "succeeded", "failed", "captured", "expired", "updated", "refunded"),
    "refund": ("created", "updated", "failed"),
    "charge.dispute": ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated"),
    "customer": ("created", "updated", "deleted"),
    "customer.subscription": ("created", "updated", "deleted", "paused", "resumed", "trial_will_end"),
    "invoice": (
        "created",
        "finalized",
        "updated",
        "paid",
        "payment_succeeded",
        "payment_failed",
        "payment_action_required",
        "voided",
        "marked_uncollectible",
        "deleted",
    ),
    "invoice_payment": ("paid",),
    "product": ("created", "updated", "deleted"),
    "price": ("created", "updated", "deleted"),
}
_OBJECT_OF = {"charge.dispute": "dispute", "customer.subscription": "subscription"}
PROJECTED = {
    f"{family}.{happened}": _OBJECT_OF.get(family, family)
    for family, happenings in _EVENTS_OF.items()
    for happened in happenings
}

# Subscribed and kept in the ledger as `ignored`, so that nothing is missing when their projections arrive.
RECORDED = (
    "payout.canceled",
    "payout.created",
    "payout.failed",
    "payout.paid",
    "payout.updated",
    "radar.early_fraud_warning.created",
)

EVENT_TYPES = tuple(sorted((*PROJECTED, *RECORDED)))


class Event(NamedTuple):
    """A verified Stripe event. `created` is in Unix seconds."""

    id: str
    type: str
    created: int
    livemode: bool
    account: str | None
    object_type: str
    object_id: str
    raw: StripeObject
    previous_attributes: StripeObject | None
    api_version: str | None = None

    @property
    def kind(self) -> Kind | None:
        """How its object is projected; None for events that are only recorded."""
        wanted = PROJECTED.get(self.type)
        return KINDS[wanted] if wanted is not None and wanted == self.object_type else None

    def snapshot(self) -> Snapshot:
        """The object as this event tells it."""
        return Snapshot(
            self.object_type,
            self.object_id,
            self.created,
            "event",
            self.raw,
            self.id,
            self.type,
            self.previous_attributes,
            self.api_version,
        )


def read_event(body: Any) -> Event:
    """Parse a snapshot event; Unreadable says what is missing (thin events carry no object)."""
    if not isinstance(body, dict) or body.get("object") != "event":
        raise Unreadable("not a Stripe snapshot event (object must be 'event')")
    contents = body.get("data")
    raw = contents.get("object") if isinstance(contents, dict) else None
    if not isinstance(raw, dict):
        raise Unreadable("the event carries no data.object")
    previous = contents.get("previous_attributes") if isinstance(contents, dict) else None
    created = body.get("created")
    event_id, event_type = body.get("id"), body.get("type")
    if not isinstance(event_id, str) or not event_id or not isinstance(event_type, str) or not event_type:
        raise Unreadable("the event has no id or no type")
    if not isinstance(created, int) or not 0 <= created < 2**40:
        raise Unreadable("the event has no readable created time")
    account = body.get("account")
    return Event(
        id=event_id,
        type=event_type,
        created=created,
        livemode=body.get("livemode") is True,
        account=account if isinstance(account, str) else None,
        object_type=str(raw.get("object") or event_type.rsplit(".", 1)[0]),
        object_id=str(raw.get("id") or event_id),
        raw=raw,
        previous_attributes=previous if isinstance(previous, dict) else None,
        api_version=version if isinstance(version := body.get("api_version"), str) else None,
    )


def snapshot_of(stored: StripeObject) -> Snapshot:
    """A row of the ledger ({source, as_of, payload}) as a snapshot to weigh."""
    if stored["source"] == "event":
        return read_event(stored["payload"]).snapshot()
    raw = stored["payload"]
    return Snapshot(str(raw.get("object")), str(raw.get("id")), stored["as_of"], "api", raw)
