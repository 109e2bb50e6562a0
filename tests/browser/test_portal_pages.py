"""The customer portal in a browser: plans, cancellation, cards, details, invoices, sessions with one thing to do."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.visiting import CARD, DESKTOP, Visitor, shop_of
from tests.sandbox.running import Sandbox
from tests.sandbox.subscribing import plans, renew, subscribe, subscriber, subscription

Visit = Callable[..., Visitor]
HOME = "shop/?home=1"


def open_portal(sandbox: Sandbox, customer: str, **more: Any) -> str:
    params: Any = {"customer": customer, "return_url": f"{shop_of(sandbox.url)}/?home=1", **more}
    return sandbox.stripe.v1.billing_portal.sessions.create(params).url


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_customer_changes_the_plan_after_seeing_what_it_costs(sandbox: Sandbox, visit: Visit, script: bool) -> None:
    customer, [basic, gold] = subscriber(sandbox), plans(sandbox, 2000, 5000)
    made = subscribe(sandbox, customer, basic)
    visitor = visit(open_portal(sandbox, customer), script=script)
    visitor.find("text=Change plan").click()
    visitor.find(f"#{gold}").check()
    visitor.press("continue")
    preview = visitor.text("#preview")
    assert "Unused time on Pocket plan" in preview
    assert "Remaining time on Pocket plan" in preview
    assert visitor.text("#sum") in ("$30.00", "$29.99")
    assert subscription(sandbox, made["id"])["items"]["data"][0]["price"]["id"] == basic
    visitor.press("confirm")
    assert visitor.text("#notice") == "The plan is changed."
    assert subscription(sandbox, made["id"])["items"]["data"][0]["price"]["id"] == gold
    assert "$50.00 per month" in visitor.text("main")


def test_a_customer_chooses_the_quantity_where_it_may(sandbox: Sandbox, visit: Visit) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 1000)
    made = subscribe(sandbox, customer, price)
    update: Any = {"enabled": True, "default_allowed_updates": ["quantity"], "proration_behavior": "always_invoice"}
    product = sandbox.stripe.v1.prices.retrieve(price).product
    update["products"] = [{"product": product, "prices": [price], "adjustable_quantity": {"enabled": True}}]
    features: Any = {"subscription_update": update}
    configuration = sandbox.stripe.v1.billing_portal.configurations.create({"features": features}).id
    visitor = visit(open_portal(sandbox, customer, configuration=configuration), script=False)
    visitor.find("text=Change plan").click()
    visitor.fill(quantity="3")
    visitor.press("continue")
    assert "charged now" in visitor.text("main")
    visitor.press("confirm")
    assert subscription(sandbox, made["id"])["items"]["data"][0]["quantity"] == 3


def test_a_customer_cancels_one_of_two_subscriptions_and_takes_it_back(sandbox: Sandbox, visit: Visit) -> None:
    customer, [basic, other] = subscriber(sandbox), plans(sandbox, 2000, 700)
    kept, canceled = subscribe(sandbox, customer, basic), subscribe(sandbox, customer, other)
    visitor = visit(open_portal(sandbox, customer), script=False)
    assert visitor.find("section h2 .tag").count() == 2
    visitor.find(f"section[aria-labelledby='title-{canceled['id']}'] >> text=Cancel subscription").click()
    visitor.find("#feedback").select_option("too_expensive")
    visitor.fill(comment="Back in spring")
    visitor.press("confirm")
    assert visitor.text("#notice") == "The cancellation is noted."
    ending = subscription(sandbox, canceled["id"])
    told = ending["cancellation_details"]
    assert (told["feedback"], told["comment"]) == ("too_expensive", "Back in spring")
    assert ending["cancel_at"] == canceled["items"]["data"][0]["current_period_end"]
    assert subscription(sandbox, kept["id"])["cancel_at"] is None
    visitor.find("text=Don’t cancel").click()
    assert visitor.text("#notice") == "The subscription goes on."
    assert subscription(sandbox, canceled["id"])["cancel_at"] is None
    visitor.press("back")
    assert visitor.place == HOME


def test_a_customer_changes_the_card_and_pays_the_open_invoice(sandbox: Sandbox, visit: Visit) -> None:
    customer, [price] = subscriber(sandbox, "pm_card_chargeCustomerFail"), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price, trial_period_days=3)
    renew(sandbox, made["id"])
    visitor = visit(open_portal(sandbox, customer), script=False)
    assert "Payment failed" in visitor.text("main")
    visitor.find("text=Pay invoice").click()
    assert visitor.text("#problem") == "Your card was declined."
    visitor.press("change_card")
    visitor.fill(**{**CARD, "card_number": "4242 4242 4242 4241"})
    visitor.press("save")
    assert visitor.text("#card_number_wrong") == "Your card number is incorrect."
    visitor.fill(card_number="5555 5555 5555 4444")
    visitor.press("save")
    assert "Mastercard ending in 4444, expires 12/34" in visitor.text("main")
    visitor.find("text=Pay invoice").click()
    assert visitor.text("#notice") == "Thank you, the payment was made."
    assert subscription(sandbox, made["id"])["status"] == "active"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_an_invoice_is_paid_on_its_own_page_by_a_card_that_asks(sandbox: Sandbox, visit: Visit, script: bool) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 4200)
    made = subscribe(sandbox, customer, price, payment_behavior="default_incomplete")
    invoice = sandbox.stripe.v1.invoices.retrieve(made["latest_invoice"])
    assert invoice.hosted_invoice_url is not None
    visitor = visit(invoice.hosted_invoice_url, script=script, width=DESKTOP)
    assert visitor.text("#total") == "$42.00"
    visitor.fill(**{**CARD, "card_number": "4000000000000002"})
    visitor.press("pay")
    assert visitor.text("#problem") == "Your card was declined."
    visitor.fill(card_number="4000 0025 0000 3155")
    visitor.press("pay")
    visitor.press("complete")
    assert "Paid" in visitor.text("h1")
    assert visitor.find("#pay").count() == 0
    assert subscription(sandbox, made["id"])["status"] == "active"


def test_details_of_a_customer_are_changed(sandbox: Sandbox, visit: Visit) -> None:
    customer = subscriber(sandbox)
    visitor = visit(open_portal(sandbox, customer), script=False)
    visitor.press("change_details")
    visitor.fill(email="countess@example.com", line1="12 Square", city="London", postal_code="W1", country="GB")
    visitor.press("save")
    assert visitor.text("#notice") == "Your details are saved."
    changed = sandbox.stripe.v1.customers.retrieve(customer)
    assert changed.address is not None
    assert (changed.email, changed.address.country, changed.name) == ("countess@example.com", "GB", "Ada")


def test_a_flow_begins_at_its_page_and_ends_where_it_says(sandbox: Sandbox, visit: Visit) -> None:
    customer, [basic, gold] = subscriber(sandbox), plans(sandbox, 2000, 5000)
    made = subscribe(sandbox, customer, basic)
    item = made["items"]["data"][0]["id"]
    change = {"subscription": made["id"], "items": [{"id": item, "price": gold, "quantity": 1}]}
    after = {"type": "redirect", "redirect": {"return_url": f"{shop_of(sandbox.url)}/?changed=1"}}
    flow = {"type": "subscription_update_confirm", "subscription_update_confirm": change, "after_completion": after}
    visitor = visit(open_portal(sandbox, customer, flow_data=flow), script=False)
    assert "$50.00 per month" in visitor.text("main")
    visitor.press("confirm")
    assert visitor.place == "shop/?changed=1"
    ending: Any = {"type": "subscription_cancel", "subscription_cancel": {"subscription": made["id"]}}
    message = {"hosted_confirmation": {"custom_message": "Come back soon."}, "type": "hosted_confirmation"}
    visitor.open(open_portal(sandbox, customer, flow_data={**ending, "after_completion": message}))
    visitor.press("confirm")
    assert "Come back soon." in visitor.text("main")
    visitor.press("back")
    assert visitor.place == HOME
    visitor.open(open_portal(sandbox, customer, flow_data={"type": "payment_method_update"}))
    visitor.press("keep")
    assert visitor.place == HOME
