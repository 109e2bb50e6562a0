"""Checkouts, payments, subscriptions and customers as operators list them. Amounts are in minor units."""

from datetime import datetime
from typing import Literal

from paygres.client.shapes import CheckoutSession, Environment, Told


class BoughtItem(Told, frozen=True):
    """A price and how many of it."""

    price_id: str
    quantity: int


class ListedCheckoutSession(CheckoutSession, frozen=True):
    """What operators see beside it. `amount_subtotal` is in minor units, before discounts and tax, as Stripe said."""

    created_by: str | None
    line_items: list[BoughtItem]
    metadata: dict[str, str]
    idempotency_key: str | None
    generation: int
    currency: str | None
    amount_subtotal: int | None
    expires_at: datetime | None
    superseded_by: str | None


class CheckoutSessionsAnswer(Told, frozen=True):
    """Checkout sessions."""

    checkout_sessions: list[ListedCheckoutSession]
    next_cursor: str | None


class Customer(Told, frozen=True):
    """`total_spend` is what stayed after refunds; null when there is nothing, or more than one currency."""

    environment: Environment
    provider: Literal["stripe"]
    provider_customer_id: str
    email: str | None
    name: str | None
    phone: str | None
    deleted: bool
    metadata: dict[str, str]
    provider_created_at: datetime | None
    synced_at: datetime
    payments_count: int
    last_payment_at: datetime | None
    total_spend: int | None
    total_spend_currency: str | None
    payment_method_brand: str | None
    payment_method_last4: str | None
    country_code: str | None


class CustomersAnswer(Told, frozen=True):
    """Customers."""

    customers: list[Customer]


class ListedCustomer(Customer, frozen=True):
    """The subject that pays as this customer, when one does."""

    subject_type: str | None
    subject_id: str | None


class CustomersPage(Told, frozen=True):
    """`next_cursor` is null on the last page."""

    customers: list[ListedCustomer]
    next_cursor: str | None


class SubscriptionItem(Told, frozen=True):
    """Subscription item."""

    environment: Environment
    subscription_item_id: str
    subscription_id: str
    product_id: str | None
    price_id: str | None
    quantity: int | None
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime


class Subscription(Told, frozen=True):
    """`status` is Stripe's word; the period spans all items."""

    environment: Environment
    subscription_id: str
    customer_id: str
    subject_type: str | None
    subject_id: str | None
    status: str
    current_period_start: datetime | None
    current_period_end: datetime | None
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    trial_start: datetime | None
    trial_end: datetime | None
    latest_invoice_id: str | None
    metadata: dict[str, str]
    synced_at: datetime
    created_at: datetime
    updated_at: datetime
    items: list[SubscriptionItem]


class SubscriptionsAnswer(Told, frozen=True):
    """Subscriptions."""

    subscriptions: list[Subscription]


class ListedSubscription(Subscription, frozen=True):
    """`started_at` is Stripe's `created`."""

    started_at: datetime


class SubscriptionsPage(Told, frozen=True):
    """`next_cursor` is null on the last page."""

    subscriptions: list[ListedSubscription]
    next_cursor: str | None


class Transaction(Told, frozen=True):
    """`provider_reference_id` is Stripe's id of the payment intent, invoice, session, charge or refund."""

    environment: Environment
    provider: Literal["stripe"]
    type: Literal["one_time_payment", "subscription_invoice", "refund", "failed_payment"]
    status: Literal["succeeded", "failed", "pending", "refunded", "partially_refunded"]
    subject_type: str | None
    subject_id: str | None
    provider_customer_id: str | None
    customer_email_snapshot: str | None
    provider_reference_id: str | None
    provider_reference_type: str | None
    amount: int | None
    amount_refunded: int
    currency: str | None
    description: str | None
    paid_at: datetime | None
    failed_at: datetime | None
    refunded_at: datetime | None
    provider_created_at: datetime | None
    created_at: datetime
    updated_at: datetime


class TransactionsAnswer(Told, frozen=True):
    """Transactions."""

    transactions: list[Transaction]


class ListedTransaction(Transaction, frozen=True):
    """`amount_disputed` is open or lost, `amount_lost` lost for good; `related_object_ids` are by kind (`charge`)."""

    amount_disputed: int
    amount_lost: int
    parent_reference_id: str | None
    parent_reference_type: str | None
    related_object_ids: dict[str, str]


class TransactionsPage(Told, frozen=True):
    """`next_cursor` is null on the last page."""

    transactions: list[ListedTransaction]
    next_cursor: str | None
