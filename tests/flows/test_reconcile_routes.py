"""Comparisons over HTTP with real processes: a mirror made by webhooks, events on their way, progress, kill -9."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from paygres.server.db.embedded import Urls
from tests.flows.checkouts import ADA, Shop, shop, signed_in, subject
from tests.flows.syncing import SINCE, UNTIL
from tests.http.running import admin, user

PATH = "/api/paygres/test/reconcile"
STREAM = {**admin(), "accept": "text/event-stream"}


@pytest.fixture(scope="module")
def mirrored(postgres: Urls) -> Iterator[Shop]:
    """A shop that has sold something, whose rows were all made by webhooks."""
    with shop(postgres, PAYGRES_POOL_SIZE="4") as opened:
        bought = [opened.buy(signed_in(ADA), subject=subject("user", ADA)) for _ in range(3)]
        for session in bought[:2]:
            opened.pay(session)
        opened.expire(bought[2])
        opened.wait(lambda: len(opened.sql("select from payments.transactions where status = 'succeeded'")) == 2)
        yield opened


def post(shop: Shop, headers: dict[str, str] | None = None, **body: Any) -> httpx2.Response:
    return shop.server.client.post(PATH, headers=headers or admin(), json=body)


def compared(shop: Shop, **body: Any) -> dict[str, Any]:
    """What a comparison found: of an hour ago, for events of one second are newer than a list of the same."""
    shop.force(
        "update payments.stripe_objects set as_of = as_of - 3600;"
        "update payments.stripe_snapshots set as_of = as_of - 3600"
    )
    answer = post(shop, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_mirror_made_by_webhooks_is_as_stripe_has_it(mirrored: Shop) -> None:
    body = compared(mirrored)
    told = body["reconciliation"]
    assert body["findings"] == []
    assert (told["status"], told["fix"], told["classes"], told["moneyAtStake"]) == ("succeeded", False, {}, {})
    assert told["counts"]["checkout_sessions"] == 3
    assert told["requestedBy"] == "api-key"
    assert mirrored.server.client.get(PATH, headers=admin()).json() == body


def test_a_change_whose_event_is_still_on_its_way_is_no_finding(mirrored: Shop) -> None:
    [one] = mirrored.sql("select provider_customer_id as id from payments.customers limit 1")
    mirrored.sim("faults", delay=1.5)
    try:
        mirrored.sandbox.stripe.v1.customers.update(one["id"], {"email": "late@example.com"})
        assert compared(mirrored)["findings"] == []
    finally:
        mirrored.sim("faults", delay=0)
    [now] = mirrored.sql("select email from payments.customers where provider_customer_id = $1", one["id"])
    assert now["email"] == "late@example.com"


def test_a_spoilt_row_is_told_page_by_page_and_repaired(mirrored: Shop) -> None:
    mirrored.force("update payments.transactions set amount = 1, description = 'spoilt'")
    found = compared(mirrored)
    assert [(one["class"], one["table"], one["amount"]) for one in found["findings"]] == [
        ("stale", "transactions", 3000)
    ] * 2
    assert found["reconciliation"]["moneyAtStake"] == {"usd": 6000}
    first = mirrored.server.client.get(PATH, params={"limit": 1}, headers=admin()).json()
    query = {"limit": 1, "after": first["nextAfter"], "class": "stale", "id": first["reconciliation"]["id"]}
    second = mirrored.server.client.get(PATH, params=query, headers=admin()).json()
    assert (first["findings"] + second["findings"], second["nextAfter"]) == (found["findings"], None)
    fixed = compared(mirrored, fix=True, reason="spoilt by hand")
    assert [one["fixed"] for one in fixed["findings"]] == [True, True]
    assert mirrored.sql("select amount, description from payments.transactions where amount <> 3000") == []
    assert compared(mirrored)["findings"] == []
    [record] = mirrored.sql("select reason, target from system.audit_log where action = 'reconcile.fix'")
    assert record == {"reason": "spoilt by hand", "target": fixed["reconciliation"]["id"]}


def test_a_spoilt_checkout_is_found_and_repaired(mirrored: Shop) -> None:
    mirrored.force(
        "update payments.stripe_checkout_sessions set status = 'open', raw = '{}' where status = 'completed'"
    )
    found = compared(mirrored, fix=True)["findings"]
    assert [(one["class"], one["table"], one["amount"]) for one in found] == [
        ("stale", "stripe_checkout_sessions", 3000)
    ] * 2
    assert {name for one in found for name in one["columns"]} >= {"status", "raw.amount_total"}
    assert mirrored.sql("select status, count(*) from payments.stripe_checkout_sessions group by 1 order by 1") == [
        {"status": "completed", "count": 2},
        {"status": "expired", "count": 1},
    ]


def test_progress_is_streamed_and_ends_with_the_report(mirrored: Shop) -> None:
    answer = post(mirrored, STREAM, only=["customers", "charges"])
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = [block.removeprefix("event: ").split("\ndata: ") for block in answer.text.split("\n\n") if block]
    told = [(name, json.loads(body)) for name, body in blocks]
    assert {one["object"] for name, one in told if name == "progress"} >= {"customers", "charges", "payments"}
    name, body = told[-1]
    assert name == "result"
    assert set(body["reconciliation"]["counts"]) == {"customers", "charges"}


@pytest.mark.parametrize(
    "body",
    [{"fix": "yes"}, {"only": []}, {"only": ["events"]}, {"since": "yesterday"}, {"since": None}, {"dryRun": True}],
)
def test_a_wrong_body_is_refused(mirrored: Shop, body: dict[str, Any]) -> None:
    assert post(mirrored, **body).status_code == 400


@pytest.mark.parametrize("query", [{"class": "wrong"}, {"limit": 0}, {"after": -1}, {"id": "1"}, {"page": 1}])
def test_a_wrong_query_is_refused(mirrored: Shop, query: dict[str, Any]) -> None:
    assert mirrored.server.client.get(PATH, params=query, headers=admin()).status_code == 400


def test_only_admins_compare_and_read(mirrored: Shop) -> None:
    assert post(mirrored, user()).status_code == 403
    assert mirrored.server.client.get(PATH, headers=user()).status_code == 403


def test_nothing_is_compared_where_no_key_is(mirrored: Shop) -> None:
    live = "/api/paygres/live/reconcile"
    assert mirrored.server.client.get(live, headers=admin()).status_code == 404
    refused = mirrored.server.client.post(live, headers=admin(), json={})
    assert (refused.status_code, refused.json()["error"]) == (400, "PAYMENT_CONFIG_INVALID")


def test_a_comparison_whose_server_was_killed_is_interrupted(mirrored: Shop) -> None:
    mirrored.sim("seed", customers=4000, since=SINCE, until=UNTIL)
    newest = "select status from payments.reconciliations order by started_at desc limit 1"
    with ThreadPoolExecutor(1) as operator:
        asked = operator.submit(post, mirrored)
        mirrored.wait(lambda: mirrored.sql("select from payments.reconciliation_objects limit 500") and True)
        mirrored.kill()
        assert isinstance(asked.exception(), httpx2.TransportError)
    assert mirrored.sql(newest) == [{"status": "running"}]
    # as if the time for a sign of life, and that of the environment's lease, had passed
    mirrored.force(
        "update payments.reconciliations set alive_until = now(); update payments.provider_connections"
        " set sync_leased_until = now()"
    )
    mirrored.restart()
    told = mirrored.server.client.get(PATH, headers=admin()).json()["reconciliation"]
    assert told["status"] == "interrupted"
    began = time.monotonic()
    again = post(mirrored, only=["products"])
    assert (again.json()["reconciliation"]["status"], time.monotonic() - began < 10) == ("succeeded", True)
    assert mirrored.sql("select status from payments.reconciliations where status = 'running'") == []
