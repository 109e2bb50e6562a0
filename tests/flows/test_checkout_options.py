"""Defaults that operators set reach Stripe without a change of the client, and no more than they say."""

from collections.abc import Iterator
from typing import Any

import httpx2
import orjson
import pytest

from paygres.server.db.embedded import Urls
from tests.flows.checkouts import ADA, Shop, guest, shop, signed_in, subject
from tests.http.running import ANON_KEY, admin, bearer

OPTIONS = "/api/paygres/test/checkout-options"
KEYS = (
    "environment priceId allowPromotionCodes automaticTax taxIdCollection phoneNumberCollection"
    " billingAddressCollection locale adjustableQuantity expiresAfterMinutes trialPeriodDays paymentMethodCollection"
    " createdAt updatedAt"
)
PARAMETERS = {
    "allow_promotion_codes",
    "automatic_tax",
    "tax_id_collection",
    "phone_number_collection",
    "billing_address_collection",
    "locale",
    "expires_at",
    "payment_method_collection",
    "customer_update",
}


@pytest.fixture(scope="module")
def own_shop(postgres: Urls) -> Iterator[Shop]:
    """A shop whose options no other test sees."""
    with shop(postgres, PAYGRES_POOL_SIZE="2") as opened:
        opened.force(
            "create or replace function payments.can_bill(subject_type text, subject_id text) returns boolean"
            " language sql stable as $$ select auth.jwt() ->> 'sub' is not null $$"
        )
        yield opened


@pytest.fixture
def optioned(own_shop: Shop) -> Iterator[Shop]:
    """Without any option set before or after the test."""
    yield own_shop
    own_shop.sql("delete from payments.checkout_options")


def put(shop: Shop, price: str | None = None, **options: Any) -> dict[str, Any]:
    answer = shop.server.client.put(OPTIONS, params=of(price), headers=admin(), json=options)
    assert answer.status_code == 200, answer.text
    return answer.json()["checkoutOptions"]


def of(price: str | None) -> dict[str, str]:
    return {"priceId": price} if price else {}


def show(shop: Shop, price: str | None = None) -> list[dict[str, Any]]:
    return shop.server.client.get(OPTIONS, params=of(price), headers=admin()).json()["checkoutOptions"]


def monthly(shop: Shop) -> str:
    return known(shop, shop.sandbox.price(900, recurring={"interval": "month"}))


def known(shop: Shop, price: str) -> str:
    """Our mirror has heard of it."""
    shop.wait(lambda: shop.sql("select from payments.stripe_prices where price_id = $1", price))
    return price


def sent(shop: Shop, session: dict[str, Any]) -> dict[str, Any]:
    """What Stripe was sent."""
    return shop.sent(session["id"])


def seconds_open(shop: Shop, session: dict[str, Any]) -> float:
    at_stripe = shop.sandbox.http.api("GET", f"/v1/checkout/sessions/{session['checkoutSessionId']}").json()
    return at_stripe["expires_at"] - at_stripe["created"]


def test_without_options_stripe_is_told_none(optioned: Shop) -> None:
    assert sent(optioned, optioned.buy(signed_in(ADA))).keys().isdisjoint(PARAMETERS)


def test_the_environments_options_reach_every_checkout(optioned: Shop) -> None:
    put(
        optioned,
        allowPromotionCodes=True,
        automaticTax=True,
        taxIdCollection=True,
        phoneNumberCollection=True,
        billingAddressCollection="required",
        locale="de",
    )
    session = optioned.buy()
    assert {k: v for k, v in sent(optioned, session).items() if k in PARAMETERS - {"expires_at"}} == {
        "allow_promotion_codes": True,
        "automatic_tax": {"enabled": True},
        "tax_id_collection": {"enabled": True},
        "phone_number_collection": {"enabled": True},
        "billing_address_collection": "required",
        "locale": "de",
    }
    at_stripe = optioned.sandbox.http.api("GET", f"/v1/checkout/sessions/{session['checkoutSessionId']}").json()
    assert (at_stripe["allow_promotion_codes"], at_stripe["locale"]) == (True, "de")


def test_a_prices_own_words_win_and_the_first_line_items_before_the_next(optioned: Shop) -> None:
    first, second = (known(optioned, optioned.sandbox.price()) for _ in range(2))
    put(optioned, allowPromotionCodes=True, locale="de", billingAddressCollection="auto")
    put(optioned, first, allowPromotionCodes=False)
    put(optioned, second, locale="fr", allowPromotionCodes=True)
    items = [{"priceId": first}, {"priceId": second}]
    params = sent(optioned, optioned.buy(lineItems=items))
    assert (params["locale"], params["billing_address_collection"]) == ("fr", "auto")
    assert "allow_promotion_codes" not in params
    assert sent(optioned, optioned.buy(lineItems=items[::-1]))["allow_promotion_codes"] is True
    assert sent(optioned, optioned.buy())["locale"] == "de"


def test_a_quantity_may_be_changed_where_it_is_allowed(optioned: Shop) -> None:
    fixed = known(optioned, optioned.sandbox.price())
    put(optioned, adjustableQuantity=True)
    put(optioned, fixed, adjustableQuantity=False)
    items = [{"priceId": fixed, "quantity": 3}, {"priceId": optioned.price, "quantity": 2}]
    assert sent(optioned, optioned.buy(lineItems=items))["line_items"] == [
        {"price": fixed, "quantity": 3},
        {
            "price": optioned.price,
            "quantity": 2,
            "adjustable_quantity": {"enabled": True, "minimum": 1, "maximum": 999},
        },
    ]


def test_what_stripe_knows_for_subscriptions_only_is_kept_from_payments(optioned: Shop) -> None:
    put(optioned, trialPeriodDays=14, paymentMethodCollection="if_required")
    price = monthly(optioned)
    params = sent(optioned, optioned.buy(signed_in(ADA)))
    assert "payment_method_collection" not in params
    assert "trial_period_days" not in params["payment_intent_data"]
    params = sent(optioned, subscribe(optioned, price, "sub_only"))
    assert params["payment_method_collection"] == "if_required"
    assert params["subscription_data"]["trial_period_days"] == 14
    assert params["subscription_data"]["metadata"] == params["metadata"]


def subscribe(shop: Shop, price: str, team: str) -> dict[str, Any]:
    return shop.buy(signed_in(ADA), mode="subscription", subject=subject("team", team), lineItems=[{"priceId": price}])


def test_a_plan_is_tried_once(optioned: Shop) -> None:
    put(optioned, trialPeriodDays=7)
    price = monthly(optioned)
    first = subscribe(optioned, price, "tried")
    assert sent(optioned, first)["subscription_data"]["trial_period_days"] == 7
    optioned.pay(first)
    bought = optioned.row(first["id"])["subscription_id"]
    optioned.sandbox.stripe.v1.subscriptions.cancel(bought)
    ended = "select from payments.stripe_subscriptions where subscription_id = $1 and status = 'canceled'"
    optioned.wait(lambda: optioned.sql(ended, bought))
    assert "trial_period_days" not in sent(optioned, subscribe(optioned, price, "tried"))["subscription_data"]
    other_plan = subscribe(optioned, monthly(optioned), "tried")
    assert sent(optioned, other_plan)["subscription_data"]["trial_period_days"] == 7


def test_taxes_of_a_known_customer_may_keep_its_address_and_name(optioned: Shop) -> None:
    put(optioned, automaticTax=True, taxIdCollection=True)
    first = optioned.buy(signed_in(ADA), subject=subject("user", ADA))
    assert "customer_update" not in sent(optioned, first)
    optioned.pay(first)
    params = sent(optioned, optioned.buy(signed_in(ADA), subject=subject("user", ADA)))
    assert params["customer"] == optioned.row(first["id"])["customer_id"]
    assert params["customer_update"] == {"address": "auto", "name": "auto"}


@pytest.mark.parametrize(
    ("minutes", "credential", "seconds"),
    [
        (30, "user", 31 * 60),
        (60, "user", 60 * 60),
        (1440, "user", 24 * 3600 - 60),
        (1440, "guest", 31 * 60),
        (30, "guest", 31 * 60),
    ],
)
def test_sessions_expire_when_they_should_and_a_guests_not_later_than_its_own_limit(
    optioned: Shop, minutes: int, credential: str, seconds: int
) -> None:
    put(optioned, expiresAfterMinutes=minutes)
    headers = signed_in(ADA) if credential == "user" else guest("192.0.2.9")
    assert seconds_open(optioned, optioned.buy(headers)) == pytest.approx(seconds, abs=5)


def test_options_are_frozen_with_the_session_and_no_part_of_the_request(optioned: Shop) -> None:
    first = optioned.buy(idempotencyKey="order:options")
    put(optioned, locale="ja")
    assert optioned.buy(idempotencyKey="order:options") == first
    assert "locale" not in sent(optioned, first)


def test_the_routes_set_show_and_remove_rows(optioned: Shop) -> None:
    price = known(optioned, optioned.sandbox.price())
    whole = put(optioned, locale="en")
    assert list(whole) == KEYS.split()
    assert (whole["environment"], whole["priceId"], whole["locale"]) == ("test", None, "en")
    own = put(optioned, price, trialPeriodDays=30)
    assert [o["priceId"] for o in show(optioned)] == [None, price]
    assert show(optioned, price) == [own]
    replaced = put(optioned, price, expiresAfterMinutes=45)
    assert (replaced["trialPeriodDays"], replaced["expiresAfterMinutes"]) == (None, 45)
    for target, left in ((price, [None]), (None, [])):
        for deleted in (True, False):
            answer = optioned.server.client.delete(OPTIONS, params=of(target), headers=admin())
            assert answer.json() == {"deleted": deleted}
        assert [o["priceId"] for o in show(optioned)] == left
    said = optioned.sql(
        "select action, environment, target, details from system.audit_log"
        " where action like 'checkout_options.%' order by seq desc limit 5"
    )
    assert [(r["action"], r["target"]) for r in reversed(said)] == [
        ("checkout_options.set", None),
        ("checkout_options.set", price),
        ("checkout_options.set", price),
        ("checkout_options.delete", price),
        ("checkout_options.delete", None),
    ]
    assert orjson.loads(said[2]["details"]) == {"expires_after_minutes": 45}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expiresAfterMinutes": 29}, "expiresAfterMinutes: Number must be greater than 29"),
        ({"expiresAfterMinutes": 1441}, "expiresAfterMinutes: Number must be less than or equal to 1440"),
        ({"trialPeriodDays": 0}, "trialPeriodDays: Number must be greater than 0"),
        ({"locale": "klingon"}, "locale: Invalid enum value"),
        ({"allowPromotionCodes": "yes"}, "allowPromotionCodes: Expected boolean, received string"),
        ({"coupons": True}, "(root): Unrecognized key(s) in object: 'coupons'"),
    ],
)
def test_what_stripe_would_not_take_is_refused_when_it_is_set(
    optioned: Shop, options: dict[str, Any], message: str
) -> None:
    answer = optioned.server.client.put(OPTIONS, headers=admin(), json=options)
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_INPUT")
    assert answer.json()["message"].startswith(message)
    assert show(optioned) == []


def test_a_price_nobody_knows_has_no_options(optioned: Shop) -> None:
    answer = optioned.server.client.put(OPTIONS, params={"priceId": "price_1Typo"}, headers=admin(), json={})
    assert (answer.status_code, answer.json()["error"]) == (404, "PAYMENT_PRICE_NOT_FOUND")
    assert "sync" in answer.json()["nextActions"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_options_are_for_admins(optioned: Shop, method: str) -> None:
    def status(headers: dict[str, str]) -> int:
        answer: httpx2.Response = optioned.server.client.request(method, OPTIONS, headers=headers)
        return answer.status_code

    assert [status(h) for h in ({}, bearer(ANON_KEY), signed_in(ADA))] == [401, 401, 403]
