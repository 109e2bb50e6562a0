"""What operators do about money: once per key, at Stripe and in our rows, with a record of who did it."""

from typing import Any

import httpx2
import pytest

from tests.flows.checkouts import ADA, Shop, signed_in, subject
from tests.flows.test_subscription_checkout import status_of
from tests.http.running import ANON_KEY, admin, bearer

PAYMENTS = "/api/paygres/test/payments"
SUBSCRIPTIONS = "/api/paygres/test/subscriptions"


def act(shop: Shop, path: str, method: str = "POST", **body: Any) -> httpx2.Response:
    return shop.server.client.request(method, path, headers=admin(), json=body)


def paid(shop: Shop, order: str) -> str:
    """The payment intent of a purchase of 3000 minor units."""
    session = shop.buy(metadata={"order_id": order}, idempotencyKey=f"order:{order}")
    shop.pay(session)
    shop.wait(lambda: shop.row(session["id"])["payment_intent_id"] is not None)
    return shop.row(session["id"])["payment_intent_id"]


def transaction(shop: Shop, ident: str) -> dict[str, Any]:
    (found,) = shop.sql("select * from payments.transactions where provider_object_id = $1", ident)
    return found


def records(shop: Shop, action: str, target: str) -> list[dict[str, Any]]:
    found = "select actor, reason from system.audit_log where action = $1 and target = $2 order by seq"
    return shop.sql(found, action, target)


@pytest.fixture(scope="module")
def bought(open_shop: Shop) -> tuple[str, str, str]:
    """(subscription id, monthly price, a dearer price of the same product), bought by checkout."""
    stripe = open_shop.sandbox.stripe.v1
    product = stripe.products.create({"name": "Operated"})
    prices = [
        stripe.prices.create(
            {"product": product.id, "currency": "usd", "unit_amount": amount, "recurring": {"interval": "month"}}
        ).id
        for amount in (900, 2900)
    ]
    open_shop.wait(lambda: open_shop.sql("select from payments.stripe_prices where price_id = $1", prices[1]))
    session = open_shop.buy(
        signed_in(ADA),
        mode="subscription",
        subject=subject("user", ADA),
        lineItems=[{"priceId": prices[0], "quantity": 1}],
    )
    open_shop.pay(session)
    open_shop.wait(lambda: open_shop.row(session["id"])["subscription_id"] is not None)
    ident = open_shop.row(session["id"])["subscription_id"]
    open_shop.wait(lambda: status_of(open_shop, ident) == "active")
    return ident, prices[0], prices[1]


def test_a_part_and_then_the_rest_of_a_payment_go_back_once_each(open_shop: Shop) -> None:
    intent = paid(open_shop, "op-refund")
    path = f"{PAYMENTS}/{intent}/refunds"
    part = act(open_shop, path, amount=1000, note="broken lid", idempotencyKey="op:part")
    assert part.status_code == 201, part.text
    assert part.json()["refund"]["amount"] == 1000
    again = act(open_shop, path, amount=1000, note="broken lid", idempotencyKey="op:part")
    assert again.json() == part.json()
    open_shop.wait(lambda: transaction(open_shop, intent)["amount_refunded"] == 1000)
    assert transaction(open_shop, intent)["status"] == "partially_refunded"
    assert transaction(open_shop, part.json()["refund"]["refundId"])["type"] == "refund"
    other = act(open_shop, path, amount=500, idempotencyKey="op:part")
    assert (other.status_code, other.json()["error"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    too_much = act(open_shop, path, amount=2001)
    assert (too_much.status_code, "2000" in too_much.json()["message"]) == (400, True)
    rest = act(open_shop, path, reason="requested_by_customer", idempotencyKey="op:rest")
    assert rest.json()["refund"]["amount"] == 2000
    open_shop.wait(lambda: transaction(open_shop, intent)["status"] == "refunded")
    assert act(open_shop, path, reason="requested_by_customer", idempotencyKey="op:rest").json() == rest.json()
    assert act(open_shop, path).status_code == 400
    assert [r["reason"] for r in records(open_shop, "refund.create", intent)] == ["broken lid", None]


def test_an_unknown_payment_is_404_and_a_buyer_may_not_refund(open_shop: Shop) -> None:
    unknown = act(open_shop, f"{PAYMENTS}/pi_unknown/refunds")
    assert (unknown.status_code, unknown.json()["error"]) == (404, "PAYMENT_NOT_FOUND")
    client = open_shop.server.client
    for headers, status in ((bearer(ANON_KEY), 401), (signed_in(ADA), 403), ({}, 401)):
        assert client.post(f"{PAYMENTS}/pi_unknown/refunds", headers=headers, json={}).status_code == status


@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        ({"amount": 0}, "amount: Number must be greater than 0"),
        ({"amount": "5"}, "amount: Expected number, received string"),
        ({"amount": 1.5}, "amount: Expected integer, received float"),
        ({"reason": "angry"}, "reason: Invalid enum value"),
        ({"foo": 1}, "(root): Unrecognized key(s) in object: 'foo'"),
    ],
)
def test_a_refund_that_is_not_well_formed_is_told_what_is_wrong(
    open_shop: Shop, body: dict[str, Any], fragment: str
) -> None:
    answer = act(open_shop, f"{PAYMENTS}/pi_unknown/refunds", **body)
    assert answer.status_code == 400
    assert fragment in answer.json()["message"]


def test_a_preview_costs_what_the_change_then_costs(open_shop: Shop, bought: tuple[str, str, str]) -> None:
    ident, monthly, dearer = bought
    items = [{"priceId": dearer, "quantity": 2}]
    preview = act(open_shop, f"{SUBSCRIPTIONS}/{ident}/preview", items=items)
    assert preview.status_code == 200, preview.text
    shown = preview.json()["preview"]
    assert any(line["proration"] for line in shown["lines"])
    assert status_of(open_shop, ident) == "active"
    changed = act(open_shop, f"{SUBSCRIPTIONS}/{ident}/change", items=items, prorationDate=shown["prorationDate"])
    assert changed.status_code == 200, changed.text
    (item,) = changed.json()["subscription"]["items"]
    assert (item["priceId"], item["quantity"]) == (dearer, 2)
    rows = open_shop.sql(
        "select price_id, quantity from payments.stripe_subscription_items where subscription_id = $1", ident
    )
    assert rows == [{"price_id": dearer, "quantity": 2}]
    back = act(open_shop, f"{SUBSCRIPTIONS}/{ident}/change", items=[{"priceId": monthly}], proration="none")
    assert [i["priceId"] for i in back.json()["subscription"]["items"]] == [monthly]


def test_a_cancellation_is_undone_and_then_made_final(open_shop: Shop, bought: tuple[str, str, str]) -> None:
    ident = bought[0]
    ending = act(open_shop, f"{SUBSCRIPTIONS}/{ident}/cancel", note="moving away")
    assert ending.json()["subscription"]["status"] == "active"
    rows = (
        "select cancel_at_period_end as soon, cancel_at from payments.stripe_subscriptions where subscription_id = $1"
    )
    (row,) = open_shop.sql(rows, ident)
    assert row["soon"] or row["cancel_at"] is not None
    resumed = act(open_shop, f"{SUBSCRIPTIONS}/{ident}/resume")
    assert resumed.status_code == 200, resumed.text
    assert open_shop.sql(rows, ident) == [{"soon": False, "cancel_at": None}]
    assert act(open_shop, f"{SUBSCRIPTIONS}/{ident}/resume").status_code == 400
    ended = act(open_shop, f"{SUBSCRIPTIONS}/{ident}/cancel", when="now", idempotencyKey="op:end")
    assert ended.json()["subscription"]["status"] == "canceled"
    repeated = act(open_shop, f"{SUBSCRIPTIONS}/{ident}/cancel", when="now", idempotencyKey="op:end")
    assert repeated.json() == ended.json()
    assert status_of(open_shop, ident) == "canceled"
    assert act(open_shop, f"{SUBSCRIPTIONS}/{ident}/cancel").status_code == 400
    assert [r["reason"] for r in records(open_shop, "subscription.cancel", ident)] == ["moving away", None]


def test_an_operator_sets_a_customer_and_takes_the_word_back(open_shop: Shop) -> None:
    customer = open_shop.sandbox.stripe.v1.customers.create({"email": "op@example.com"}).id
    known = "select from payments.customers where provider_customer_id = $1"
    open_shop.wait(lambda: open_shop.sql(known, customer))
    path = "/api/paygres/test/mappings"
    body = {"subject": subject("user", "op_user"), "customerId": customer}
    assert act(open_shop, path, "PUT", **body).json()["mapping"]["customerId"] == customer
    query = "?subjectType=user&subjectId=op_user"
    (listed,) = open_shop.server.client.get(path + query, headers=admin()).json()["mappings"]
    assert (listed["customerId"], listed["setBy"], listed["customerEmail"]) == (customer, "operator", "op@example.com")
    assert act(open_shop, path, "PUT", **{**body, "customerId": "cus_unknown"}).status_code == 404
    assert act(open_shop, path + query, "DELETE").json()["mapping"]["customerId"] is None
    assert act(open_shop, path + query, "DELETE").status_code == 404
    assert open_shop.server.client.get(path + query, headers=admin()).json()["mappings"] == []
    assert records(open_shop, "mapping.set", "user:op_user")[0]["actor"] == "api-key"


def test_an_operators_word_is_stronger_than_a_payment_and_gives_way_when_withdrawn(open_shop: Shop) -> None:
    session = open_shop.buy(signed_in("op_payer"), subject=subject("user", "op_payer"))
    open_shop.pay(session)
    mapped = "select provider_customer_id as id from payments.customer_mappings where subject_id = 'op_payer'"
    open_shop.wait(lambda: open_shop.sql(mapped))
    own = open_shop.sql(mapped)[0]["id"]
    other = open_shop.sandbox.stripe.v1.customers.create({"email": "other@example.com"}).id
    known = "select from payments.customers where provider_customer_id = $1"
    open_shop.wait(lambda: open_shop.sql(known, other))
    body = {"subject": subject("user", "op_payer"), "customerId": other}
    act(open_shop, "/api/paygres/test/mappings", "PUT", **body)
    assert open_shop.sql(mapped) == [{"id": other}]
    act(open_shop, "/api/paygres/test/mappings?subjectType=user&subjectId=op_payer", "DELETE")
    assert open_shop.sql(mapped) == [{"id": own}]


def test_notices_are_listed_and_closed_by_hand(open_shop: Shop) -> None:
    open_shop.sql(
        "insert into payments.attention (environment, reason, object_type, object_id, message)"
        " values ('test', 'second_customer', 'customer', 'cus_noticed', 'Look at this.') returning id"
    )
    path = "/api/paygres/test/attention"
    listed = open_shop.server.client.get(f"{path}?open=true&limit=100", headers=admin()).json()["attention"]
    (notice,) = [n for n in listed if n["objectId"] == "cus_noticed"]
    assert act(open_shop, f"{path}/{notice['id']}/dismiss").json()["dismissed"]
    assert act(open_shop, f"{path}/{notice['id']}/dismiss").status_code == 404
    assert act(open_shop, f"{path}/not-an-id/dismiss").status_code == 404
