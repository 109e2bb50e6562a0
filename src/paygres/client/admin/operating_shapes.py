"""What operators do at Stripe and here: refunds, changes of subscriptions, mappings, notices. Amounts: minor units."""

from datetime import datetime
from typing import Any

from paygres.client.shapes import Told


class Refund(Told, frozen=True):
    """Refund."""

    refund_id: str
    status: str
    amount: int
    currency: str
    payment_intent_id: str | None
    charge_id: str | None


class RefundAnswer(Told, frozen=True):
    """Refund."""

    refund: Refund


class ChangedItem(Told, frozen=True):
    """Changed item."""

    subscription_item_id: str
    price_id: str | None
    quantity: int | None


class ChangedSubscription(Told, frozen=True):
    """Changed subscription."""

    subscription_id: str
    status: str
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    items: list[ChangedItem]


class ChangedSubscriptionAnswer(Told, frozen=True):
    """Changed subscription."""

    subscription: ChangedSubscription


class PreviewLine(Told, frozen=True):
    """Preview line."""

    description: str | None
    amount: int
    proration: bool
    price_id: str | None
    quantity: int | None


class Preview(Told, frozen=True):
    """`proration_date` in Unix seconds: send it with the change to make it cost the same."""

    amount_due: int
    total: int
    currency: str
    proration_date: int | None
    lines: list[PreviewLine]


class PreviewAnswer(Told, frozen=True):
    """Preview."""

    preview: Preview


class CustomerMapping(Told, frozen=True):
    """`set_by` is operator or payment; `evidence` the session, subscription or invoice that proved it."""

    subject_type: str
    subject_id: str
    customer_id: str
    customer_email: str | None
    set_by: str
    evidence: str | None
    created_at: datetime


class MappingsAnswer(Told, frozen=True):
    """Mappings."""

    mappings: list[CustomerMapping]
    next_cursor: str | None


class MappingName(Told, frozen=True):
    """Mapping name."""

    subject_type: str
    subject_id: str
    customer_id: str | None


class MappingAnswer(Told, frozen=True):
    """Mapping."""

    mapping: MappingName


class Notice(Told, frozen=True):
    """Notice."""

    id: str
    reason: str
    object_type: str
    object_id: str
    subject_type: str | None
    subject_id: str | None
    message: str
    details: dict[str, Any]
    opened_at: datetime
    closed_at: datetime | None


class AttentionAnswer(Told, frozen=True):
    """Attention."""

    attention: list[Notice]
    next_cursor: str | None


class DismissedAnswer(Told, frozen=True):
    """Dismissed."""

    id: str
    dismissed: bool
