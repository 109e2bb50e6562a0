"""What tests of subscriptions begin with: a customer with a saved card, plans of one product, a subscription."""

from typing import Any

from tests.sandbox.running import Sandbox

# What comes seconds later by itself.
LATE = ("charge.updated", "invoice_payment.paid")


def subscriber(sandbox: Sandbox, card: str = "pm_card_visa", **more: Any) -> str:
    """A customer whose default payment method is the card."""
    client = sandbox.stripe.v1
    params: Any = {"email": "ada@example.com", "name": "Ada", **more}
    customer = client.customers.create(params).id
    method = client.payment_methods.attach(card, {"customer": customer}).id
    client.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})
    return customer


def plans(sandbox: Sandbox, *amounts: int, **recurring: Any) -> list[str]:
    """Prices of one new product, monthly unless said otherwise."""
    product = sandbox.stripe.v1.products.create({"name": "Pocket plan"}).id
    every: Any = {"interval": "month", **recurring}
    create = sandbox.stripe.v1.prices.create
    return [
        create({"product": product, "currency": "usd", "unit_amount": amount, "recurring": every}).id
        for amount in amounts
    ]


def subscribe(sandbox: Sandbox, customer: str, price: str, **more: Any) -> dict[str, Any]:
    params: Any = {"customer": customer, "items": [{"price": price}], **more}
    return sandbox.stripe.v1.subscriptions.create(params).to_dict()


def subscription(sandbox: Sandbox, id: str) -> dict[str, Any]:
    return sandbox.stripe.v1.subscriptions.retrieve(id).to_dict()


def renew(sandbox: Sandbox, id: str, **more: Any) -> dict[str, Any]:
    """Its period is over now; answers the subscription."""
    answer = sandbox.http.browser.post("/_sim/renew", json={"subscription": id, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def latest(sandbox: Sandbox) -> str:
    """The id of the newest event."""
    return sandbox.stripe.v1.events.list({"limit": 1}).data[0].id


def events_since(sandbox: Sandbox, event: str) -> list[str]:
    """The types of what came after the event, oldest first, without what comes seconds later by itself."""
    found = sandbox.stripe.v1.events.list({"ending_before": event, "limit": 100}).data
    return [one.type for one in reversed(found) if one.type not in LATE]


def last_event(sandbox: Sandbox, type: str) -> dict[str, Any]:
    return sandbox.stripe.v1.events.list({"type": type, "limit": 1}).data[0].to_dict()
