"""What lies between the recorded exchanges: other faults, routes and callers, against the contract's own words."""

import json
from typing import Any

import pytest

from tests.flows.webhooks import ROUTE, signed
from tests.reference.conftest import Chain
from tests.reference.records import RECORDS, USER, credentials
from tests.reference.starts import SUBJECT, Start

STRIPE = "/api/payments/stripe"
UNKNOWN = "Unrecognized key(s) in object"
PRODUCT = ["environment", "productId", "name", "description", "active", "defaultPriceId", "metadata", "syncedAt"]
PRICE = [
    "environment",
    "priceId",
    "productId",
    "active",
    "currency",
    "unitAmount",
    "unitAmountDecimal",
    "type",
    "lookupKey",
    "billingScheme",
    "taxBehavior",
    "recurringInterval",
    "recurringIntervalCount",
    "metadata",
    "syncedAt",
]
CUSTOMER = [
    "environment",
    "provider",
    "providerCustomerId",
    "email",
    "name",
    "phone",
    "deleted",
    "metadata",
    "providerCreatedAt",
    "syncedAt",
    "paymentsCount",
    "lastPaymentAt",
    "totalSpend",
    "totalSpendCurrency",
    "paymentMethodBrand",
    "paymentMethodLast4",
    "countryCode",
]
EVENT = [
    "environment",
    "eventId",
    "eventType",
    "livemode",
    "accountId",
    "objectType",
    "objectId",
    "processingStatus",
    "attemptCount",
    "lastError",
    "receivedAt",
    "processedAt",
    "createdAt",
    "updatedAt",
]
# Ids of the starting state in these paths and bodies.
PRO, ONCE, QUARTERLY = "prod_Peer00000GvkjS", "price_1Peer00000GvkjW", "price_1Peer00000GvkjX"
BUYING = {
    "mode": "payment",
    "lineItems": [{"priceId": ONCE}],
    "successUrl": "https://app.example/ok",
    "cancelUrl": "https://app.example/no",
}
SELLING = {"productId": PRO, "currency": "usd", "unitAmount": 1}


def send(start: Start, caller: str, method: str, path: str, body: Any = None) -> Any:
    """The answer to a caller named as in the recording, with ids of the starting state."""
    text = "" if body is None else json.dumps(body)
    for recorded, ours in start.ids.items():
        path, text = path.replace(recorded, ours), text.replace(recorded, ours)
    headers = {"authorization": f"Bearer {credentials().get(f'<{caller}>', caller)}"} if caller else {}
    kind = {"content-type": "application/json"} if text else {}
    return start.server.client.request(
        method, path if path.startswith("/api") else f"{STRIPE}/{path}", headers=headers | kind, content=text or None
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("PATCH", f"test/catalog/products/{PRO}", {}, "(root): At least one product field is required"),
        ("PATCH", f"test/catalog/products/{PRO}", None, "(root): At least one product field is required"),
        (
            "PATCH",
            f"test/catalog/products/{PRO}",
            {"idempotencyKey": "x"},
            f"(root): {UNKNOWN}: 'idempotencyKey', (root): At least one product field is required",
        ),
        ("PATCH", f"test/catalog/products/{PRO}", {"name": " "}, "name: Product name is required"),
        ("PATCH", f"test/catalog/products/{PRO}", {"active": 1}, "active: Expected boolean, received number"),
        ("PATCH", f"test/catalog/products/{PRO}", [], "(root): Expected object, received array"),
        ("PATCH", f"test/catalog/prices/{ONCE}", {}, "(root): At least one price field is required"),
        (
            "PATCH",
            f"test/catalog/prices/{ONCE}",
            {"taxBehavior": "x"},
            "taxBehavior: Invalid enum value. Expected 'exclusive' | 'inclusive' | 'unspecified', received 'x'",
        ),
        ("POST", "test/catalog/prices", {}, "productId: Required, currency: Required, unitAmount: Required"),
        ("POST", "test/catalog/prices", {**SELLING, "recurring": {}}, "recurring.interval: Required"),
        (
            "POST",
            "test/catalog/prices",
            {**SELLING, "recurring": {"interval": "month", "foo": 1}},
            f"recurring: {UNKNOWN}: 'foo'",
        ),
        (
            "POST",
            "test/catalog/prices",
            {**SELLING, "recurring": {"interval": "month", "intervalCount": 1.5}},
            "recurring.intervalCount: Expected integer, received float",
        ),
        ("GET", "test/catalog/products/%20", None, "productId: String must contain at least 1 character(s)"),
        ("GET", "test/catalog/prices?limit=3", None, f"(root): {UNKNOWN}: 'limit'"),
        ("GET", "test/catalog/prices?productId=", None, "productId: String must contain at least 1 character(s)"),
        ("GET", "test/customers?subjectType=a&subjectId=b", None, f"(root): {UNKNOWN}: 'subjectType', 'subjectId'"),
        ("GET", "test/subscriptions?status=active", None, f"(root): {UNKNOWN}: 'status'"),
        ("GET", "test/subscriptions?limit=1.5", None, "limit: Expected integer, received float"),
        ("GET", "test/transactions?limit=7&limit=8", None, "limit: Expected number, received nan"),
        (
            "GET",
            "test/transactions?subjectType=%20&subjectId=%20",
            None,
            "subjectType: String must contain at least 1 character(s),"
            " subjectId: String must contain at least 1 character(s)",
        ),
        (
            "GET",
            "foo/catalog",
            None,
            "environment: Invalid enum value. Expected 'test' | 'live', received 'foo'",
        ),
    ],
)
def test_what_an_admin_asks_wrongly_is_named(opened: Start, method: str, path: str, body: Any, message: str) -> None:
    answer = send(opened, "apikey", method, path, body)
    assert (answer.status_code, answer.json()["error"], answer.json()["message"]) == (400, "INVALID_INPUT", message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject": None}, "subject: Expected object, received null"),
        ({"subject": {"type": "t"}}, "subject.id: Required"),
        ({"subject": {"type": "t" * 101, "id": "x"}}, "subject.type: String must contain at most 100 character(s)"),
        ({"subject": {**SUBJECT, "foo": 1}}, f"subject: {UNKNOWN}: 'foo'"),
        ({"mode": 5}, "mode: Expected 'payment' | 'subscription', received number"),
        ({"lineItems": [1]}, "lineItems.0: Expected object, received number"),
        ({"lineItems": [{"priceId": "a", "quantity": None}]}, "lineItems.0.quantity: Expected number, received null"),
        (
            {"mode": "subscription", "lineItems": [], "metadata": {"insforge_x": "1"}},
            "lineItems: Array must contain at least 1 element(s), subject: Subscription checkout requires a billing"
            " subject, metadata: Metadata keys starting with insforge_ are reserved",
        ),
        ({"customerEmail": "a@b"}, "customerEmail: Invalid email"),
        ({"idempotencyKey": None}, "idempotencyKey: Expected string, received null"),
    ],
)
def test_what_a_buyer_asks_wrongly_is_named(opened: Start, changes: dict[str, Any], message: str) -> None:
    answer = send(opened, "anon", "POST", "test/checkout-sessions", {**BUYING, **changes})
    assert (answer.status_code, answer.json()["message"]) == (400, message)


@pytest.mark.parametrize("caller", ["user", "admin"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"returnUrl": None}, "returnUrl: Expected string, received null"),
        ({"returnUrl": "x"}, "returnUrl: Return URL must be a valid URL"),
        ({"configuration": ""}, "configuration: String must contain at least 1 character(s)"),
        ({"subject": {}}, "subject.type: Required, subject.id: Required"),
    ],
)
def test_what_a_portal_is_asked_wrongly_is_named(
    opened: Start, caller: str, changes: dict[str, Any], message: str
) -> None:
    answer = send(opened, caller, "POST", "test/customer-portal-sessions", {"subject": SUBJECT, **changes})
    assert (answer.status_code, answer.json()["message"]) == (400, message)


def test_a_product_and_its_prices_live_through_every_route(opened: Start) -> None:
    product = send(opened, "apikey", "POST", "test/catalog/products", {"name": "Brief"}).json()["product"]
    path = f"test/catalog/products/{product['productId']}"
    for body, shown in (({"description": "d"}, "d"), ({"description": None}, None), ({"description": ""}, None)):
        changed = send(opened, "admin", "PATCH", path, body).json()["product"]
        assert (list(changed), changed["description"]) == (PRODUCT, shown)
    read = send(opened, "apikey", "GET", path).json()
    assert (list(read), list(read["product"]), read["prices"]) == (["product", "prices"], PRODUCT, [])
    gone = send(opened, "apikey", "DELETE", path)
    assert gone.json() == {"productId": product["productId"], "deleted": True}
    assert send(opened, "apikey", "GET", path).json()["error"] == "PAYMENT_PRODUCT_NOT_FOUND"
    sold = send(opened, "apikey", "DELETE", f"test/catalog/products/{PRO}")
    assert (sold.status_code, sold.json()["error"]) == (400, "UPSTREAM_FAILURE")


def test_a_price_is_changed_and_archived_in_the_contracts_shape(opened: Start) -> None:
    price = send(opened, "apikey", "POST", "test/catalog/prices", SELLING).json()["price"]
    path = f"test/catalog/prices/{price['priceId']}"
    for body, shown in (({"lookupKey": "brief"}, "brief"), ({"lookupKey": None}, None)):
        changed = send(opened, "apikey", "PATCH", path, body).json()["price"]
        assert (list(changed), changed["lookupKey"]) == (PRICE, shown)
    archived = send(opened, "apikey", "DELETE", path).json()
    assert (list(archived), archived["archived"], archived["price"]["active"]) == (["price", "archived"], True, False)
    assert send(opened, "apikey", "GET", path).json()["price"]["active"] is False
    listed = send(opened, "apikey", "GET", f"test/catalog/prices?productId={PRO}").json()["prices"]
    assert price["priceId"] in [one["priceId"] for one in listed]


@pytest.mark.parametrize(
    ("caller", "method", "path", "status"),
    [
        ("", "GET", "test/checkout-sessions", 401),
        ("user", "GET", "test/checkout-sessions", 403),
        ("apikey", "GET", "test/checkout-sessions", 404),
        ("apikey", "GET", "sync", 404),
        ("apikey", "PUT", "test/catalog/products", 404),
        ("user", "POST", "test/webhook", 403),
        ("anon", "DELETE", "test/config", 401),
        ("", "PUT", "test/config", 401),
        ("apikey", "GET", "live/customers", 200),
        ("apikey", "GET", "/api/webhooks/stripe/test", 404),
    ],
)
def test_admins_alone_learn_what_is_there(opened: Start, caller: str, method: str, path: str, status: int) -> None:
    assert send(opened, caller, method, path).status_code == status


def test_the_same_key_again_keeps_everything(opened: Start) -> None:
    assert opened.shop is not None
    before = send(opened, "apikey", "GET", "status").json()["connections"][0]
    answer = send(opened, "apikey", "PUT", "test/config", {"secretKey": f" {opened.shop.sandbox.key} "})
    assert [list(one) for one in answer.json()["keys"]] == [["environment", "value", "hasKey", "maskedKey"]] * 2
    after = send(opened, "apikey", "GET", "status").json()["connections"][0]
    kept = ("accountId", "webhookEndpointId", "maskedKey", "status")
    assert [before[name] for name in kept] == [after[name] for name in kept]


def test_the_managed_endpoint_is_configured_in_the_contracts_shape(opened: Start) -> None:
    for body in (None, {"ignored": 1}):
        answer = send(opened, "apikey", "POST", "test/webhook", body).json()
        recorded = RECORDS["B06"].body["connections"][0]
        assert [key for key in answer["connection"] if key not in ("webhookHealth", "eventSweep")] == list(recorded)
        assert answer["connection"]["webhookEndpointUrl"].endswith(ROUTE)


def test_customers_are_listed_in_the_contracts_shape(chain: Chain) -> None:
    chain.replay(RECORDS["K10"])
    for query in ("", "?limit=1"):
        listed = send(chain.start, "apikey", "GET", f"test/customers{query}").json()["customers"]
        assert [list(one) for one in listed][:1] == [CUSTOMER]
    whose = f"subjectType=user&subjectId={USER}"
    paid = send(chain.start, "apikey", "GET", f"test/transactions?{whose}").json()["transactions"]
    assert {(one["subjectType"], one["subjectId"]) for one in paid} == {("user", USER)}


@pytest.mark.parametrize("kind", ["payout.paid", "account.updated", "some.unknown_event"])
def test_an_event_of_no_interest_is_recorded_as_ignored(chain: Chain, kind: str) -> None:
    happened = {"object": {"id": "x_1", "object": kind.split(".")[0]}}
    body = {"id": f"evt_{kind}", "object": "event", "type": kind, "created": 1760500100, "data": happened}
    content = json.dumps({**body, "livemode": False}).encode()
    answer = chain.start.server.client.post(ROUTE, content=content, headers=signed(content)).json()
    assert (list(answer), list(answer["event"])) == (["received", "handled", "event"], EVENT)
    assert (answer["handled"], answer["event"]["processingStatus"]) == (False, "ignored")
