"""A seed file: what it plants, what it refuses and how it says so, and that a second start doubles nothing."""

from pathlib import Path
from typing import Any

import pytest

from paygres.contrib.payments_sandbox import Sandbox, SandboxError

SHOP = Path(__file__).resolve().parents[2] / "docs" / "examples" / "shop.yaml"


def types(sandbox: Sandbox) -> list[str]:
    return [event.type for event in sandbox.events.list()]


def test_the_example_of_the_documentation_is_planted_whole(sandbox: Sandbox) -> None:
    sandbox.reset(seed=SHOP)
    made = sandbox.seeded
    assert made["prices"] == {
        "pro_monthly": "price_pro_monthly",
        "pro_yearly": "price_pro_yearly",
        "notebook": "price_notebook",
    }
    assert made["products"]["notebook"] == "prod_notebook"
    assert f"{sandbox.clock.now:%Y-%m-%d %H:%M}" == "2026-04-10 09:00"
    ada = sandbox.request("GET", f"/v1/customers/{made['customers']['ada']}")
    assert (ada["email"], ada["metadata"]) == ("ada@example.com", {"team_id": "team_1"})
    subscription = sandbox.subscriptions(made["subscriptions"]["ada_pro"]).read()
    assert (subscription["status"], subscription["customer"]) == ("active", ada["id"])
    assert subscription["items"]["data"][0]["price"]["id"] == "price_pro_monthly"
    assert sandbox.subscriptions(made["subscriptions"]["grace_trial"]).read()["status"] == "trialing"
    [code] = sandbox.request("GET", "/v1/promotion_codes", {"code": "LAUNCH25"})["data"]
    assert code["promotion"]["coupon"] == "LAUNCH"
    [portal] = sandbox.request("GET", "/v1/billing_portal/configurations", {"is_default": True})["data"]
    offered = portal["features"]["subscription_update"]
    assert (offered["enabled"], offered["default_allowed_updates"]) == (True, ["price"])


def test_what_is_planted_happens_with_its_events(sandbox: Sandbox) -> None:
    sandbox.reset(seed=SHOP)
    happened = types(sandbox)
    for type in ("product.created", "price.created", "coupon.created", "promotion_code.created", "customer.created"):
        assert type in happened
    assert happened.count("customer.subscription.created") == 2
    assert "invoice.paid" in happened


def test_a_trial_ends_and_its_card_fails(sandbox: Sandbox) -> None:
    sandbox.reset(seed=SHOP)
    sandbox.clock.advance(days=15)
    grace = sandbox.subscriptions(sandbox.seeded["subscriptions"]["grace_trial"])
    assert grace.read()["status"] == "past_due"
    sandbox.events.wait("invoice.payment_failed")


def test_customers_live_in_a_test_clock_of_the_file(sandbox: Sandbox) -> None:
    sandbox.reset(
        seed={
            "products": {"pro": {"name": "Pro", "prices": {"monthly": PRICE}}},
            "test_clocks": {"may": {"frozen_time": "2026-05-01T00:00:00Z"}},
            "customers": {"ada": {"email": "ada@example.com", "test_clock": "may", "card": "4242424242424242"}},
            "subscriptions": {"ada_pro": {"customer": "ada", "price": "monthly"}},
        }
    )
    made = sandbox.seeded
    subscription = sandbox.subscriptions(made["subscriptions"]["ada_pro"]).read()
    assert subscription["test_clock"] == made["test_clocks"]["may"]
    assert subscription["start_date"] == 1_777_593_600


def test_a_webhook_of_the_file_may_choose_its_secret(sandbox: Sandbox, receiver: Any) -> None:
    receiver.secret = "whsec_chosen_for_the_tests_of_this_shop"
    sandbox.reset(
        seed={"webhooks": {"app": {"url": receiver.url, "events": "customer.created", "secret": receiver.secret}}}
    )
    assert sandbox.seeded["webhooks"]["app"]["secret"] == receiver.secret
    sandbox.request("POST", "/v1/customers", {"email": "ada@example.com"})
    receiver.wait("customer.created")  # it checks the signature
    sandbox.events.wait("customer.created")


def test_a_second_start_with_the_same_state_doubles_nothing(tmp_path: Path) -> None:
    state, hook = tmp_path / "state.db", "http://127.0.0.1:9/hooks"
    with Sandbox.start(seed=SHOP, state=state, webhooks=[hook]) as first:
        made, created, secret = first.seeded, first.events.list("customer.created"), first.webhooks[0].secret
    with Sandbox.start(seed=SHOP, state=state, webhooks=[hook]) as second:
        assert second.seeded == made
        assert second.events.list("customer.created") == created
        assert len(second.request("GET", "/v1/prices", {"limit": 100})["data"]) == 3
        assert [one.secret for one in second.webhooks] == [secret]


def test_a_file_is_planted_beside_what_is_there(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.reset(seed=SHOP)
    before = dict(sandbox.seeded["customers"])
    file = tmp_path / "more.yaml"
    file.write_text(
        "customers:\n  alan: {email: alan@example.com}\n"
        "subscriptions:\n  alan: {customer: alan, price: pro_monthly, trial_days: 7}\n"
    )
    planted = sandbox.seed(file)
    assert planted["customers"].keys() == {"alan"}
    assert sandbox.seeded["customers"] == before | planted["customers"]


PRICE: dict[str, Any] = {"unit_amount": 900, "currency": "usd", "recurring": "month"}
WRONG = {
    "customers:\n  ada: {emial: ada@example.com}": (
        "bad.yaml:2: customers.ada.emial is not known here. Did you mean `email`?"
    ),
    "custmers: {}": "bad.yaml:1: custmers is not known here. Did you mean `customers`?",
    "products:\n  pro:\n    prices: {}": "bad.yaml:2: products.pro needs `name`",
    "products:\n  pro:\n    name: Pro\n    prices:\n      a: {unit_amount: 1, currency: usdd}": (
        "bad.yaml:5: products.pro.prices.a is refused: Invalid currency: usdd"
    ),
    "products:\n  pro: {name: Pro, prices: {a: {currency: usd, tiers: []}}}": (
        "bad.yaml:2: products.pro.prices.a.tiers is not known here."
    ),
    "subscriptions:\n  s: {customer: ada, price: x}": (
        "bad.yaml:2: subscriptions.s.customer is not known here. Known: nothing."
    ),
    "customers:\n  ada: {email: a@example.com}\nsubscriptions:\n  s: {customer: adda, price: x}": (
        "bad.yaml:4: subscriptions.s.customer is not known here. Did you mean `ada`?"
    ),
    "customers:\n  ada: {}\n  ada: {}": "bad.yaml:3: customers.ada stands here twice",
    "customers:\n  ada: {card: '4000000000000003'}": (
        "bad.yaml:2: customers.ada.card is refused: Your card number is incorrect."
    ),
    "customers: [ada]": "bad.yaml:1: customers must be a mapping of names",
    "clock: yesterday": "bad.yaml:1: clock cannot be read: 'yesterday' is no time",
    "faults: {dupliacte: 1}": "bad.yaml:1: faults cannot be read: there is no dial `dupliacte`",
    "webhooks:\n  app: {url: 'http://127.0.0.1:9', secret: sk_live_1234}": "bad.yaml:2: a live key does not belong",
    "customers:\n\t- x": "bad.yaml:2: this is no YAML",
    "- a": "bad.yaml:1: the file must be a mapping",
}


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_a_mistake_is_told_with_its_line_and_plants_nothing(sandbox: Sandbox, tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SandboxError) as refused:
        sandbox.seed(file)
    assert WRONG[text] in str(refused.value)
    assert sandbox.request("GET", "/v1/customers")["data"] == []
    assert sandbox.events.list() == []


def test_a_reset_with_a_wrong_file_leaves_everything_as_it_was(sandbox: Sandbox) -> None:
    sandbox.request("POST", "/v1/customers", {"email": "ada@example.com"})
    with pytest.raises(SandboxError, match="Did you mean `products`"):
        sandbox.reset(seed={"prodcts": {}})
    assert len(sandbox.request("GET", "/v1/customers")["data"]) == 1
