"""What the reference's command line was recorded to do: words, request, answer, exit code, table.

Ids and names are ours, lists are cut to what shows something. `reference` is the exit code it ended with; where `code`
differs, it is by docs/cli.md.
"""

from dataclasses import dataclass, field
from typing import Any

AT = "2026-03-01T14:02:12.000Z"
S = "/api/payments/stripe"
T = f"{S}/test"
KEY = "sk_test_51ExampleGoodKey0002"
PRODUCT: dict[str, Any] = {
    "environment": "test",
    "productId": "prod_Example00000001",
    "name": "Pro plan",
    "description": None,
    "active": True,
    "defaultPriceId": None,
    "metadata": {},
    "syncedAt": AT,
}
PRICE: dict[str, Any] = {
    "environment": "test",
    "priceId": "price_1Example000000001",
    "productId": "prod_Example00000001",
    "active": True,
    "currency": "eur",
    "unitAmount": 999,
    "unitAmountDecimal": "999",
    "type": "recurring",
    "lookupKey": None,
    "billingScheme": "per_unit",
    "taxBehavior": "exclusive",
    "recurringInterval": "month",
    "recurringIntervalCount": 3,
    "metadata": {"t": "1"},
    "syncedAt": AT,
}
ONCE = PRICE | {"type": "one_time", "recurringInterval": None, "recurringIntervalCount": None, "unitAmount": 2500}
CONNECTION: dict[str, Any] = {
    "environment": "test",
    "status": "connected",
    "accountId": "acct_1ExampleFirst001",
    "accountEmail": "owner@example.com",
    "accountLivemode": False,
    "webhookEndpointId": "we_1Example00000001",
    "webhookEndpointUrl": "http://127.0.0.1:7130/api/webhooks/stripe/test",
    "webhookConfiguredAt": AT,
    "maskedKey": "sk_test_****0002",
    "lastSyncedAt": AT,
    "lastSyncStatus": "succeeded",
    "lastSyncError": None,
    "lastSyncCounts": {"prices": 8, "products": 5},
}
UNCONFIGURED = dict.fromkeys(CONNECTION) | {
    "environment": "live",
    "status": "unconfigured",
    "lastSyncStatus": "failed",
    "lastSyncError": "STRIPE_LIVE_SECRET_KEY is not configured",
    "lastSyncCounts": {},
}
LIVE = CONNECTION | {
    "environment": "live",
    "accountId": "acct_1ExampleLive0001",
    "accountLivemode": True,
    "maskedKey": "sk_live_****0001",
}
CUSTOMER: dict[str, Any] = {
    "environment": "test",
    "provider": "stripe",
    "providerCustomerId": "cus_Example1",
    "email": None,
    "name": None,
    "phone": None,
    "deleted": False,
    "metadata": {},
    "providerCreatedAt": AT,
    "syncedAt": AT,
    "paymentsCount": 0,
    "lastPaymentAt": None,
    "totalSpend": None,
    "totalSpendCurrency": None,
    "paymentMethodBrand": None,
    "paymentMethodLast4": None,
    "countryCode": None,
}
SUBSCRIPTION: dict[str, Any] = {
    "environment": "test",
    "subscriptionId": "sub_Example1",
    "customerId": "cus_Example1",
    "subjectType": "team",
    "subjectId": "team_1",
    "status": "active",
    "currentPeriodStart": AT,
    "currentPeriodEnd": AT,
    "cancelAtPeriodEnd": False,
    "metadata": {},
    "items": [{"subscriptionItemId": "si_1", "quantity": 1}, {"subscriptionItemId": "si_2", "quantity": 2}],
}
TRANSACTION: dict[str, Any] = {
    "environment": "test",
    "provider": "stripe",
    "type": "failed_payment",
    "status": "failed",
    "subjectType": "team",
    "subjectId": "team_1",
    "providerCustomerId": "cus_Example1",
    "customerEmailSnapshot": "t@example.com",
    "providerReferenceId": "pi_Example1",
    "providerReferenceType": "payment_intent",
    "amount": 99,
    "amountRefunded": 0,
    "currency": "usd",
    "description": "a try",
    "paidAt": None,
    "failedAt": "2026-03-01T14:00:00.000Z",
    "refundedAt": None,
    "providerCreatedAt": "2026-03-01T13:00:00.000Z",
    "createdAt": AT,
    "updatedAt": AT,
}
KEYS = {"keys": [{"environment": "test", "value": "sk_test_****0002"}, {"environment": "live", "value": None}]}
RESULTS = {
    "results": [
        {
            "environment": "test",
            "connection": CONNECTION,
            "subscriptions": {"environment": "test", "synced": 3, "unmapped": 1, "deleted": 0},
        },
        {"environment": "live", "connection": UNCONFIGURED, "subscriptions": None},
    ]
}
CONFIGURED = {"provider": "stripe", "environment": "test", "configured": True}
PRODUCT_COLUMNS = ("Env", "Product ID", "Name", "Active", "Default Price", "Synced At")
PRICE_COLUMNS = ("Env", "Price ID", "Product ID", "Amount", "Type", "Active", "Recurring", "Synced At")
NO_ANSWER: dict[str, Any] = {}


def refused(status: int, code: str, message: str, **more: str) -> dict[str, Any]:
    return {"error": code, "message": message, "statusCode": status, **more}


@dataclass(frozen=True)
class Record:
    """`tables`: the headers of each table, in order; `said`: the other lines of stdout; `json`: stdout, if not the
    answer."""

    name: str
    words: tuple[str, ...]
    asked: tuple[str, str] | None = None
    sent: dict[str, Any] | None = None
    answer: dict[str, Any] = field(default_factory=lambda: NO_ANSWER)
    status: int = 200
    code: int = 0
    reference: int = 0
    tables: tuple[tuple[str, ...], ...] = ()
    row: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    error: str = ""
    json: dict[str, Any] | None = None


RECORDS = (
    Record(
        "CLI02 config set",
        ("config", "set", KEY),
        ("PUT", f"{T}/config"),
        {"secretKey": KEY},
        KEYS,
        said=("✓ Stripe test key configured.",),
        json=CONFIGURED,
    ),
    Record(
        "CLI04 config set, a rejected key",
        ("config", "set", "sk_test_bad_000000000000"),
        ("PUT", f"{T}/config"),
        {"secretKey": "sk_test_bad_000000000000"},
        refused(401, "PAYMENT_CONFIG_INVALID", "Invalid API Key provided: sk_test_************0000"),
        401,
        code=2,
        reference=1,
        error="Invalid API Key provided: sk_test_************0000",
    ),
    Record(
        "CLI06 webhooks configure",
        ("webhooks", "configure"),
        ("POST", f"{T}/webhook"),
        None,
        {"connection": CONNECTION},
        tables=(("Env", "Webhook ID", "URL", "Configured At"),),
        row=("test", "we_1Example00000001", "http://127.0.0.1:7130/api/webhooks/stripe/test"),
        said=("✓ Stripe test webhook configured.",),
    ),
    Record(
        "CLI10 sync, a wrong environment",
        ("sync", "--environment", "foo"),
        code=64,
        reference=1,
        error='Environment must be "test", "live" or "all".',
    ),
    Record(
        "CLI12 catalog",
        ("catalog",),
        ("GET", f"{T}/catalog"),
        None,
        {"products": [PRODUCT], "prices": [PRICE, ONCE]},
        tables=(PRODUCT_COLUMNS[:-1], PRICE_COLUMNS[:-1]),
        row=("test", "price_1Example000000001", "prod_Example00000001", "25.00 EUR", "one_time", "Yes", "one-time"),
        said=("Products", "Prices"),
    ),
    Record(
        "CLI14 products list",
        ("products", "list"),
        ("GET", f"{T}/catalog/products"),
        None,
        {"products": [PRODUCT]},
        tables=(PRODUCT_COLUMNS,),
        row=("test", "prod_Example00000001", "Pro plan", "Yes", "-"),
    ),
    Record(
        "CLI16 products get",
        ("products", "get", "prod_Example00000001"),
        ("GET", f"{T}/catalog/products/prod_Example00000001"),
        None,
        {"product": PRODUCT, "prices": [PRICE]},
        tables=(PRODUCT_COLUMNS, ("Price ID", "Amount", "Type", "Active", "Lookup Key")),
        row=("price_1Example000000001", "9.99 EUR", "recurring", "Yes", "-"),
        said=("Prices",),
    ),
    Record(
        "CLI18 products create",
        (
            *("products", "create", "--name", "CLI product", "--description", "d", "--active", "true"),
            *("--metadata", '{"a":"b"}', "--idempotency-key", "cli-prod-1"),
        ),
        ("POST", f"{T}/catalog/products"),
        {
            "name": "CLI product",
            "description": "d",
            "active": True,
            "metadata": {"a": "b"},
            "idempotencyKey": "cli-prod-1",
        },
        {"product": PRODUCT},
        201,
        said=("✓ Stripe product created: prod_Example00000001",),
    ),
    Record(
        "CLI20 products create, bad metadata",
        ("products", "create", "--name", "x", "--metadata", '{"a":1}'),
        code=64,
        reference=1,
        error='Metadata value for "a" must be a string.',
    ),
    Record(
        "CLI22 products update, nothing",
        ("products", "update", "prod_Example00000001"),
        code=64,
        reference=1,
        error="Provide at least one option to update (--name, --description, --active, --metadata).",
    ),
    Record(
        "CLI24 prices list",
        ("prices", "list"),
        ("GET", f"{T}/catalog/prices"),
        None,
        {"prices": [PRICE]},
        tables=(PRICE_COLUMNS,),
        row=("test", "price_1Example000000001", "prod_Example00000001", "9.99 EUR", "recurring", "Yes", "3 month"),
    ),
    Record(
        "CLI26 prices get",
        ("prices", "get", "price_1Example000000001"),
        ("GET", f"{T}/catalog/prices/price_1Example000000001"),
        None,
        {"price": ONCE},
        tables=(PRICE_COLUMNS,),
        row=("test", "price_1Example000000001", "prod_Example00000001", "25.00 EUR", "one_time", "Yes", "one-time"),
    ),
    Record(
        "CLI30 prices create, recurring",
        (
            *("prices", "create", "--product", "prod_Example00000001", "--currency", "usd", "--unit-amount", "900"),
            *("--interval", "month", "--interval-count", "2", "--lookup-key", "cli_lk"),
        ),
        ("POST", f"{T}/catalog/prices"),
        {
            "productId": "prod_Example00000001",
            "currency": "usd",
            "unitAmount": 900,
            "lookupKey": "cli_lk",
            "recurring": {"interval": "month", "intervalCount": 2},
        },
        {"price": PRICE},
        201,
        said=("✓ Stripe price created: price_1Example000000001",),
    ),
    Record(
        "CLI32 prices create, an unknown product",
        ("prices", "create", "--product", "prod_none", "--currency", "usd", "--unit-amount", "5"),
        ("POST", f"{T}/catalog/prices"),
        {"productId": "prod_none", "currency": "usd", "unitAmount": 5},
        refused(400, "UPSTREAM_FAILURE", "No such product: 'prod_none'"),
        400,
        code=9,
        reference=1,
        error="No such product: 'prod_none'",
    ),
    Record(
        "CLI34 prices archive",
        ("prices", "archive", "price_1Example000000001", "-y"),
        ("DELETE", f"{T}/catalog/prices/price_1Example000000001"),
        None,
        {"price": PRICE | {"active": False}, "archived": True},
        said=("✓ Stripe price archived: price_1Example000000001",),
    ),
    Record(
        "CLI38 products delete",
        ("-y", "products", "delete", "prod_Example00000001"),
        ("DELETE", f"{T}/catalog/products/prod_Example00000001"),
        None,
        {"productId": "prod_Example00000001", "deleted": True},
        said=("✓ Stripe product deleted: prod_Example00000001",),
    ),
    Record(
        "CLI40 customers, one",
        ("customers", "--limit", "1"),
        ("GET", f"{T}/customers?limit=1"),
        None,
        {"customers": [CUSTOMER]},
        tables=(("Customer ID", "Email", "Name", "Payments", "Total Spend", "Last Payment", "Method", "Country"),),
        row=("cus_Example1", "-", "-", "0", "-", "-", "-", "-"),
    ),
    Record(
        "CLI42 subscriptions",
        ("subscriptions",),
        ("GET", f"{T}/subscriptions?limit=50"),
        None,
        {"subscriptions": [SUBSCRIPTION]},
        tables=(("Subscription ID", "Customer", "Subject", "Status", "Items", "Period End"),),
        row=("sub_Example1", "cus_Example1", "team:team_1", "active", "2", "2026-03-01 14:02:12Z"),
    ),
    Record(
        "CLI44 subscriptions, half a subject",
        ("subscriptions", "--subject-type", "team"),
        ("GET", f"{T}/subscriptions?limit=50&subjectType=team"),
        None,
        refused(400, "INVALID_INPUT", "(root): subjectType and subjectId must be provided together"),
        400,
        code=8,
        reference=1,
        error="(root): subjectType and subjectId must be provided together",
    ),
    Record(
        "CLI46 transactions of a subject",
        ("transactions", "--subject-type", "team", "--subject-id", "team_1", "--limit", "1"),
        ("GET", f"{T}/transactions?limit=1&subjectType=team&subjectId=team_1"),
        None,
        {"transactions": [TRANSACTION]},
        tables=(("Type", "Status", "Subject", "Amount", "Refunded", "Customer", "Provider Object", "When"),),
        row=(
            *("failed_payment", "failed", "team:team_1", "0.99 USD", "0.00 USD", "cus_Example1"),
            *("payment_intent:pi_Example1", "2026-03-01 14:00:00Z"),
        ),
    ),
    Record(
        "CLI52 config remove",
        ("-y", "config", "remove"),
        ("DELETE", f"{T}/config"),
        None,
        KEYS,
        said=("✓ stripe test keys removed.",),
        json=CONFIGURED | {"configured": False},
    ),
    Record(
        "CLI54 config set again",
        ("config", "set", "--secret-key", KEY),
        ("PUT", f"{T}/config"),
        {"secretKey": KEY},
        KEYS,
        said=("✓ Stripe test key configured.",),
        json=CONFIGURED,
    ),
)
# Those whose environment is not `--environment test`: words as they are.
WITHOUT_ENVIRONMENT = (
    Record(
        "CLI08 sync all",
        ("sync",),
        ("POST", f"{S}/sync"),
        None,
        RESULTS,
        tables=(("Env", "Status", "Products", "Prices", "Customers", "Subscriptions", "Unmapped", "Synced At"),),
        row=("live", "failed", "0", "0", "0", "0", "0", "-"),
        said=("✓ Stripe payments synced.",),
    ),
    Record(
        "CLI48 customers, none",
        ("customers", "--environment", "live"),
        ("GET", f"{S}/live/customers?limit=50"),
        None,
        {"customers": []},
        said=("No stripe customers found.",),
    ),
    Record(
        "CLI50 status",
        ("status",),
        ("GET", f"{S}/status"),
        None,
        {"connections": [CONNECTION, UNCONFIGURED]},
        tables=(("Env", "Status", "Key", "Account", "Webhook", "Last Sync", "Synced At"),),
        row=("live", "unconfigured", "-", "-", "-", "failed", "-"),
    ),
    Record(
        "CLI56 status, a wrong API key",
        ("status",),
        ("GET", f"{S}/status"),
        None,
        refused(401, "AUTH_INVALID_API_KEY", "Invalid API key", nextActions="Check the API key."),
        401,
        code=2,
        reference=1,
        error="Invalid API key",
    ),
)
