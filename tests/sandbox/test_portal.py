"""The customer portal: its API, and its page as a browser without JavaScript uses it."""

import re
from typing import Any

import httpx2
import pytest
import stripe

from tests.sandbox.running import Sandbox
from tests.sandbox.subscribing import (
    events_since,
    last_event,
    latest,
    plans,
    renew,
    subscribe,
    subscriber,
    subscription,
)

BAR = "TEST SIMULATOR – not Stripe"
CARD = {"card_number": "5555 5555 5555 4444", "exp": "11/35", "cvc": "123"}
UPDATED = "customer.subscription.updated"


def open_portal(sandbox: Sandbox, customer: str, **more: Any) -> str:
    """The address of a new session."""
    params: Any = {"customer": customer, "return_url": "https://shop.example.com/account", **more}
    return sandbox.stripe.v1.billing_portal.sessions.create(params).url


def post(sandbox: Sandbox, url: str, act: str, **typed: str) -> httpx2.Response:
    return sandbox.http.browser.post(f"{url}/{act}", data=typed)


# the API


def test_a_session_is_made_and_announced(sandbox: Sandbox) -> None:
    customer = subscriber(sandbox)
    before = latest(sandbox)
    session = sandbox.stripe.v1.billing_portal.sessions.create({"customer": customer, "expand": ["configuration"]})
    shown = session.to_dict()
    assert events_since(sandbox, before) == ["billing_portal.session.created"]
    assert (shown["customer"], shown["return_url"], shown["flow"]) == (customer, None, None)
    assert shown["configuration"]["is_default"]
    assert shown["url"].startswith(f"{sandbox.url}/p/session/test_")
    again = sandbox.stripe.v1.billing_portal.sessions.create({"customer": customer})
    assert again.configuration == shown["configuration"]["id"]


@pytest.mark.parametrize(
    ("more", "param", "message"),
    [
        ({"configuration": "bpc_bad"}, "configuration", "No such configuration: 'bpc_bad'"),
        ({"customer": "cus_none"}, "customer", "No such customer: 'cus_none'"),
        ({"return_url": "shop.example.com"}, "return_url", "Not a valid URL"),
        (
            {"flow_data": {"type": "subscription_cancel", "subscription_cancel": {"subscription": "sub_none"}}},
            "flow_data[subscription_cancel][subscription]",
            "No such subscription: 'sub_none'",
        ),
        (
            {"flow_data": {"type": "subscription_update"}},
            "flow_data[subscription_update]",
            "Missing required param: flow_data[subscription_update].",
        ),
    ],
)
def test_a_session_that_cannot_be_is_refused(sandbox: Sandbox, more: dict[str, Any], param: str, message: str) -> None:
    params: Any = {"customer": subscriber(sandbox), **more}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sandbox.stripe.v1.billing_portal.sessions.create(params)
    assert str(refused.value).endswith(message)
    assert (refused.value.http_status, refused.value.param) == (400, param)


def test_configurations_are_made_changed_and_listed(sandbox: Sandbox) -> None:
    configurations = sandbox.stripe.v1.billing_portal.configurations
    before = latest(sandbox)
    made = configurations.create(
        {
            "features": {"invoice_history": {"enabled": True}, "subscription_cancel": {"enabled": True}},
            "default_return_url": "https://shop.example.com/home",
            "business_profile": {"headline": "Our plans"},
        }
    ).to_dict()
    assert (made["active"], made["is_default"], made["business_profile"]["headline"]) == (True, False, "Our plans")
    assert made["features"]["subscription_cancel"]["mode"] == "at_period_end"
    assert not made["features"]["subscription_update"]["enabled"]
    changed = configurations.update(
        made["id"],
        {"features": {"subscription_cancel": {"enabled": True, "mode": "immediately"}}, "metadata": {"a": "b"}},
    ).to_dict()
    assert changed["features"]["subscription_cancel"]["mode"] == "immediately"
    assert changed["features"]["invoice_history"]["enabled"]
    assert events_since(sandbox, before) == [
        "billing_portal.configuration.created",
        "billing_portal.configuration.updated",
    ]
    session = sandbox.stripe.v1.billing_portal.sessions.create(
        {"customer": subscriber(sandbox), "configuration": made["id"]}
    )
    assert session.return_url == "https://shop.example.com/home"
    assert [one.id for one in configurations.list({"is_default": False}).data] == [made["id"]]
    configurations.update(made["id"], {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        open_portal(sandbox, subscriber(sandbox), configuration=made["id"])
    with pytest.raises(stripe.InvalidRequestError, match="No such configuration: 'bpc_none'"):
        configurations.retrieve("bpc_none")


# the page


def test_the_page_shows_what_the_customer_has(sandbox: Sandbox) -> None:
    customer, [basic, _] = subscriber(sandbox), plans(sandbox, 2000, 5000)
    subscribe(sandbox, customer, basic)
    page = sandbox.http.browser.get(open_portal(sandbox, customer))
    assert page.status_code == 200
    for shown in (BAR, "Pocket plan", "$20.00 per month", "Visa ending in 4242", "Change plan", "Paid"):
        assert shown in page.text
    assert 'href="https://shop.example.com/account"' in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


def test_a_cancellation_in_the_portal_says_it_as_flexible_billing_does(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price)
    url = open_portal(sandbox, customer)
    asked = sandbox.http.browser.get(f"{url}/cancel", params={"subscription": made["id"]})
    assert '<label for="feedback">' in asked.text
    assert post(sandbox, url, "cancel", subscription=made["id"], feedback="unused").status_code == 303
    ending = subscription(sandbox, made["id"])
    end = made["items"]["data"][0]["current_period_end"]
    assert (ending["status"], ending["cancel_at"], ending["cancel_at_period_end"]) == ("active", end, False)
    assert ending["cancellation_details"]["feedback"] == "unused"
    event = last_event(sandbox, UPDATED)
    assert event["request"]["id"].startswith("req_")
    assert event["data"]["previous_attributes"] == {
        "cancel_at": None,
        "canceled_at": None,
        "cancellation_details": {"feedback": None, "reason": None},
    }
    home = sandbox.http.browser.get(url, params={"said": "canceled"})
    assert 'role="status"' in home.text
    assert "Ends on" in home.text
    assert post(sandbox, url, "resume", subscription=made["id"]).status_code == 303
    assert subscription(sandbox, made["id"])["cancel_at"] is None
    post(sandbox, url, "cancel", subscription=made["id"])
    assert renew(sandbox, made["id"])["status"] == "canceled"


def test_a_classic_subscription_and_an_immediate_end_follow_their_own_rules(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    classic = subscribe(sandbox, customer, price, billing_mode={"type": "classic"})
    post(sandbox, open_portal(sandbox, customer), "cancel", subscription=classic["id"])
    assert subscription(sandbox, classic["id"])["cancel_at_period_end"]
    features: Any = {"subscription_cancel": {"enabled": True, "mode": "immediately"}}
    strict = sandbox.stripe.v1.billing_portal.configurations.create({"features": features}).id
    url = open_portal(sandbox, customer, configuration=strict)
    other = subscribe(sandbox, customer, price)
    assert post(sandbox, url, "cancel", subscription=other["id"]).status_code == 303
    assert subscription(sandbox, other["id"])["status"] == "canceled"
    assert post(sandbox, url, "card", **CARD).status_code == 402
    assert sandbox.http.browser.get(f"{url}/card").status_code == 404


def test_the_plan_is_changed_among_the_products_prices(sandbox: Sandbox) -> None:
    customer, [basic, gold] = subscriber(sandbox), plans(sandbox, 2000, 5000)
    elsewhere = plans(sandbox, 7000)[0]
    made = subscribe(sandbox, customer, basic)
    url = open_portal(sandbox, customer)
    page = sandbox.http.browser.get(f"{url}/plan", params={"subscription": made["id"]})
    assert gold in page.text
    assert elsewhere not in page.text
    assert re.search(r"\$(30\.00|29\.99) are added to your next invoice", page.text)
    assert post(sandbox, url, "plan", subscription=made["id"], price=elsewhere).status_code == 404
    assert post(sandbox, url, "plan", subscription=made["id"], price=gold).status_code == 303
    assert subscription(sandbox, made["id"])["items"]["data"][0]["price"]["id"] == gold


def test_the_card_is_changed_for_the_customer_and_its_subscriptions(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    old = sandbox.stripe.v1.payment_methods.list({"customer": customer}).data[0].id
    made = subscribe(sandbox, customer, price, default_payment_method=old)
    url = open_portal(sandbox, customer)
    for number, sentence in (("4000000000000002", "Your card was declined."), ("42", "card number is incorrect")):
        page = post(sandbox, url, "card", **{**CARD, "card_number": number})
        assert page.status_code == 402
        assert sentence in page.text
        assert 'role="alert"' in page.text
    before = latest(sandbox)
    assert post(sandbox, url, "card", **CARD).status_code == 303
    assert events_since(sandbox, before) == [
        "setup_intent.created",
        "setup_intent.succeeded",
        "payment_method.attached",
        "customer.updated",
        UPDATED,
    ]
    saved = subscription(sandbox, made["id"])["default_payment_method"]
    assert saved != old
    assert "Mastercard ending in 4444, expires 11/35" in sandbox.http.browser.get(url).text
    assert sandbox.stripe.v1.setup_intents.list({"customer": customer}).data[0].payment_method == saved


def test_a_card_that_fails_later_is_saved_and_an_open_invoice_is_paid_with_the_next(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price)
    url = open_portal(sandbox, customer)
    assert post(sandbox, url, "card", **{**CARD, "card_number": "4000000000000341"}).status_code == 303
    invoice = renew(sandbox, made["id"])["latest_invoice"]
    home = sandbox.http.browser.get(url)
    assert "Payment failed" in home.text
    refused = post(sandbox, url, "pay", invoice=invoice)
    assert (refused.status_code, "Your card was declined." in refused.text) == (402, True)
    post(sandbox, url, "card", **CARD)
    assert post(sandbox, url, "pay", invoice=invoice).status_code == 303
    assert subscription(sandbox, made["id"])["status"] == "active"


def test_nobody_reaches_what_is_anothers(sandbox: Sandbox) -> None:
    [price] = plans(sandbox, 2000)
    owner = subscribe(sandbox, subscriber(sandbox), price)
    url = open_portal(sandbox, subscriber(sandbox))
    for act in ("cancel", "resume", "plan"):
        assert post(sandbox, url, act, subscription=owner["id"], price=price).status_code == 404
    assert post(sandbox, url, "pay", invoice=owner["latest_invoice"]).status_code == 404
    assert sandbox.http.browser.get(f"{url}/cancel", params={"subscription": owner["id"]}).status_code == 404
    assert subscription(sandbox, owner["id"])["cancel_at"] is None


def test_an_address_that_is_wrong_or_over_leads_nowhere(sandbox: Sandbox) -> None:
    session = sandbox.stripe.v1.billing_portal.sessions.create({"customer": subscriber(sandbox)})
    assert sandbox.http.browser.get(session.url).status_code == 200
    sandbox.http.browser.post("/_sim/expire", json={"session": session.id})
    gone = (
        session.url,
        f"{session.url[:-6]}AAAAAA",
        "/p/session/test_x",
        "/p/session/test_YSxiLGM",
        "/p/session/test_é",
    )
    for address in gone:
        for page in (sandbox.http.browser.get(address), post(sandbox, address, "cancel", subscription="sub_1")):
            assert page.status_code == 404
            assert BAR in page.text


def test_a_flow_begins_at_its_own_page(sandbox: Sandbox) -> None:
    customer, [price] = subscriber(sandbox), plans(sandbox, 2000)
    made = subscribe(sandbox, customer, price)
    flow: Any = {"type": "subscription_cancel", "subscription_cancel": {"subscription": made["id"]}}
    url = open_portal(sandbox, customer, flow_data=flow)
    first = sandbox.http.browser.get(url)
    assert (first.status_code, first.headers["location"].endswith("/cancel")) == (303, True)
    assert "Cancel Pocket plan?" in sandbox.http.browser.get(f"{url}/cancel").text
    card = open_portal(sandbox, customer, flow_data={"type": "payment_method_update"})
    assert "Save card" in sandbox.http.browser.get(card, follow_redirects=True).text
    update: Any = {"type": "subscription_update", "subscription_update": {"subscription": made["id"]}}
    plan = open_portal(sandbox, customer, flow_data=update)
    assert "There is no other plan" in sandbox.http.browser.get(plan, follow_redirects=True).text


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a" * 30_000])
def test_a_broken_form_is_answered_with_a_page(sandbox: Sandbox, body: bytes) -> None:
    url = open_portal(sandbox, subscriber(sandbox))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for act in ("cancel", "card"):
        answer = sandbox.http.browser.post(f"{url}/{act}", content=body, headers=kind)
        assert answer.status_code == 400
        assert BAR in answer.text
