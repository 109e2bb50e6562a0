"""The catalog, customers, the account and webhook endpoints, through the official client."""

import pytest
import stripe

from tests.sandbox.running import VERSION, Sandbox


def test_the_account_is_the_keys_own(sandbox: Sandbox) -> None:
    account = sandbox.stripe.v1.accounts.retrieve_current()
    assert account.id == sandbox.ready["accountId"]
    assert account.charges_enabled
    assert sandbox.stripe.v1.accounts.retrieve(account.id).id == account.id
    with pytest.raises(stripe.PermissionError):
        sandbox.stripe.v1.accounts.retrieve("acct_1Other")


def test_the_key_names_its_account(sandbox: Sandbox) -> None:
    assert sandbox.key.removeprefix("sk_test_5").startswith(sandbox.ready["accountId"].removeprefix("acct_"))
    assert len(sandbox.key) == 107


def test_a_product_lives_and_dies(sandbox: Sandbox) -> None:
    products = sandbox.stripe.v1.products
    product = products.create({"name": "Mug", "images": ["https://shop.example.com/mug.png"]})
    assert (product.active, product.livemode, product.default_price) == (True, False, None)
    assert products.update(product.id, {"name": "Cup", "description": "Blue"}).name == "Cup"
    assert products.update(product.id, {"description": ""}).description is None
    deleted = products.delete(product.id)
    assert deleted.deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such product"):
        products.retrieve(product.id)
    assert sandbox.event_types(types=["product.created", "product.updated", "product.deleted"])[-4:] == [
        "product.created",
        "product.updated",
        "product.updated",
        "product.deleted",
    ]


def test_a_product_with_prices_cannot_be_deleted(sandbox: Sandbox) -> None:
    product = sandbox.stripe.v1.products.create(
        {"name": "Mug", "default_price_data": {"currency": "usd", "unit_amount": 900}}
    )
    assert product.default_price
    with pytest.raises(stripe.InvalidRequestError, match="one or more user-created prices"):
        sandbox.stripe.v1.products.delete(product.id)


def test_a_chosen_product_id_is_taken_once(sandbox: Sandbox) -> None:
    assert sandbox.stripe.v1.products.create({"id": "mug", "name": "Mug"}).id == "mug"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sandbox.stripe.v1.products.create({"id": "mug", "name": "Mug"})
    assert refused.value.code == "resource_already_exists"


def test_prices_are_one_time_or_recurring(sandbox: Sandbox) -> None:
    prices = sandbox.stripe.v1.prices
    once = prices.retrieve(sandbox.price(250))
    assert (once.type, once.recurring) == ("one_time", None)
    assert (once.unit_amount, str(once.unit_amount_decimal)) == (250, "250")
    monthly = prices.retrieve(sandbox.price(recurring={"interval": "month"}))
    assert monthly.recurring is not None
    assert (monthly.type, monthly.recurring.interval, monthly.recurring.interval_count) == ("recurring", "month", 1)
    with pytest.raises(stripe.InvalidRequestError, match="Invalid non-negative integer"):
        sandbox.price(-1)


def test_a_lookup_key_belongs_to_one_price_and_can_be_transferred(sandbox: Sandbox) -> None:
    first = sandbox.price(lookup_key="basic")
    with pytest.raises(stripe.InvalidRequestError, match=f"A price \\(`{first}`\\) already uses that lookup key."):
        sandbox.price(lookup_key="basic")
    second = sandbox.price(lookup_key="basic", transfer_lookup_key=True)
    assert sandbox.stripe.v1.prices.retrieve(first).lookup_key is None
    assert sandbox.stripe.v1.prices.retrieve(second).lookup_key == "basic"


def test_a_customer_is_updated_and_deleted_with_its_tombstone(sandbox: Sandbox) -> None:
    customers = sandbox.stripe.v1.customers
    customer = customers.create({"email": "ada@example.com", "address": {"city": "Graz"}})
    assert customers.update(customer.id, {"name": "Ada", "phone": ""}).name == "Ada"
    event = sandbox.stripe.v1.events.list({"type": "customer.updated", "limit": 1}).data[0].to_dict()
    assert event["data"]["previous_attributes"] == {"name": None}
    assert event["request"]["id"].startswith("req_")
    customers.delete(customer.id)
    assert customers.retrieve(customer.id).to_dict() == {"id": customer.id, "object": "customer", "deleted": True}
    assert not customers.list({"email": "ada@example.com"}).data
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        customers.update(customer.id, {"name": "B"})


def test_an_update_that_changes_nothing_sends_no_event(sandbox: Sandbox) -> None:
    customer = sandbox.stripe.v1.customers.create({"name": "Ada"})
    before = sandbox.event_types()
    sandbox.stripe.v1.customers.update(customer.id, {"name": "Ada"})
    assert sandbox.event_types() == before


def test_the_secret_of_an_endpoint_is_told_once(sandbox: Sandbox) -> None:
    endpoints = sandbox.stripe.v1.webhook_endpoints
    made = endpoints.create(
        {
            "url": "https://api.example.com/hook",
            "enabled_events": ["checkout.session.completed"],
            "api_version": VERSION,
            "metadata": {"installation": "1"},
        }
    )
    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    assert "secret" not in endpoints.retrieve(made.id)
    assert (made.api_version, made.status, made.application) == (VERSION, "enabled", None)
    changed = endpoints.update(made.id, {"disabled": True, "enabled_events": ["*"]})
    assert (changed.status, changed.enabled_events) == ("disabled", ["*"])
    assert [one.id for one in endpoints.list().data] == [made.id]
    assert endpoints.delete(made.id).deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such webhook endpoint"):
        endpoints.retrieve(made.id)


def test_an_account_has_at_most_sixteen_endpoints(sandbox: Sandbox) -> None:
    endpoints = sandbox.stripe.v1.webhook_endpoints
    params = {"url": "http://127.0.0.1:9/hook", "enabled_events": ["payout.paid"]}
    made = [endpoints.create(params).id for _ in range(16)]  # type: ignore[arg-type]
    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16"):
        endpoints.create(params)  # type: ignore[arg-type]
    for id in made:
        endpoints.delete(id)


def test_an_unknown_event_type_is_refused(sandbox: Sandbox) -> None:
    error = sandbox.http.refused(
        "POST", "/v1/webhook_endpoints", "url=https://api.example.com/hook&enabled_events[]=no.such"
    )
    assert error["param"] == "enabled_events[0]"
    assert error["message"].startswith("Invalid enabled_events[0]: must be one of ")
