"""What the pages of the published SDK show, run: the calls of the page about payments in our words, and the SDK's own
reference as it is."""

import pytest

from tests.flows.webhooks import sql
from tests.typescript.conftest import Sdk
from tests.typescript.driving import reference_snippets, snippet
from tests.typescript.selling import ORIGIN, Stall


def settled(sdk: Sdk, selling: Stall, url: str, user: str | None = None) -> dict[str, object]:
    """The answer once everything that the purchase of that payment page changes is there."""
    session = url.rpartition("/")[2].partition("?")[0].partition("#")[0]
    path = f"/api/paygres/test/checkout-sessions/{session}"
    return sdk(user).call("http.get", path, {"params": {"wait": "20"}})


def test_a_signed_in_user_buys_once(sdk: Sdk, selling: Stall) -> None:
    order = selling.order("user_once")
    code = snippet("one-time-checkout", price_123=selling.price)
    did = sdk("user_once").snippet(code, orderId=order, user={"email": "ada@example.com"})
    assert (did["logged"], did["thrown"], len(did["visited"])) == ([], None, 1)
    (url,) = did["visited"]
    assert selling.pay(url) == f"{ORIGIN}/checkout/success"
    told = settled(sdk, selling, url, "user_once")
    assert (told["settled"], selling.order_status(order)) == (True, "paid")


def test_the_same_click_twice_is_one_checkout(sdk: Sdk, selling: Stall) -> None:
    order = selling.order("user_twice")
    code = snippet("one-time-checkout", price_123=selling.price)
    clicks = [sdk("user_twice").snippet(code, orderId=order, user=None)["visited"] for _ in range(2)]
    assert clicks[0] == clicks[1]
    assert len(selling.shop.rows(f"order:{order}")) == 1


def test_a_guest_buys_once_with_the_anonymous_key(sdk: Sdk, selling: Stall) -> None:
    order = selling.order()
    code = snippet("one-time-checkout", price_123=selling.price)
    (url,) = sdk().snippet(code, orderId=order, user=None)["visited"]
    selling.pay(url)
    assert settled(sdk, selling, url)["settled"] is True
    assert selling.order_status(order) == "paid"


def test_a_price_that_does_not_exist_is_told_on_the_console(sdk: Sdk, selling: Stall) -> None:
    code = snippet("one-time-checkout")
    did = sdk("user_none").snippet(code, orderId=selling.order("user_none"), user=None)
    ((label, message),) = did["logged"]
    assert (did["visited"], did["thrown"], label) == ([], None, "Checkout failed:")
    assert message.startswith("No such price: 'price_123'")


def test_an_owner_subscribes_a_team_and_opens_its_portal(sdk: Sdk, selling: Stall) -> None:
    team = selling.owns("user_owner")
    portal = snippet("customer-portal")
    owner = sdk("user_owner")
    # Before anything was bought: 404, which the example takes for "nothing to manage yet".
    assert owner.snippet(portal, teamId=team) == {"visited": [], "logged": [], "thrown": None}
    code = snippet("subscription-checkout", price_monthly_123=selling.plan)
    did = owner.snippet(code, teamId=team, user={"email": "owner@example.com"})
    assert did["thrown"] is None
    (url,) = did["visited"]
    assert selling.pay(url) == f"{ORIGIN}/billing/success"
    assert settled(sdk, selling, url, "user_owner")["settled"] is True
    (page,) = owner.snippet(portal, teamId=team)["visited"]
    shown = selling.shop.sandbox.http.browser.get(page)
    assert (shown.status_code, f"{ORIGIN}/billing" in shown.text) == (200, True)
    billing = owner.call("http.get", f"/api/paygres/test/subjects/team/{team}")["subject"]
    assert [(one["granted"], one["reason"]) for one in billing["access"]] == [(True, "active")]


@pytest.mark.parametrize("name", ["subscription-checkout", "customer-portal"])
def test_somebody_elses_team_is_refused_by_row_level_security(sdk: Sdk, selling: Stall, name: str) -> None:
    team = selling.owns("user_owner")
    code = snippet(name, **({"price_monthly_123": selling.plan} if name == "subscription-checkout" else {}))
    did = sdk("user_stranger").snippet(code, teamId=team, user={"email": "stranger@example.com"})
    assert (did["visited"], did["thrown"]["statusCode"], did["thrown"]["error"]) == ([], 403, "AUTH_UNAUTHORIZED")
    assert "RLS policies" in did["thrown"]["message"]


def test_the_examples_of_the_packages_own_reference(sdk: Sdk, selling: Stall) -> None:
    user = sdk("user_reference")
    selling.owner("insert into public.team_members values ('team_123', 'user_reference', 'owner') returning 1")
    prices = {"price_123": selling.price, "price_monthly_123": selling.plan}
    once, monthly = reference_snippets("`stripe.createCheckoutSession()`", **prices)
    (portal,) = reference_snippets("`stripe.createCustomerPortalSession()`")
    assert len(user.snippet(once)["visited"]) == 1
    assert user.snippet(portal)["visited"] == []
    assert user.snippet(monthly)["thrown"] is None
    asked = "select checkout_session_id as id from payments.stripe_checkout_sessions where subject_id = 'team_123'"
    (row,) = sql(selling.shop.database, asked, role="paygres_service")
    selling.shop.sim("pay", session=row["id"])
    assert sdk("user_reference").call(
        "http.get", f"/api/paygres/test/checkout-sessions/{row['id']}", {"params": {"wait": "20"}}
    )["settled"]
    assert len(user.snippet(portal)["visited"]) == 1
