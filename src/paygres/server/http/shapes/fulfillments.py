"""Fulfillments, destinations, messages and listeners as they are answered; amounts in minor units."""

from typing import Any, Literal

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment


class Fulfillment(TypedDict):
    """`paymentKey` is Stripe's id of the money. `amount` and `items` ({price id: quantity}) are what was bought, the
    expected ones what the developer's code said. `amountKept`: paid, neither refunded nor lost in a dispute."""

    id: str
    environment: Environment
    rule: str
    key: str | None
    paymentKey: str
    status: Literal["granted", "reversed", "quarantined", "released"]
    reason: str | None
    subjectType: str | None
    subjectId: str | None
    eventId: str
    eventType: str
    checkoutSessionId: str | None
    expectedAmount: int | None
    expectedCurrency: str | None
    expectedItems: dict[str, int] | None
    amount: int | None
    currency: str | None
    items: dict[str, int] | None
    amountPaid: int
    amountKept: int
    shareKept: float
    grantedAt: str | None
    createdAt: str
    updatedAt: str


class FulfillmentAnswer(TypedDict):
    fulfillment: Fulfillment


class FulfillmentsPage(TypedDict):
    """`nextCursor` is null on the last page."""

    fulfillments: list[Fulfillment]
    nextCursor: str | None


class ReleasedAnswer(TypedDict):
    """`outcome`: the new status of its event, `queued`, or `granted` when none was needed; `error`: why that failed."""

    fulfillment: Fulfillment
    outcome: Literal["processed", "ignored", "failed", "pending", "queued", "granted"]
    error: str | None


class Destination(TypedDict):
    """`after_commit`: a function in a program, named `name`. `pending`: messages still to be delivered."""

    id: str
    kind: Literal["webhook", "after_commit"]
    name: str
    url: str | None
    types: list[str]
    active: bool
    pending: int
    createdAt: str
    updatedAt: str


class DestinationsAnswer(TypedDict):
    destinations: list[Destination]


class DestinationAnswer(TypedDict):
    """`secret` is shown when it is made, and never again."""

    destination: Destination
    secret: str | None


class DeletedDestination(TypedDict):
    deleted: bool


class Message(TypedDict):
    """`content` is the fulfillment at that moment. `nextAttemptAt` is null for one that is delivered or given up."""

    id: str
    type: str
    status: Literal["delivered", "pending", "given_up"]
    fulfillmentId: str
    attempts: int
    nextAttemptAt: str | None
    deliveredAt: str | None
    lastError: str | None
    createdAt: str
    content: dict[str, Any]


class MessagesPage(TypedDict):
    """`nextCursor` is null on the last page."""

    messages: list[Message]
    nextCursor: str | None


class MessageAnswer(TypedDict):
    message: Message


class Listener(TypedDict):
    """`environment` null: both. `waitingEvents`: left to a process that has it."""

    name: str
    environment: Environment | None
    eventTypes: list[str]
    waitingEvents: int
    lastSeenAt: str
    createdAt: str


class ListenersAnswer(TypedDict):
    listeners: list[Listener]


class ForgottenAnswer(TypedDict):
    name: str
    forgotten: bool
