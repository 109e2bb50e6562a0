"""Products and prices written through the API: strict bodies, Stripe's answer, and the mirrored row at once."""

from typing import Any

import httpx2
import pytest

from tests.flows.checkouts import Shop, signed_in
from tests.http.running import admin

CATALOG = "/api/payments/stripe/test/catalog"
LIVE = "/api/payments/stripe/live/catalog"
PRODUCTS, PRICES = f"{CATALOG}/products", f"{CATALOG}/prices"
PRICE: dict[str, Any] = {"productId": "prod_1", "currency": "usd", "unitAmount": 100}


def send(shop: Shop, method: str, path: str, body: Any = None) -> httpx2.Response:
    return shop.server.client.request(method, path, headers=admin(), json=body)


def made(shop: Shop, method: str, path: str, body: Any = None, status: int = 201) -> dict[str, Any]:
    answer = send(shop, method, path, body)
    assert answer.status_code == status, answer.text
    return answer.json()


def product(shop: Shop, name: str, **more: Any) -> dict[str, Any]:
    return made(shop, "POST", PRODUCTS, {"name": name, **more})["product"]


def test_a_product_is_answered_as_the_contract_says_and_mirrored_at_once(open_shop: Shop) -> None:
    body: dict[str, Any] = {"name": "  Full ", "description": " desc ", "active": True, "metadata": {"a": "b"}}
    answered = product(open_shop, **{**body, "idempotencyKey": "full-1"})
    assert list(answered) == [
        "environment",
        "productId",
        "name",
        "description",
        "active",
        "defaultPriceId",
        "metadata",
        "syncedAt",
    ]
    assert (answered["name"], answered["description"], answered["metadata"]) == ("Full", "desc", {"a": "b"})
    read = made(open_shop, "GET", f"{PRODUCTS}/{answered['productId']}", status=200)
    assert {**read["product"], "syncedAt": ""} == {**answered, "syncedAt": ""}
    again = product(open_shop, **{**body, "idempotencyKey": "full-1"})
    assert again["productId"] == answered["productId"]
    conflict = send(open_shop, "POST", PRODUCTS, {"name": "Other", "idempotencyKey": "full-1"})
    assert (conflict.status_code, conflict.json()["error"]) == (400, "UPSTREAM_FAILURE")
    assert "insforge:test:product:full-1" in conflict.json()["message"]


def test_a_key_that_no_header_can_carry_still_makes_one_product(open_shop: Shop) -> None:
    asked = {"name": "Ferry ticket", "idempotencyKey": "billet\n\x0c no. 1 é∫"}
    first, again = product(open_shop, **asked), product(open_shop, **asked)
    assert first["productId"] == again["productId"]


def test_changes_in_one_second_are_each_read_back_at_once(open_shop: Shop) -> None:
    product_id = product(open_shop, "Version 0", description="old")["productId"]
    path = f"{PRODUCTS}/{product_id}"
    for number in range(1, 6):
        answered = made(open_shop, "PATCH", path, {"name": f"Version {number}", "description": None}, 200)["product"]
        assert (answered["name"], answered["description"]) == (f"Version {number}", None)
        assert made(open_shop, "GET", path, status=200)["product"]["name"] == f"Version {number}"
    # In one second somebody else's change may look older than it is: Stripe is asked when the second is over.
    [due] = open_shop.sql("select next_attempt_at from payments.refetch_queue where object_id = $1", product_id)
    assert due["next_attempt_at"] > open_shop.sql("select now() as now")[0]["now"]


def test_a_deleted_product_is_gone_from_every_list(open_shop: Shop) -> None:
    gone = product(open_shop, "Gone")["productId"]
    assert made(open_shop, "DELETE", f"{PRODUCTS}/{gone}", status=200) == {"productId": gone, "deleted": True}
    assert gone not in [one["productId"] for one in made(open_shop, "GET", PRODUCTS, status=200)["products"]]
    assert gone not in [one["productId"] for one in made(open_shop, "GET", CATALOG, status=200)["products"]]
    assert send(open_shop, "GET", f"{PRODUCTS}/{gone}").json()["error"] == "PAYMENT_PRODUCT_NOT_FOUND"
    again = send(open_shop, "DELETE", f"{PRODUCTS}/{gone}")
    assert (again.status_code, again.json()["error"]) == (404, "UPSTREAM_FAILURE")


def test_a_price_lives_from_creation_to_archive(open_shop: Shop) -> None:
    owner = product(open_shop, "With prices")["productId"]
    body = {"currency": "EUR", "unitAmount": 999, "lookupKey": "pro_monthly", "taxBehavior": "exclusive"}
    more = {"recurring": {"interval": "month", "intervalCount": 3}, "metadata": {"t": "1"}, "idempotencyKey": "p-1"}
    price = made(open_shop, "POST", PRICES, {"productId": owner, **body, **more})["price"]
    price_id = price["priceId"]
    assert {key: price[key] for key in price if key not in ("priceId", "syncedAt")} == {
        "environment": "test",
        "productId": owner,
        "active": True,
        "currency": "eur",
        "unitAmount": 999,
        "unitAmountDecimal": "999",
        "type": "recurring",
        "lookupKey": "pro_monthly",
        "billingScheme": "per_unit",
        "taxBehavior": "exclusive",
        "recurringInterval": "month",
        "recurringIntervalCount": 3,
        "metadata": {"t": "1"},
    }
    assert list(price)[:3] == ["environment", "priceId", "productId"]
    refused = send(open_shop, "DELETE", f"{PRODUCTS}/{owner}")
    assert (refused.status_code, refused.json()["error"]) == (400, "UPSTREAM_FAILURE")
    changed = made(open_shop, "PATCH", f"{PRICES}/{price_id}", {"lookupKey": None, "metadata": {"t": "2"}}, 200)
    assert (changed["price"]["lookupKey"], changed["price"]["metadata"]) == (None, {"t": "2"})
    archived = made(open_shop, "DELETE", f"{PRICES}/{price_id}", status=200)
    assert (archived["archived"], archived["price"]["active"], list(archived)) == (True, False, ["price", "archived"])
    read = made(open_shop, "GET", f"{PRICES}/{price_id}", status=200)["price"]
    assert (read["active"], read["lookupKey"]) == (False, None)


def test_what_stripe_refuses_is_passed_on(open_shop: Shop) -> None:
    owner = product(open_shop, "Refused")["productId"]
    for method, path, body, status in (
        ("POST", PRICES, {**PRICE, "productId": owner, "currency": "zzz"}, 400),
        ("POST", PRICES, {**PRICE, "productId": "prod_none"}, 400),
        ("PATCH", f"{PRODUCTS}/prod_none", {"name": "x"}, 404),
        ("PATCH", f"{PRICES}/price_none", {"active": False}, 404),
        ("DELETE", f"{PRICES}/price%3Fa", None, 404),
    ):
        answer = send(open_shop, method, path, body)
        assert (answer.status_code, answer.json()["error"]) == (status, "UPSTREAM_FAILURE"), answer.text
        assert "nextActions" not in answer.json()


def test_a_write_waits_for_no_sync(open_shop: Shop) -> None:
    lease = "update payments.provider_connections set sync_leased_until = {} where environment = 'test' returning 1"
    open_shop.sql(lease.format("now() + interval '1 minute'"))
    try:
        assert product(open_shop, "During a sync")["active"] is True
    finally:
        open_shop.sql(lease.format("null"))


def test_every_write_is_recorded_with_its_author(open_shop: Shop) -> None:
    changed = product(open_shop, "Recorded")["productId"]
    made(open_shop, "PATCH", f"{PRODUCTS}/{changed}", {"active": False}, 200)
    [record] = open_shop.sql("select * from system.audit_log where target = $1", changed)
    assert (record["action"], record["actor"], record["environment"]) == ("product.update", "api-key", "test")
    assert record["details"] == '{"active": false}'
    assert record["request_id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "/products", {}, "name: Required"),
        ("POST", "/products", {"name": "   "}, "name: Product name is required"),
        ("POST", "/products", {"name": "x", "images": []}, "(root): Unrecognized key(s) in object: 'images'"),
        (
            "POST",
            "/products",
            {"name": 1, "zeta": 1, "alpha": 2},
            "name: Expected string, received number, (root): Unrecognized key(s) in object: 'zeta', 'alpha'",
        ),
        ("POST", "/products", {"name": "x", "metadata": {"a": 1}}, "metadata.a: Expected string, received number"),
        ("POST", "/products", {"name": "x", "metadata": []}, "metadata: Expected object, received array"),
        ("POST", "/products", {"name": "x", "metadata": None}, "metadata: Expected object, received null"),
        ("POST", "/products", {"name": "x", "active": None}, "active: Expected boolean, received null"),
        (
            "POST",
            "/products",
            {"name": "x", "description": "d" * 5001},
            "description: String must contain at most 5000 character(s)",
        ),
        ("POST", "/products", {"name": "x", "idempotencyKey": ""}, "idempotencyKey: Idempotency key is required"),
        (
            "POST",
            "/products",
            {"name": "x", "idempotencyKey": "k" * 201},
            "idempotencyKey: Idempotency key must be 200 characters or fewer",
        ),
        ("PATCH", "/products/prod_1", {}, "(root): At least one product field is required"),
        ("PATCH", "/products/prod_1", {"name": None}, "name: Expected string, received null"),
        (
            "PATCH",
            "/products/prod_1",
            {"foo": 1},
            "(root): Unrecognized key(s) in object: 'foo', (root): At least one product field is required",
        ),
        ("POST", "/prices", {}, "productId: Required, currency: Required, unitAmount: Required"),
        ("POST", "/prices", {**PRICE, "unitAmount": -1}, "unitAmount: Number must be greater than or equal to 0"),
        ("POST", "/prices", {**PRICE, "unitAmount": 1.5}, "unitAmount: Expected integer, received float"),
        ("POST", "/prices", {**PRICE, "unitAmount": "100"}, "unitAmount: Expected number, received string"),
        ("POST", "/prices", {**PRICE, "unitAmount": True}, "unitAmount: Expected number, received boolean"),
        (
            "POST",
            "/prices",
            {**PRICE, "currency": " us "},
            "currency: Currency must be a three-letter ISO currency code",
        ),
        (
            "POST",
            "/prices",
            {**PRICE, "recurring": {"interval": "decade"}},
            "recurring.interval: Invalid enum value. Expected 'day' | 'week' | 'month' | 'year', received 'decade'",
        ),
        (
            "POST",
            "/prices",
            {**PRICE, "recurring": {"interval": "month", "intervalCount": 0}},
            "recurring.intervalCount: Number must be greater than 0",
        ),
        ("POST", "/prices", {**PRICE, "recurring": None}, "recurring: Expected object, received null"),
        ("PATCH", "/prices/price_1", {}, "(root): At least one price field is required"),
        ("PATCH", "/prices/price_1", {"lookupKey": ""}, "lookupKey: String must contain at least 1 character(s)"),
        (
            "PATCH",
            "/prices/price_1",
            {"taxBehavior": None},
            "taxBehavior: Expected 'exclusive' | 'inclusive' | 'unspecified', received null",
        ),
        ("DELETE", "/products/%20", None, "productId: String must contain at least 1 character(s)"),
    ],
)
def test_a_wrong_body_is_told_before_a_missing_key(
    open_shop: Shop, method: str, path: str, body: Any, message: str
) -> None:
    answer = send(open_shop, method, f"{LIVE}{path}", body)
    assert (answer.status_code, answer.json()["error"], answer.json()["message"]) == (400, "INVALID_INPUT", message)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/products", {"name": "x"}),
        ("PATCH", "/products/prod_1", {"description": None}),
        ("DELETE", "/products/prod_1", None),
        ("POST", "/prices", {**PRICE, "unitAmount": 0}),
        ("PATCH", "/prices/price_1", {"active": True}),
        ("DELETE", "/prices/price_1", None),
    ],
)
def test_writes_need_a_key_and_an_admin(open_shop: Shop, method: str, path: str, body: Any) -> None:
    answer = send(open_shop, method, f"{LIVE}{path}", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "PAYMENT_CONFIG_INVALID")
    assert answer.json()["message"] == "STRIPE_LIVE_SECRET_KEY is not configured"
    request = open_shop.server.client.request
    assert request(method, f"{LIVE}{path}", json=body).status_code == 401
    assert request(method, f"{LIVE}{path}", json=body, headers=signed_in("user_1")).status_code == 403
