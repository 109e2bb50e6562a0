"""What is sent and what comes back, as Pydantic models: snake_case here, camelCase on the wire. Amounts are integers in
minor units. Answers are frozen and keep fields that this version does not know."""

from datetime import datetime
from typing import Annotated, Literal, NotRequired, TypedDict

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Environment = Literal["test", "live"]
MAX_LINE_ITEMS, MAX_QUANTITY, MAX_KEY = 100, 999, 200


class SubjectDict(TypedDict):
    """Who pays, as a dict: `{"type": "team", "id": "t1"}`."""

    type: str
    id: str


class LineItemDict(TypedDict):
    """`{"price_id": "price_1Example", "quantity": 1}`; the quantity is 1 when missing."""

    price_id: str
    quantity: NotRequired[int]


class Sent(BaseModel):
    """Part of a request: unknown names are refused, camelCase names (pasted from TypeScript) are understood."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
        strict=True,
    )


class Subject(Sent):
    """Who pays: a user, a team, whatever `payments.can_bill` knows."""

    type: str = Field(min_length=1)
    id: str = Field(min_length=1)


class LineItem(Sent):
    """A Stripe price and how many of it, 1 to 999."""

    price_id: str = Field(min_length=1)
    quantity: Annotated[int, Field(ge=1, le=MAX_QUANTITY)] = 1


class CheckoutRequest(Sent):
    """The body of a checkout."""

    mode: Literal["payment", "subscription"]
    line_items: list[LineItem] = Field(min_length=1, max_length=MAX_LINE_ITEMS)
    success_url: str = Field(min_length=1)
    cancel_url: str = Field(min_length=1)
    subject: Subject | None = None
    customer_email: str | None = None
    metadata: dict[str, str] | None = None
    idempotency_key: Annotated[str, Field(min_length=1, max_length=MAX_KEY)] | None = None


class PortalRequest(Sent):
    """The body of a customer portal session."""

    subject: Subject
    return_url: str | None = None
    configuration: str | None = None


class Told(BaseModel, frozen=True):
    """Part of an answer."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, extra="allow")


class CheckoutSession(Told, frozen=True):
    """A checkout. `id` is ours, `checkout_session_id` Stripe's `cs_…`; `url` is null once it is no longer open."""

    id: str
    environment: Environment
    mode: Literal["payment", "subscription"]
    status: Literal["initialized", "open", "completed", "expired", "failed"]
    payment_status: Literal["paid", "unpaid", "no_payment_required"] | None
    subject_type: str | None
    subject_id: str | None
    customer_email: str | None
    checkout_session_id: str | None
    customer_id: str | None
    payment_intent_id: str | None
    subscription_id: str | None
    url: str | None
    last_error: str | None
    created_at: datetime
    updated_at: datetime


class CustomerPortalSession(Told, frozen=True):
    """A visit to Stripe's customer portal; `url` works for a few minutes."""

    id: str
    environment: Environment
    status: Literal["initialized", "created", "failed"]
    subject_type: str
    subject_id: str
    customer_id: str | None
    return_url: str | None
    configuration: str | None
    url: str | None
    last_error: str | None
    created_at: datetime
    updated_at: datetime


class GrantedFor(Told, frozen=True):
    """What a rule of yours gave for a checkout: `status` is granted, quarantined, released or reversed."""

    rule: str
    key: str | None
    status: str


class CreateCheckoutSessionResponse(Told, frozen=True):
    """`checkout_session`."""

    checkout_session: CheckoutSession


class CreateCustomerPortalSessionResponse(Told, frozen=True):
    """`customer_portal_session`."""

    customer_portal_session: CustomerPortalSession


class GetCheckoutSessionResponse(Told, frozen=True):
    """`checkout_session`; with `wait`, also whether it is `settled`, what it `waits_for`, and what was granted."""

    checkout_session: CheckoutSession
    settled: bool | None = None
    waits_for: str | None = None
    fulfillments: list[GrantedFor] | None = None


class SubjectSubscription(Told, frozen=True):
    """One subscription of a subject; `status` is Stripe's word."""

    subscription_id: str
    status: str
    current_period_start: datetime | None
    current_period_end: datetime | None
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    trial_end: datetime | None


class Access(Told, frozen=True):
    """One price that is or was the subject's. `until`: when it ends as things stand, null for never."""

    lookup_key: str | None
    plan_family: str | None
    product_id: str | None
    product_name: str | None
    price_id: str | None
    quantity: int | None
    source: Literal["subscription", "purchase"]
    source_id: str
    granted: bool
    reason: str
    until: datetime | None
    renews_at: datetime | None


class SubjectBilling(Told, frozen=True):
    """What a subject pays for and may use."""

    environment: Environment
    subject: Subject
    customer_id: str | None
    subscriptions: list[SubjectSubscription]
    access: list[Access]


class GetSubjectResponse(Told, frozen=True):
    """`subject`."""

    subject: SubjectBilling
