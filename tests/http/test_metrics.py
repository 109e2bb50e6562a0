"""What Prometheus reads: bounded labels, honest counts, and nobody's business without a credential."""

import re
import time
from collections.abc import Iterator

import pytest

from paygres.server.db.embedded import Urls
from tests.flows.webhooks import deliver, hooked, script
from tests.fresh_database import FreshDatabase, cloned
from tests.histories import event, intent
from tests.http.running import ANON_KEY, Server, admin, bearer, user

TOKEN = "a token for the scraper only"
Scraped = tuple[Server, FreshDatabase]


@pytest.fixture(scope="module")
def scraped(postgres: Urls) -> Iterator[Scraped]:
    """A server whose metrics have a token of their own."""
    with cloned(postgres) as database, hooked(database, PAYGRES_METRICS_TOKEN=TOKEN) as server:
        yield server, database


def scrape(server: Server) -> dict[str, float]:
    """Every series with its labels, as its line begins."""
    answer = server.client.get("/metrics", headers=bearer(TOKEN))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_metrics_want_an_admin_or_their_own_token(scraped: Scraped) -> None:
    client = scraped[0].client
    assert client.get("/metrics", headers=admin()).status_code == 200
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers=bearer("another token")).status_code == 401
    assert client.get("/metrics", headers=user()).status_code == 403
    assert client.get("/api/payments/stripe/status", headers=bearer(TOKEN)).status_code == 401


def test_requests_are_counted_by_the_template_of_their_route(scraped: Scraped) -> None:
    server, _ = scraped
    for path in ("evt_a", "evt_b"):
        server.client.get(f"/api/paygres/test/events/{path}", headers=admin())
    for path in ("/nowhere", "/else/where", "/.env"):
        server.client.get(path)
    server.client.request("PROPFIND", "/nowhere")
    found = scrape(server)
    of_route = 'route="/api/paygres/{environment}/events/{id}"'
    assert found[f'paygres_http_requests_total{{method="GET",{of_route},status="404"}}'] == 2
    assert found[f"paygres_http_request_seconds_count{{{of_route}}}"] == 2
    assert found['paygres_http_requests_total{method="GET",route="other",status="404"}'] == 3
    assert found['paygres_http_requests_total{method="other",route="other",status="404"}'] == 1
    assert not [name for name in found if "evt_a" in name or "nowhere" in name]


def test_events_are_counted_by_what_became_of_them(scraped: Scraped) -> None:
    server, _ = scraped
    body = event("payment_intent.succeeded", int(time.time()), intent("m", status="succeeded", amount_received=2500))
    for sent in (body, body, event("made.up.type", 1_790_000_000, {"object": "x"})):
        deliver(server, sent)
    assert deliver(server, body, secret="whsec_other").status_code == 400
    found = scrape(server)
    known = 'environment="test",event_type="payment_intent.succeeded"'
    assert found[f'paygres_webhook_events_total{{{known},outcome="processed"}}'] == 1
    assert found[f'paygres_webhook_events_total{{{known},outcome="duplicate"}}'] == 1
    assert found['paygres_webhook_events_total{environment="test",event_type="other",outcome="ignored"}'] == 1
    assert found['paygres_webhook_signature_failures_total{environment="test"}'] == 1
    assert found['paygres_webhook_processing_seconds_count{environment="test"}'] == 3
    assert found['paygres_webhook_lag_seconds_count{environment="test"}'] == 2
    assert not [name for name in found if "made.up" in name]


def test_refused_checkouts_are_counted_by_their_code(scraped: Scraped) -> None:
    server, _ = scraped
    server.checkout(bearer(ANON_KEY))
    refused = 'environment="test",mode="payment",outcome="PAYMENT_CONFIG_INVALID"'
    assert scrape(server)[f"paygres_checkout_sessions_total{{{refused}}}"] == 1


def test_requests_to_stripe_are_counted_without_ids(scraped: Scraped) -> None:
    server, _ = scraped
    key = "sk_test_51ExampleExampleExampleExample"
    config = "/api/payments/stripe/test/config"
    assert server.client.put(config, json={"secretKey": key}, headers=admin()).status_code == 502
    found = scrape(server)
    assert found['paygres_stripe_requests_total{operation="get account",status="unreachable"}'] == 1
    assert found['paygres_stripe_request_seconds_count{operation="get account"}'] == 1


def test_the_queue_is_read_from_the_database_at_each_scrape(scraped: Scraped) -> None:
    server, database = scraped
    assert scrape(server)['paygres_webhook_pending{environment="test"}'] == 0
    script(
        database,
        "insert into payments.event_queue (environment, event_id, status, next_attempt_at, reason, created_at) values"
        " ('live', 'evt_1', 'pending', now() + interval '1 hour', null, now() - interval '90 seconds'),"
        " ('live', 'evt_2', 'pending', now() + interval '1 hour', 'parked: odd', now() - interval '2 days'),"
        " ('live', 'evt_3', 'failed', null, null, now()),"
        " ('live', 'evt_4', 'failed', now() + interval '1 hour', null, now())",
    )
    found = scrape(server)
    counts = {
        name: found[f'paygres_{name}{{environment="live"}}']
        for name in ("webhook_pending", "webhook_parked", "webhook_failed", "webhook_dead", "attention_open")
    }
    assert list(counts.values()) == [1, 1, 1, 1, 0]
    assert 90 <= found['paygres_webhook_oldest_pending_seconds{environment="live"}'] < 120
    assert found['paygres_webhook_pending{environment="test"}'] == 0
    assert found["paygres_database_up"] == 1
    assert found['paygres_unmapped_subscriptions{environment="live"}'] == 0
    assert 'paygres_db_pool_in_use{pool="webhook"}' in found
    assert [name for name in found if re.fullmatch(r'paygres_build_info\{version="[\w.]+"\}', name)]
    script(database, "delete from payments.event_queue where environment = 'live'")
