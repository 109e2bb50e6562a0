"""What a subject pays for and may use, as it is answered; times are ISO-8601 UTC."""

from typing import Literal

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment


class SubjectName(TypedDict):
    type: str
    id: str


class SubjectSubscription(TypedDict):
    subscriptionId: str
    status: str
    currentPeriodStart: str | None
    currentPeriodEnd: str | None
    cancelAtPeriodEnd: bool
    cancelAt: str | None
    canceledAt: str | None
    trialEnd: str | None


class Access(TypedDict):
    """One price that is or was the subject's. `until` is when it ends as things stand, null for never; `renewsAt` when
    it is charged again."""

    lookupKey: str | None
    planFamily: str | None
    productId: str | None
    productName: str | None
    priceId: str | None
    quantity: int | None
    source: Literal["subscription", "purchase"]
    sourceId: str
    granted: bool
    reason: str
    until: str | None
    renewsAt: str | None


class SubjectBilling(TypedDict):
    environment: Environment
    subject: SubjectName
    customerId: str | None
    subscriptions: list[SubjectSubscription]
    access: list[Access]


class SubjectAnswer(TypedDict):
    subject: SubjectBilling
