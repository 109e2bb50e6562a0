"""Fulfillments, outgoing webhooks and listeners. Amounts are in minor units."""

from datetime import datetime
from typing import Any, Literal

from paygres.client.shapes import Environment, Told


class Fulfillment(Told, frozen=True):
    """`payment_key` is Stripe's id of the money. `amount` and `items` ({price id: quantity}) are what was bought, the
    expected ones what the developer's code said. `amount_kept`: paid, neither refunded nor lost in a dispute.
    """

    id: str
    environment: Environment
    rule: str
    key: str | None
    payment_key: str
    status: Literal["granted", "reversed", "quarantined", "released"]
    reason: str | None
    subject_type: str | None
    subject_id: str | None
    event_id: str
    event_type: str
    checkout_session_id: str | None
    expected_amount: int | None
    expected_currency: str | None
    expected_items: dict[str, int] | None
    amount: int | None
    currency: str | None
    items: dict[str, int] | None
    amount_paid: int
    amount_kept: int
    share_kept: float
    granted_at: datetime | None
    created_at: datetime
    updated_at: datetime


class FulfillmentAnswer(Told, frozen=True):
    """Fulfillment."""

    fulfillment: Fulfillment


class FulfillmentsPage(Told, frozen=True):
    """`next_cursor` is null on the last page."""

    fulfillments: list[Fulfillment]
    next_cursor: str | None


class ReleasedAnswer(Told, frozen=True):
    """`outcome`: the new status of its event, `queued`, or `granted` when none was needed; `error`: why that failed."""

    fulfillment: Fulfillment
    outcome: Literal["processed", "ignored", "failed", "pending", "queued", "granted"]
    error: str | None


class Destination(Told, frozen=True):
    """`after_commit`: a function in a program, named `name`. `pending`: messages still to be delivered."""

    id: str
    kind: Literal["webhook", "after_commit"]
    name: str
    url: str | None
    types: list[str]
    active: bool
    pending: int
    created_at: datetime
    updated_at: datetime


class DestinationsAnswer(Told, frozen=True):
    """Destinations."""

    destinations: list[Destination]


class DestinationAnswer(Told, frozen=True):
    """`secret` is shown when it is made, and never again."""

    destination: Destination
    secret: str | None


class DeletedDestination(Told, frozen=True):
    """Deleted destination."""

    deleted: bool


class Message(Told, frozen=True):
    """`content` is the fulfillment at that moment. `next_attempt_at` is null for one that is delivered or given up."""

    id: str
    type: str
    status: Literal["delivered", "pending", "given_up"]
    fulfillment_id: str
    attempts: int
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    last_error: str | None
    created_at: datetime
    content: dict[str, Any]


class MessagesPage(Told, frozen=True):
    """`next_cursor` is null on the last page."""

    messages: list[Message]
    next_cursor: str | None


class MessageAnswer(Told, frozen=True):
    """Message."""

    message: Message


class Listener(Told, frozen=True):
    """`environment` null: both. `waiting_events`: left to a process that has it."""

    name: str
    environment: Environment | None
    event_types: list[str]
    waiting_events: int
    last_seen_at: datetime
    created_at: datetime


class ListenersAnswer(Told, frozen=True):
    """Listeners."""

    listeners: list[Listener]


class ForgottenAnswer(Told, frozen=True):
    """Forgotten."""

    name: str
    forgotten: bool
