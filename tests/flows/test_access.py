"""Access: what a subject may use follows from its subscriptions and purchases, and only its own people see it."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.checkouts import signed_in
from tests.flows.webhooks import deliver, hooked, script, sql
from tests.fresh_database import FreshDatabase
from tests.histories import charge, event, session
from tests.http.running import ANON_KEY, Server, admin, bearer
from tests.subscription_histories import DAY, invoice, item, subscription

NOW = int(time.time())
STAMP = {"insforge_subject_type": "user", "insforge_subject_id": "u1"}
MONTHLY = {"id": "price_m", "object": "price", "active": True, "currency": "usd", "type": "recurring"}
PRO = {"id": "prod_pro", "object": "product", "name": "Pro", "active": True, "metadata": {"plan_family": "pro"}}


@pytest.fixture
def server(database: FreshDatabase) -> Iterator[Server]:
    with hooked(database) as opened:
        catalog = {**MONTHLY, "product": "prod_pro", "lookup_key": "pro-monthly", "metadata": {}}
        assert deliver(opened, event("price.created", NOW - 9, catalog)).status_code == 200
        assert deliver(opened, event("product.created", NOW - 9, PRO)).status_code == 200
        yield opened


def has(database: FreshDatabase, key: str, *more: str) -> bool:
    """`payments.has_access`, asked as a signed-in user's policy would."""
    arguments = ", ".join(f"'{a}'" for a in ("user", "u1", key, *more))
    return sql(database, f"select payments.has_access({arguments}) as it", role="authenticated")[0]["it"]


def became(server: Server, **changed: Any) -> None:
    """The subscription is as given from now on."""
    at = changed.pop("at", NOW - 5)
    items = {"data": [item("a", at=at)], "has_more": False}
    state = subscription("a", **{"metadata": STAMP, "items": items, **changed})
    assert deliver(server, event("customer.subscription.updated", NOW + next(_seconds), state, {})).status_code == 200


_seconds = iter(range(1000))


def test_an_active_subscription_grants_by_lookup_key_family_product_and_price(
    server: Server, database: FreshDatabase
) -> None:
    assert not has(database, "pro-monthly")
    became(server)
    assert all(has(database, key) for key in ("pro-monthly", "pro", "prod_pro", "price_m"))
    assert not has(database, "enterprise")
    assert not has(database, "pro", "live")


def test_a_family_written_into_a_subscriptions_own_metadata_grants_nothing(
    server: Server, database: FreshDatabase
) -> None:
    became(server, metadata={**STAMP, "plan_family": "enterprise"})
    assert has(database, "pro")
    assert not has(database, "enterprise")


def test_past_due_keeps_access_for_the_grace_and_no_longer(server: Server, database: FreshDatabase) -> None:
    became(server, status="past_due", at=NOW - 6 * DAY)
    assert has(database, "pro")
    became(server, status="past_due", at=NOW - 8 * DAY)
    assert not has(database, "pro")


def test_grace_begins_with_the_newest_period_when_items_have_periods_of_their_own(
    server: Server, database: FreshDatabase
) -> None:
    for began, granted in ((1, True), (8, False)):
        yearly, monthly = item("y", "price_y", "prod_y", at=NOW - 180 * DAY), item("m", at=NOW - began * DAY)
        became(server, status="past_due", items={"data": [yearly, monthly], "has_more": False})
        assert has(database, "pro") is granted, began


def test_grace_begins_with_the_unpaid_invoice_when_it_is_known(server: Server, database: FreshDatabase) -> None:
    """That of an upgrade in mid-period fails when its period has long begun."""
    became(server, status="past_due", at=NOW - 20 * DAY)
    assert not has(database, "pro")
    for later, (days, granted) in enumerate(((1, True), (9, False))):
        unpaid = {**invoice("a"), "status": "open", "created": NOW - days * DAY, "metadata": STAMP}
        assert deliver(server, event("invoice.payment_failed", NOW + later, unpaid)).status_code == 200
        assert has(database, "pro") is granted, days


def test_what_a_test_card_bought_counts_nowhere_when_the_live_key_is_taken_away(
    server: Server, database: FreshDatabase
) -> None:
    became(server)
    assert has(database, "pro")
    for status in ("connected", "unconfigured"):
        script(
            database,
            "set role paygres_service; insert into payments.provider_connections"
            " (provider, environment, status, provider_account_id) values ('stripe', 'live', 'connected', 'acct_live')"
            f" on conflict (provider, environment) do update set status = '{status}'",
        )
        assert not has(database, "pro"), status
    assert has(database, "pro", "test")


def test_an_ended_or_unpaid_subscription_grants_nothing(server: Server, database: FreshDatabase) -> None:
    for status in ("unpaid", "paused", "incomplete", "canceled"):
        became(server, status=status)
        assert not has(database, "pro"), status


def test_a_purchase_grants_until_it_is_given_back(server: Server, database: FreshDatabase) -> None:
    row_id = "6b1f0d2c-0000-4000-8000-0000000000aa"
    script(
        database,
        "set role project_admin; insert into payments.stripe_checkout_sessions"
        " (id, environment, mode, subject_type, subject_id, success_url, cancel_url, line_items) values"
        f" ('{row_id}', 'test', 'payment', 'user', 'u1', 'https://a.example.com', 'https://a.example.com',"
        """ '[{"priceId": "price_once", "quantity": 1}]')""",
    )
    bought = session(
        "o", status="complete", payment_status="paid", payment_intent="pi_o", client_reference_id=row_id, metadata=STAMP
    )
    assert deliver(server, event("checkout.session.completed", NOW, bought)).status_code == 200
    assert has(database, "price_once")
    partly = charge("o", amount_refunded=1000)
    assert deliver(server, event("charge.refunded", NOW + 1, partly)).status_code == 200
    assert has(database, "price_once")
    wholly = charge("o", amount_refunded=2500, refunded=True)
    assert deliver(server, event("charge.refunded", NOW + 2, wholly)).status_code == 200
    assert not has(database, "price_once")


def test_a_subject_is_shown_to_those_who_may_see_its_billing_and_nobody_else(
    server: Server, database: FreshDatabase
) -> None:
    became(server, cancel_at=NOW + 3 * DAY)
    path = "/api/paygres/test/subjects/user/u1"
    own = server.client.get(path, headers=signed_in("u1"))
    assert own.status_code == 200
    shown = own.json()["subject"]
    (access,) = shown["access"]
    assert (access["lookupKey"], access["granted"], access["reason"]) == ("pro-monthly", True, "canceling")
    assert access["until"] == time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(NOW + 3 * DAY))
    assert access["renewsAt"] is None
    assert [s["subscriptionId"] for s in shown["subscriptions"]] == ["sub_a"]
    assert shown["customerId"] == "cus_a"
    assert server.client.get(path, headers=signed_in("u2")).status_code == 403
    assert server.client.get(path, headers=bearer(ANON_KEY)).status_code == 403
    assert server.client.get(path, headers=admin()).status_code == 200
    assert server.client.get(path).status_code == 401


def test_members_see_what_their_team_pays_for_when_the_developer_says_so(
    server: Server, database: FreshDatabase
) -> None:
    script(
        database,
        "create or replace function payments.can_view_billing(subject_type text, subject_id text) returns boolean"
        " language sql stable set search_path = '' as $$ select subject_id = 't1' $$",
    )
    shown = server.client.get("/api/paygres/test/subjects/team/t1", headers=signed_in("u2"))
    assert shown.status_code == 200
    assert shown.json()["subject"]["access"] == []
    assert server.client.get("/api/paygres/test/subjects/user/u1", headers=signed_in("u1")).status_code == 403
