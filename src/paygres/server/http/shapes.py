"""The objects we answer with, as the OpenAPI document shows them (contract 1.6); times are ISO-8601 UTC."""

from typing import (
    Any,
    Literal,
    NotRequired,  # pydantic needs this one before Python 3.12
)

from typing_extensions import TypedDict

Environment = Literal["test", "live"]


class Error(TypedDict):
    """Every error, whatever its status."""

    error: str
    message: str
    statusCode: int
    nextActions: NotRequired[str]
    requestId: str


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


class Connection(TypedDict):
    """What is known of one environment's Stripe account."""

    environment: Environment
    status: Literal["unconfigured", "connected", "error"]
    accountId: str | None
    accountEmail: str | None
    accountLivemode: bool | None
    webhookEndpointId: str | None
    webhookEndpointUrl: str | None
    webhookConfiguredAt: str | None
    maskedKey: str | None
    lastSyncedAt: str | None
    lastSyncStatus: str | None
    lastSyncError: str | None
    lastSyncCounts: dict[str, Any]


class ConnectionsAnswer(TypedDict):
    connections: list[Connection]


class ConnectionAnswer(TypedDict):
    connection: Connection


class ConfigKey(TypedDict):
    """`value` is masked or null: no route returns a Stripe key."""

    environment: Environment
    value: str | None
    hasKey: bool
    maskedKey: str | None


class ConfigAnswer(TypedDict):
    keys: list[ConfigKey]


class SyncResult(TypedDict):
    environment: Environment
    connection: Connection
    subscriptions: dict[str, Any] | None


class SyncAnswer(TypedDict):
    results: list[SyncResult]


class WebhookEvent(TypedDict):
    """One event as the ledger has it."""

    environment: Environment
    eventId: str
    eventType: str
    livemode: bool
    accountId: str | None
    objectType: str | None
    objectId: str | None
    processingStatus: Literal["pending", "processed", "failed", "ignored"]
    attemptCount: int
    lastError: str | None
    receivedAt: str
    processedAt: str | None
    createdAt: str
    updatedAt: str


class WebhookAnswer(TypedDict):
    received: Literal[True]
    handled: bool
    event: WebhookEvent


class Admin(TypedDict):
    sub: str


class AdminSignInAnswer(TypedDict):
    """`csrfToken` belongs to a refresh cookie, which this version does not set: null."""

    admin: Admin
    accessToken: str
    csrfToken: str | None


class AdminAnswer(TypedDict):
    admin: Admin


class AnonKeyAnswer(TypedDict):
    anonKey: str


class AnonTokenAnswer(TypedDict):
    accessToken: str


class HealthAnswer(TypedDict):
    status: Literal["ok"]
    version: str
    service: str
    timestamp: str


class LiveAnswer(TypedDict):
    status: Literal["ok"]


class Check(TypedDict):
    ok: bool
    state: str


class ReadyAnswer(TypedDict):
    """503 with the same shape while a check fails."""

    status: Literal["ready", "not ready"]
    checks: dict[str, Check]


class JwksAnswer(TypedDict):
    keys: list[dict[str, str]]


class Product(TypedDict):
    environment: Environment
    productId: str
    name: str
    description: str | None
    active: bool
    defaultPriceId: str | None
    metadata: dict[str, str]
    syncedAt: str


class Price(TypedDict):
    """`unitAmount` is in minor units of `currency`."""

    environment: Environment
    priceId: str
    productId: str | None
    active: bool
    currency: str
    unitAmount: int | None
    unitAmountDecimal: str | None
    type: str
    lookupKey: str | None
    billingScheme: str | None
    taxBehavior: str | None
    recurringInterval: str | None
    recurringIntervalCount: int | None
    metadata: dict[str, str]
    syncedAt: str


class CatalogAnswer(TypedDict):
    products: list[Product]
    prices: list[Price]


class ProductsAnswer(TypedDict):
    products: list[Product]


class ProductAnswer(TypedDict):
    product: Product
    prices: list[Price]


class PricesAnswer(TypedDict):
    prices: list[Price]


class PriceAnswer(TypedDict):
    price: Price
