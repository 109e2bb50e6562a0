"""Syncs over HTTP with real processes: shapes, progress, clients that go away, checkouts meanwhile, kill -9."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from paygres.server.db.embedded import Urls
from paygres.server.flows.sync_plan import NAMES
from tests.flows.checkouts import ADA, Shop, shop, signed_in
from tests.flows.syncing import SINCE, UNTIL
from tests.http.running import admin

BOTH, TEST = "/api/payments/stripe/sync", "/api/payments/stripe/test/sync"
SOME = "/api/paygres/test/sync"
STREAM = {**admin(), "accept": "text/event-stream"}


@pytest.fixture(scope="module")
def mirrored(postgres: Urls) -> Iterator[Shop]:
    """A shop whose server keeps to Stripe's test limits, at a Stripe that enforces them."""
    with shop(postgres, PAYGRES_LIMITS="on") as opened:
        opened.sim("limits", on=True)
        opened.sim("seed", products=3, customers=150, subscriptions=4, since=SINCE, until=UNTIL)
        yield opened


def post(shop: Shop, path: str, headers: dict[str, str] | None = None, **body: Any) -> httpx2.Response:
    return shop.server.client.post(path, headers=headers or admin(), json=body)


def events(text: str) -> list[tuple[str, Any]]:
    """What a stream said: (event, data), comments left out."""
    blocks = [block for block in text.split("\n\n") if block.startswith("event: ")]
    lines = [block.removeprefix("event: ").split("\ndata: ") for block in blocks]
    return [(name, json.loads(told)) for name, told in lines]


def only_sync(shop: Shop) -> dict[str, Any]:
    """The newest sync's row."""
    [row] = shop.sql("select status, objects, requested_by from payments.syncs order by started_at desc limit 1")
    return row


def test_a_sync_answers_in_the_contracts_shape(mirrored: Shop) -> None:
    answer = post(mirrored, TEST)
    [result] = answer.json()["results"]
    assert list(result) == ["environment", "connection", "subscriptions"]
    assert result["subscriptions"] == {"environment": "test", "synced": 4, "unmapped": 4, "deleted": 0}
    counts = result["connection"]["lastSyncCounts"]
    assert set(counts) == set(NAMES)
    assert (counts["products"], counts["customers"]) == (len_of(mirrored, "stripe_products"), 150)
    assert only_sync(mirrored)["requested_by"] == "api-key"


def len_of(shop: Shop, table: str) -> int:
    [found] = shop.sql(f"select count(*) from payments.{table}")
    return found["count"]


def test_a_sync_of_both_leaves_the_environment_without_a_key_alone(mirrored: Shop) -> None:
    test, live = post(mirrored, BOTH).json()["results"]
    assert test["connection"]["lastSyncStatus"] == "succeeded"
    assert (live["connection"]["status"], live["connection"]["lastSyncStatus"]) == ("unconfigured", None)
    assert live["subscriptions"] is None


def test_progress_is_streamed_and_ends_with_the_same_answer(mirrored: Shop) -> None:
    answer = post(mirrored, TEST, STREAM)
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = events(answer.text)
    assert [name for name, _ in told[:-1]] == ["progress"] * (len(told) - 1)
    newest = {one["object"]: one for _, one in told[:-1]}
    assert newest["customers"] == {"environment": "test", "object": "customers", "done": 150, "pages": 2}
    name, body = told[-1]
    assert name == "result"
    assert [list(result) for result in body["results"]] == [["environment", "connection", "subscriptions"]]


def test_some_objects_are_read_and_the_counts_of_the_others_stay(mirrored: Shop) -> None:
    post(mirrored, TEST)
    [result] = post(mirrored, SOME, only=["customers", "products"]).json()["results"]
    assert result["sync"] == {
        "status": "succeeded",
        "error": None,
        "counts": {"products": len_of(mirrored, "stripe_products"), "customers": 150},
        "deleted": {},
        "missing": {},
    }
    assert result["connection"]["lastSyncCounts"]["subscriptions"] == 4
    assert only_sync(mirrored)["objects"] == ["products", "customers"]


@pytest.mark.parametrize("body", [{"only": []}, {"only": ["events"]}, {"only": None}, {"confirmMissing": "yes"}])
def test_a_wrong_body_is_refused(mirrored: Shop, body: dict[str, Any]) -> None:
    assert post(mirrored, SOME, **body).status_code == 400


def test_the_compatible_route_ignores_its_body(mirrored: Shop) -> None:
    assert post(mirrored, TEST, only=[]).status_code == 200


def test_a_sync_goes_on_when_its_client_has_gone(mirrored: Shop) -> None:
    with mirrored.server.client.stream("POST", TEST, headers=STREAM) as answer:
        assert next(answer.iter_lines()) == "event: progress"
    mirrored.wait(lambda: only_sync(mirrored)["status"] == "succeeded")


def test_a_checkout_does_not_wait_for_a_sync_and_stripes_limits_hold(mirrored: Shop) -> None:
    mirrored.sim("seed", customers=4000, since=SINCE, until=UNTIL)
    waits: list[float] = []
    with ThreadPoolExecutor(1) as operator:
        syncing = operator.submit(post, mirrored, TEST)
        while not syncing.done():
            began = time.monotonic()
            mirrored.buy(signed_in(ADA))
            waits.append(time.monotonic() - began)
            time.sleep(0.1)  # buyers who took all of Stripe's 25 requests a second would leave the sync none
        assert syncing.result().json()["results"][0]["connection"]["lastSyncStatus"] == "succeeded"
    asked = mirrored.sandbox.http.browser.get("/_sim/limits").json()["accounts"][mirrored.sandbox.ready["accountId"]]
    assert len(waits) >= 5
    assert max(waits) < 2.0
    assert asked["limited"] == 0, asked


def test_a_sync_whose_server_was_killed_is_finished_by_the_next_one(mirrored: Shop) -> None:
    mirrored.sim("seed", customers=3000, since=SINCE, until=UNTIL)
    everybody = 150 + 4000 + 3000
    with ThreadPoolExecutor(1) as operator:
        asked = operator.submit(post, mirrored, SOME, only=["customers"])
        mirrored.wait(lambda: only_sync(mirrored)["status"] == "running" and 10 <= pages(mirrored) < 60)
        mirrored.kill()
        assert isinstance(asked.exception(), httpx2.TransportError)
    read = pages(mirrored)
    assert only_sync(mirrored)["status"] == "running"
    [kept] = mirrored.sql("select count(*) from payments.customers where synced_at > now() - interval '1 minute'")
    mirrored.force("update payments.provider_connections set sync_leased_until = now()")  # as if 15 s had passed
    mirrored.restart()
    mirrored.wait(lambda: only_sync(mirrored)["status"] != "running", 30)
    assert only_sync(mirrored) == {"status": "succeeded", "objects": ["customers"], "requested_by": "api-key"}
    assert kept["count"] >= read * 100 - 100
    assert pages(mirrored) < everybody / 100 + 15  # what was read before the end was not read again
    [once] = mirrored.sql("select count(*), count(distinct provider_customer_id) as ids from payments.customers")
    assert once == {"count": everybody, "ids": everybody}


def pages(shop: Shop) -> int:
    """Pages of customers in the checkpoints of the newest sync."""
    [row] = shop.sql(
        "select coalesce(sum(pages), 0)::int as pages from payments.sync_windows w where listing = 'customers'"
        " and sync_id = (select id from payments.syncs order by started_at desc limit 1)"
    )
    return row["pages"]
