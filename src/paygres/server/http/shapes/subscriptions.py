"""Subscriptions as they are answered (contract 1.6); times ISO-8601 UTC."""

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment


class SubscriptionItem(TypedDict):
    environment: Environment
    subscriptionItemId: str
    subscriptionId: str
    productId: str | None
    priceId: str | None
    quantity: int | None
    metadata: dict[str, str]
    createdAt: str
    updatedAt: str


class Subscription(TypedDict):
    """`status` is Stripe's word; the period spans all items."""

    environment: Environment
    subscriptionId: str
    customerId: str
    subjectType: str | None
    subjectId: str | None
    status: str
    currentPeriodStart: str | None
    currentPeriodEnd: str | None
    cancelAtPeriodEnd: bool
    cancelAt: str | None
    canceledAt: str | None
    trialStart: str | None
    trialEnd: str | None
    latestInvoiceId: str | None
    metadata: dict[str, str]
    syncedAt: str
    createdAt: str
    updatedAt: str
    items: list[SubscriptionItem]


class SubscriptionsAnswer(TypedDict):
    subscriptions: list[Subscription]


class ListedSubscription(Subscription):
    """`startedAt` is Stripe's `created`."""

    startedAt: str


class SubscriptionsPage(TypedDict):
    """`nextCursor` is null on the last page."""

    subscriptions: list[ListedSubscription]
    nextCursor: str | None
