"""What operators' actions answer; amounts in minor units, times ISO-8601 UTC unless a name says seconds."""

from typing import Any

from typing_extensions import TypedDict


class Refund(TypedDict):
    refundId: str
    status: str
    amount: int
    currency: str
    paymentIntentId: str | None
    chargeId: str | None


class RefundAnswer(TypedDict):
    refund: Refund


class ChangedItem(TypedDict):
    subscriptionItemId: str
    priceId: str | None
    quantity: int | None


class ChangedSubscription(TypedDict):
    subscriptionId: str
    status: str
    cancelAtPeriodEnd: bool
    cancelAt: str | None
    canceledAt: str | None
    items: list[ChangedItem]


class ChangedSubscriptionAnswer(TypedDict):
    subscription: ChangedSubscription


class PreviewLine(TypedDict):
    description: str | None
    amount: int
    proration: bool
    priceId: str | None
    quantity: int | None


class Preview(TypedDict):
    """`prorationDate` in Unix seconds: send it with the change to make it cost the same."""

    amountDue: int
    total: int
    currency: str
    prorationDate: int | None
    lines: list[PreviewLine]


class PreviewAnswer(TypedDict):
    preview: Preview


class CustomerMapping(TypedDict):
    """`setBy` is operator or payment; `evidence` the session, subscription or invoice that proved it."""

    subjectType: str
    subjectId: str
    customerId: str
    customerEmail: str | None
    setBy: str
    evidence: str | None
    createdAt: str


class MappingsAnswer(TypedDict):
    mappings: list[CustomerMapping]
    nextCursor: str | None


class MappingName(TypedDict):
    subjectType: str
    subjectId: str
    customerId: str | None


class MappingAnswer(TypedDict):
    mapping: MappingName


class Notice(TypedDict):
    id: str
    reason: str
    objectType: str
    objectId: str
    subjectType: str | None
    subjectId: str | None
    message: str
    details: dict[str, Any]
    openedAt: str
    closedAt: str | None


class AttentionAnswer(TypedDict):
    attention: list[Notice]
    nextCursor: str | None


class DismissedAnswer(TypedDict):
    id: str
    dismissed: bool
