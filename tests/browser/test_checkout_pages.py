"""The payment page in a browser: pay, decline, authenticate, debit, subscribe, promotion codes, saved cards."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.visiting import CARD, DESKTOP, Visitor, shop_of
from tests.sandbox.running import Sandbox
from tests.sandbox.subscribing import subscriber

Visit = Callable[..., Visitor]
Checkout = Callable[..., Any]
BUYER = {"email": "ada@example.com", **CARD}
THANKS = "shop/?id="


def stripe_session(sandbox: Sandbox, id: str, *expand: str) -> dict[str, Any]:
    return sandbox.stripe.v1.checkout.sessions.retrieve(id, {"expand": list(expand)}).to_dict()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_buyer_pays_and_comes_back_to_the_shop(
    sandbox: Sandbox, checkout: Checkout, visit: Visit, script: bool
) -> None:
    session = checkout()
    visitor = visit(session.url, script=script)
    assert visitor.text("#pay") == "Pay $15.00"
    visitor.fill(**BUYER)
    visitor.press("pay")
    assert visitor.place == THANKS + session.id
    paid = stripe_session(sandbox, session.id)
    assert (paid["payment_status"], paid["customer_details"]["email"]) == ("paid", "ada@example.com")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_decline_is_told_at_its_field_and_keeps_what_was_typed(
    checkout: Checkout, visit: Visit, script: bool
) -> None:
    session = checkout()
    visitor = visit(session.url, script=script)
    visitor.fill(**{**BUYER, "card_number": "4000 0000 0000 0002"})
    visitor.press("pay")
    assert visitor.text("#problem") == "Your card was declined."
    assert visitor.focused == "problem"
    assert visitor.page.title().startswith("Error: ")
    field = visitor.find("#card_number")
    assert (field.get_attribute("aria-invalid"), field.input_value()) == ("true", "4000 0000 0000 0002")
    assert visitor.text(f"#{field.get_attribute('aria-describedby')}") == "Your card was declined."
    assert visitor.find("#email").input_value() == "ada@example.com"
    visitor.find("#problem a").click()
    assert visitor.focused == "card_number"
    visitor.fill(card_number="4242424242424242")
    visitor.press("pay")
    assert visitor.place == THANKS + session.id


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_buyer_authenticates(sandbox: Sandbox, checkout: Checkout, visit: Visit, script: bool) -> None:
    session = checkout()
    visitor = visit(session.url, script=script)
    visitor.fill(**{**BUYER, "card_number": "4000002500003155"})
    visitor.press("pay")
    assert "Visa ending in 3155" in visitor.text("main")
    visitor.press("fail")
    assert "We are unable to authenticate" in visitor.text("#problem")
    visitor.fill(**{**BUYER, "card_number": "4000002500003155"})
    visitor.press("pay")
    visitor.press("complete")
    assert visitor.place == THANKS + session.id
    assert stripe_session(sandbox, session.id)["payment_status"] == "paid"


def test_a_bank_debit_completes_the_checkout_unpaid(sandbox: Sandbox, checkout: Checkout, visit: Visit) -> None:
    session = checkout(sandbox.price(2500, currency="eur"))
    visitor = visit(session.url, script=False)
    assert not visitor.find("#iban").is_visible()
    visitor.press("method_sepa_debit")
    assert not visitor.find("#card_number").is_visible()
    visitor.fill(email="ada@example.com", iban="AT61 1904", account_name="Ada")
    visitor.press("pay")
    assert visitor.text("#iban_wrong") == "Your IBAN is none of the test IBANs."
    visitor.fill(iban="AT61 1904 3002 3457 3201")
    visitor.press("pay")
    assert visitor.place == THANKS + session.id
    intent = stripe_session(sandbox, session.id, "payment_intent")["payment_intent"]
    assert intent["status"] in ("processing", "succeeded")


def test_a_buyer_subscribes_after_a_free_trial(sandbox: Sandbox, checkout: Checkout, visit: Visit) -> None:
    price = sandbox.price(2000, recurring={"interval": "month"})
    terms = {"subscription_data": {"trial_period_days": 14}, "customer_email": "grace@example.com"}
    session = checkout(price, mode="subscription", **terms)
    visitor = visit(session.url, script=False)
    shown = [visitor.text(f"#{id}") for id in ("total", "then", "due", "pay", "email")]
    assert shown == ["14 days free", "Then $20.00 per month", "$0.00", "Start trial", "grace@example.com"]
    visitor.fill(**CARD)
    visitor.press("pay")
    assert visitor.place == THANKS + session.id
    subscription = stripe_session(sandbox, session.id, "subscription")["subscription"]
    assert subscription["status"] == "trialing"


def test_a_promotion_code_lowers_the_total(sandbox: Sandbox, checkout: Checkout, visit: Visit) -> None:
    coupon = sandbox.stripe.v1.coupons.create({"percent_off": 20, "duration": "once"}).id
    promotion: Any = {"type": "coupon", "coupon": coupon}
    sandbox.stripe.v1.promotion_codes.create({"promotion": promotion, "code": "BROWSE20"})
    session = checkout(allow_promotion_codes=True)
    visitor = visit(session.url, script=False)
    visitor.fill(promotion_code="NOPE")
    visitor.press("apply")
    assert visitor.text("#promotion_code_wrong") == "This code is invalid."
    visitor.fill(promotion_code="browse20")
    visitor.press("apply")
    assert (visitor.text("#discount"), visitor.text("#due")) == ("−$3.00", "$12.00")
    assert "BROWSE20" in visitor.text("#items")
    visitor.press("remove")
    assert (visitor.find("#discount").count(), visitor.text("#due")) == (0, "$15.00")
    visitor.fill(promotion_code="BROWSE20")
    visitor.press("apply")
    visitor.fill(**BUYER)
    visitor.press("pay")
    assert visitor.place == THANKS + session.id
    assert stripe_session(sandbox, session.id)["amount_total"] == 1200


def test_a_known_customer_pays_with_a_saved_card(sandbox: Sandbox, checkout: Checkout, visit: Visit) -> None:
    customer = subscriber(sandbox)
    saved = sandbox.stripe.v1.payment_methods.list({"customer": customer}).data[0].id
    sandbox.stripe.v1.payment_methods.update(saved, {"allow_redisplay": "always"})
    session = checkout(customer=customer)
    visitor = visit(session.url, script=False)
    assert visitor.text("#email") == "ada@example.com"
    assert visitor.find(f"#method_{saved}").is_checked()
    assert not visitor.find("#card_number").is_visible()
    visitor.press("pay")
    assert visitor.place == THANKS + session.id
    assert stripe_session(sandbox, session.id, "payment_intent")["payment_intent"]["payment_method"] == saved


def test_a_card_is_saved_for_the_next_checkout_when_the_buyer_wants_it(
    sandbox: Sandbox, checkout: Checkout, visit: Visit
) -> None:
    customer = sandbox.stripe.v1.customers.create({"email": "ada@example.com"}).id
    options = {"customer": customer, "saved_payment_method_options": {"payment_method_save": "enabled"}}
    session = checkout(**options)
    visitor = visit(session.url, script=False)
    visitor.fill(**{**CARD, "card_number": "4000002500003155"})
    visitor.find("#save").check()
    visitor.press("pay")
    visitor.press("complete")
    assert visitor.place == THANKS + session.id
    [saved] = sandbox.stripe.v1.payment_methods.list({"customer": customer}).data
    assert saved.allow_redisplay == "always"
    visitor.open(checkout(**options).url)
    assert visitor.find(f"#method_{saved.id}").is_checked()


def test_a_test_card_pays_at_the_press_of_its_button(sandbox: Sandbox, checkout: Checkout, visit: Visit) -> None:
    extras: Any = {"phone_number_collection": {"enabled": True}, "billing_address_collection": "required"}
    session = checkout(**extras)
    visitor = visit(session.url, script=False, width=DESKTOP)
    visitor.press("pay")
    assert visitor.text("#problem") == "Your email is incomplete."
    visitor.fill(email="ada@example.com", line1="2 Pixel Lane", city="Berlin", postal_code="10115", country="de")
    visitor.find("button[value='4242 4242 4242 4242']").click()
    assert visitor.place == THANKS + session.id
    told = stripe_session(sandbox, session.id)["customer_details"]
    assert (told["email"], told["phone"]) == ("ada@example.com", "+1 555 0100")
    assert (told["address"]["city"], told["address"]["country"]) == ("Berlin", "DE")


def test_a_shops_own_fields_are_filled_in(sandbox: Sandbox, checkout: Checkout, visit: Visit) -> None:
    sizes = {"options": [{"label": "Small", "value": "small"}, {"label": "Large", "value": "large"}]}
    fields: Any = [
        {"key": "size", "label": {"type": "custom", "custom": "Size"}, "type": "dropdown", "dropdown": sizes},
        {"key": "age", "label": {"type": "custom", "custom": "Age"}, "type": "numeric", "optional": True},
        {"key": "gift", "label": {"type": "custom", "custom": "Dedication"}, "type": "text", "optional": True},
    ]
    session = checkout(custom_fields=fields, custom_text={"submit": {"message": "Sent within two days."}})
    visitor = visit(session.url, script=False)
    assert visitor.text("#custom_text") == "Sent within two days."
    visitor.fill(**BUYER)
    visitor.fill(custom_age="old", custom_gift="For Grace")
    visitor.press("pay")
    assert visitor.text("#custom_size_wrong") == "Size is missing."
    visitor.find("#custom_size").select_option("large")
    visitor.press("pay")
    assert visitor.text("#custom_age_wrong") == "Age must be a number."
    visitor.fill(custom_age="36")
    visitor.press("pay")
    assert visitor.place == THANKS + session.id
    told = stripe_session(sandbox, session.id)["custom_fields"]
    assert [one[one["type"]]["value"] for one in told] == ["large", "36", "For Grace"]


def test_a_card_is_saved_without_a_payment(sandbox: Sandbox, visit: Visit) -> None:
    customer = sandbox.stripe.v1.customers.create({"email": "ada@example.com"}).id
    urls = {"success_url": shop_of(sandbox.url) + "/?id={CHECKOUT_SESSION_ID}"}
    params: Any = {"mode": "setup", "customer": customer, "currency": "usd", **urls}
    session = sandbox.stripe.v1.checkout.sessions.create(params)
    assert session.url is not None
    visitor = visit(session.url, script=False)
    assert (visitor.text("#pay"), visitor.find("#items").count()) == ("Save", 0)
    visitor.fill(**CARD)
    visitor.press("pay")
    assert visitor.place == THANKS + session.id
    assert len(sandbox.stripe.v1.payment_methods.list({"customer": customer}).data) == 1
    visitor.open(session.url)
    assert "already saved" in visitor.text("h1")


@pytest.mark.parametrize(
    ("currency", "amount", "shown"), [("jpy", 1500, "¥1,500"), ("kwd", 12_500, "KWD 12.500"), ("eur", 999, "€9.99")]
)
def test_amounts_are_shown_with_their_currencys_decimals(
    sandbox: Sandbox, checkout: Checkout, visit: Visit, currency: str, amount: int, shown: str
) -> None:
    session = checkout(sandbox.price(amount, currency=currency))
    visitor = visit(session.url, script=False)
    assert (visitor.text("#total"), visitor.text("#due"), visitor.text("#pay")) == (shown, shown, f"Pay {shown}")


def test_what_costs_nothing_asks_for_no_card_and_what_is_over_leads_back(
    sandbox: Sandbox, checkout: Checkout, visit: Visit
) -> None:
    session = checkout(sandbox.price(0))
    visitor = visit(session.url, script=False)
    assert visitor.find("#card_number").count() == 0
    visitor.fill(email="ada@example.com")
    visitor.press("pay")
    assert visitor.place == THANKS + session.id
    expired = checkout()
    sandbox.stripe.v1.checkout.sessions.expire(expired.id)
    for url, title in ((session.url, "already paid"), (expired.url, "has expired")):
        visitor.open(url)
        assert title in visitor.text("h1")
        visitor.press("back")
        assert visitor.place.startswith("shop/?")
