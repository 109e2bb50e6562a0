"""The command line against a real server process and the real sandbox. Some commands are processes of their own, the
others run in this one, for their start would be most of their time."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Line, Ran, cells, spawn
from tests.flows.checkouts import ADA, Shop, signed_in
from tests.http.running import API_KEY

PRODUCT_COLUMNS = ["Env", "Product ID", "Name", "Active", "Default Price", "Synced At"]


@pytest.fixture
def shop(real_shop: Shop, nowhere: Path) -> Shop:
    """The directory is linked to it."""
    folder = nowhere / ".insforge"
    folder.mkdir()
    (folder / "project.json").write_text(json.dumps({"oss_host": real_shop.server.url, "api_key": API_KEY}))
    return real_shop


@dataclass(frozen=True, slots=True)
class Operator:
    """Commands in this process."""

    line: Line

    def asks(self, *words: str, code: int = 0) -> Any:
        """What the command says with --json, on stdout or, when it fails, on stderr."""
        ran = self.line.here("--json", "payments", "stripe", *words)
        assert ran.code == code, ran
        return json.loads(ran.errors if code else ran.out)

    def sees(self, *words: str) -> list[list[str]]:
        """The cells of the table."""
        return rows(self.line.here(*words))

    def does(self, *words: str) -> str:
        """The line that says that it is done."""
        ran = self.line.here(*words)
        assert (ran.code, ran.errors) == (0, "")
        return ran.out


@pytest.fixture
def operator(shop: Shop, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(Line(shop.server.url, capsys))


def rows(ran: Ran) -> list[list[str]]:
    assert (ran.code, ran.errors) == (0, "")
    return [cells(line) for line in ran.out.splitlines()]


def test_status_shows_what_the_server_knows(shop: Shop, operator: Operator) -> None:
    body = shop.server.client.get("/api/payments/stripe/status", headers={"x-api-key": API_KEY}).json()
    assert operator.asks("status") == body
    columns, test, live = rows(spawn("status"))
    assert columns == ["Env", "Status", "Key", "Account", "Webhook", "Last Sync", "Synced At"]
    assert test[:5] == ["test", "connected", body["connections"][0]["maskedKey"], test[3], "Configured"]
    assert live[:2] == ["live", "unconfigured"]


def test_products_and_prices_after_a_sync(shop: Shop, operator: Operator) -> None:
    price = shop.sandbox.price(500, currency="jpy", recurring={"interval": "month", "interval_count": 3})
    product = shop.sandbox.stripe.v1.prices.retrieve(price).product
    synced = spawn("sync")
    assert synced.out.endswith("✓ Stripe payments synced.\n"), synced
    assert operator.asks("sync", "--environment", "test")["results"][0]["connection"]["lastSyncStatus"] == "succeeded"
    columns, *lines = operator.sees("products")
    assert columns == PRODUCT_COLUMNS
    assert product in [line[1] for line in lines]
    shown = next(line for line in operator.sees("prices", "--product", str(product)) if price in line)
    assert shown[3:7] == ["500 JPY", "recurring", "Yes", "3 month"]
    assert operator.asks("prices", "get", price)["price"]["unitAmount"] == 500
    assert operator.asks("products", "get", str(product))["prices"][0]["priceId"] == price
    assert {one["priceId"] for one in operator.asks("catalog")["prices"]} >= {price, shop.price}


def test_a_refused_key_and_unknown_things(shop: Shop, operator: Operator) -> None:
    refused = operator.asks("config", "set", "--secret-key", "sk_live_wrong", "-e", "test", code=8)
    assert (refused["code"], refused["statusCode"], refused["exitCode"]) == ("PAYMENT_CONFIG_INVALID", 400, 8)
    assert refused["requestId"].startswith("req_")
    assert operator.asks("products", "get", "prod_none", code=4)["code"] == "PAYMENT_PRODUCT_NOT_FOUND"
    wrong = spawn("status", "--url", shop.server.url, "--api-key", "ik_wrong0123456789abcdef")
    assert (wrong.code, wrong.errors.splitlines()[0]) == (2, "Error: Invalid API key")


def test_live_is_guarded_by_the_account_that_is_connected_there(shop: Shop, operator: Operator) -> None:
    # No live account can be connected to a sandbox, so the row is put there: the guard reads it from `status`.
    account = "acct_1ExampleLive0001"
    shop.force(
        "insert into payments.provider_connections (environment, provider, provider_account_id, status)"
        f" values ('live', 'stripe', '{account}', 'connected')"
        f" on conflict (provider, environment) do update set status = 'connected', provider_account_id = '{account}'"
    )
    try:
        refused = operator.asks("webhooks", "configure", "-e", "live", code=6)
        assert refused["nextActions"].endswith(f" --yes --confirm-live {account}")
        # Past the guard the server is asked, which has no live key.
        passed = operator.asks("webhooks", "configure", "-e", "live", "--yes", "--confirm-live", account, code=8)
        assert passed["code"] == "PAYMENT_CONFIG_INVALID"
    finally:
        shop.force("delete from payments.provider_connections where environment = 'live'")


def test_the_key_is_removed_and_set_again(shop: Shop, operator: Operator) -> None:
    assert operator.asks("config", "remove", "--yes") == {
        "provider": "stripe",
        "environment": "test",
        "configured": False,
    }
    assert operator.sees("config", "show")[1] == ["test", "-"]
    assert operator.asks("config", "remove", "--yes", code=4)["code"] == "PAYMENT_CONFIG_NOT_FOUND"
    ran = spawn("config", "set", "--from-env", "STRIPE_TEST_SECRET_KEY", STRIPE_TEST_SECRET_KEY=shop.sandbox.key)
    assert (ran.code, ran.out, ran.errors) == (0, "✓ Stripe test key configured.\n", "")
    columns, row, done = operator.sees("webhooks", "configure")
    assert columns == ["Env", "Webhook ID", "URL", "Configured At"]
    assert row[2] == f"http://localhost:{shop.server.port}/api/webhooks/stripe/test"
    assert done == ["✓ Stripe test webhook configured."]


def test_progress_of_a_sync_comes_while_it_runs(shop: Shop) -> None:
    ran = spawn("--json", "sync", "-e", "test", "--progress", "json")
    assert ran.code == 0
    assert json.loads(ran.out)["results"][0]["connection"]["lastSyncStatus"] == "succeeded"
    told = [json.loads(line) for line in ran.errors.splitlines()]
    assert {one["object"] for one in told} >= {"products", "prices"}
    assert {one["environment"] for one in told} == {"test"}


def test_a_product_lives_and_ends(shop: Shop, operator: Operator) -> None:
    once = ("--idempotency-key", "cli-product-1")
    words = ("products", "create", "--name", "Notebook", "--description", "A5", "--metadata", '{"a":"b"}', *once)
    product = operator.asks(*words)["product"]
    assert (product["name"], product["description"], product["metadata"]) == ("Notebook", "A5", {"a": "b"})
    ident = product["productId"]
    assert operator.asks(*words)["product"]["productId"] == ident
    changed = operator.asks("products", "update", ident, "--description", "null", "--active", "false")["product"]
    assert (changed["description"], changed["active"], changed["name"]) == (None, False, "Notebook")
    assert ident in [one["productId"] for one in operator.asks("products")["products"]]
    assert operator.does("products", "delete", ident, "--yes") == f"✓ Stripe product deleted: {ident}\n"
    assert operator.asks("products", "get", ident, code=4)["code"] == "PAYMENT_PRODUCT_NOT_FOUND"


def test_a_price_lives_and_is_archived(shop: Shop, operator: Operator) -> None:
    product = operator.asks("products", "create", "--name", "Club")["product"]["productId"]
    terms = ("--currency", "kwd", "--unit-amount", "1250", "--interval", "month", "--interval-count", "3")
    price = operator.asks("prices", "create", "--product", product, *terms, "--lookup-key", "club")["price"]
    assert (price["unitAmount"], price["recurringIntervalCount"], price["lookupKey"]) == (1250, 3, "club")
    ident = price["priceId"]
    shown = next(line for line in operator.sees("prices", "list", "--product", product) if ident in line)
    assert shown[3:7] == ["1.250 KWD", "recurring", "Yes", "3 month"]
    assert operator.asks("prices", "update", ident, "--lookup-key", "null")["price"]["lookupKey"] is None
    assert operator.does("prices", "archive", ident) == f"✓ Stripe price archived: {ident}\n"
    assert operator.asks("prices", "get", ident)["price"]["active"] is False
    refused = operator.asks(
        "prices", "create", "--product", "prod_none", "--currency", "usd", "--unit-amount", "5", code=9
    )
    assert refused["code"] == "UPSTREAM_FAILURE"


def test_lists_of_what_was_bought(shop: Shop, operator: Operator) -> None:
    monthly = shop.sandbox.price(900, recurring={"interval": "month"})
    mine = {"type": "user", "id": ADA}
    changes = {"mode": "subscription", "lineItems": [{"priceId": monthly}], "subject": mine}
    shop.pay(shop.buy(signed_in(ADA), **changes))
    whose = ("--subject-type", "user", "--subject-id", ADA)
    shop.wait(lambda: operator.asks("subscriptions", *whose)["subscriptions"])
    columns, subscription = operator.sees("subscriptions", *whose)
    assert columns == ["Subscription ID", "Customer", "Subject", "Status", "Items", "Period End"]
    assert subscription[2:5] == [f"user:{ADA}", "active", "1"]
    shop.wait(lambda: operator.asks("transactions", *whose)["transactions"])
    columns, paid = operator.sees("transactions", *whose)
    assert columns[-2:] == ["Provider Object", "When"]
    assert (paid[1], paid[3], paid[5]) == ("succeeded", "9.00 USD", subscription[1])
    customer = next(line for line in operator.sees("customers") if line[0] == subscription[1])
    assert customer[3:5] == ["1", "9.00 USD"]
    assert operator.asks("transactions", "--subject-type", "user", code=8)["code"] == "INVALID_INPUT"
    assert operator.asks("customers", "--limit", "1")["customers"]


def test_fulfillments_are_listed_and_a_quarantined_one_is_released(shop: Shop, operator: Operator) -> None:
    assert operator.line.here("fulfillments").out == "No fulfillments found.\n"
    session = shop.buy(metadata={"order_id": "cli"})
    shop.pay(session)
    shop.wait(lambda: shop.row(session["id"])["payment_intent_id"] is not None)
    intent = shop.row(session["id"])["payment_intent_id"]
    shop.force(
        "insert into payments.fulfillments (environment, rule, payment_key, key, status, reason, event_id, event_type,"
        f" amount_paid, amount_kept, currency) select 'test', 'orders', '{intent}', 'cli', 'quarantined', 'too cheap',"
        " event_id, event_type, 3000, 3000, 'usd' from payments.stripe_snapshots"
        f" where event_type = 'checkout.session.completed' and object_id = '{session['checkoutSessionId']}'"
    )
    columns, row = operator.sees("fulfillments", "--status", "quarantined", "--payment", intent)
    assert columns == ["ID", "Status", "Rule", "Key", "Payment", "Paid", "Kept", "When", "Reason"]
    assert (row[1:7], row[8]) == (["quarantined", "orders", "cli", intent, "30.00 USD", "30.00 USD"], "too cheap")
    assert operator.asks("fulfillment", "release", row[0], "--reason", "ok", code=6)["code"] == "CONFIRMATION_REQUIRED"
    released = operator.asks("fulfillment", "release", row[0], "--reason", "by phone", "--yes")
    assert (released["outcome"], released["fulfillment"]["status"]) == ("processed", "released")
    again = operator.asks("fulfillment", "release", row[0], "--reason", "by phone", "--yes", code=7)
    assert again["code"] == "FULFILLMENT_NOT_QUARANTINED"


def test_destinations_are_made_shown_without_their_secret_and_removed(shop: Shop, operator: Operator) -> None:
    ran = operator.line.here(
        "destinations", "create", "https://shop.example.com/hooks", "--types", "fulfillment.granted"
    )
    assert (ran.code, ran.out.startswith("whsec_")) == (0, True)
    columns, row = operator.sees("destinations")
    assert columns == ["ID", "Kind", "Name", "URL", "Active", "Pending", "Types"]
    assert row[1:] == ["webhook", *["https://shop.example.com/hooks"] * 2, "Yes", "0", "fulfillment.granted"]
    rotated = operator.line.here("destinations", "rotate", row[0])
    assert rotated.out.startswith("whsec_")
    assert rotated.out != ran.out
    assert operator.line.here("destinations", "messages", row[0]).out == "No messages found.\n"
    assert operator.asks("destinations", "resend", row[0], "none", code=4)["code"] == "MESSAGE_NOT_FOUND"
    assert operator.does("destinations", "delete", row[0], "--yes").endswith("Removed.\n")
    assert operator.asks("destinations")["destinations"] == []
