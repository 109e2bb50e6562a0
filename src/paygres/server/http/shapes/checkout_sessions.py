"""Checkout sessions as they are answered (contract 1.6); times are ISO-8601 UTC."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment


class CheckoutSession(TypedDict):
    """A checkout session; `url` is where the buyer pays."""

    id: str
    environment: Environment
    mode: Literal["payment", "subscription"]
    status: Literal["initialized", "open", "completed", "expired", "failed"]
    paymentStatus: str | None
    subjectType: str | None
    subjectId: str | None
    customerEmail: str | None
    checkoutSessionId: str | None
    customerId: str | None
    paymentIntentId: str | None
    subscriptionId: str | None
    url: str | None
    lastError: str | None
    createdAt: str
    updatedAt: str


class CheckoutSessionAnswer(TypedDict):
    checkoutSession: CheckoutSession


class FulfillmentState(TypedDict):
    """What one rule granted for this checkout's money; `key` is the developer's own (an order's id)."""

    rule: str
    key: str | None
    status: Literal["granted", "quarantined", "released", "reversed"]


class ReadCheckoutSessionAnswer(CheckoutSessionAnswer):
    """With `wait`: whether all of the purchase is committed, what it still waits for if not, and what was granted."""

    settled: NotRequired[bool]
    waitsFor: NotRequired[
        Literal["payment", "event", "invoice", "subscription", "processing", "reversal", "operator"] | None
    ]
    fulfillments: NotRequired[list[FulfillmentState]]


class LineItem(TypedDict):
    priceId: str
    quantity: int


class ListedCheckoutSession(CheckoutSession):
    """What operators see beside it. `amountSubtotal` is in minor units, before discounts and tax, as Stripe said."""

    createdBy: str | None
    lineItems: list[LineItem]
    metadata: dict[str, str]
    idempotencyKey: str | None
    generation: int
    currency: str | None
    amountSubtotal: int | None
    expiresAt: str | None
    supersededBy: str | None


class CheckoutSessionsAnswer(TypedDict):
    checkoutSessions: list[ListedCheckoutSession]
    nextCursor: str | None
