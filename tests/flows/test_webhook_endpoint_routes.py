"""The routes that operators have for our webhook endpoint: rotate, probe, remove, a secret of their own, status."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from paygres.server.db.embedded import Urls
from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.connections import own_webhook_secret_name
from paygres.server.flows.probe_webhook_endpoint import probe_webhook_endpoint
from paygres.server.projections.events import EVENT_TYPES
from tests.flows.running_parts import Sandbox, parts_on, sandbox_process
from tests.flows.webhooks import deliver, sql
from tests.fresh_database import FreshDatabase, cloned, in_its_own_loop
from tests.http.running import ANON_KEY, Server, admin, bearer, environment, serving, user

ENCRYPTION_KEY = environment("")["ENCRYPTION_KEY"]
ROUTE = "/api/paygres/test/webhook"
CONFIG = "/api/payments/stripe/test/config"
STATUS = "/api/payments/stripe/status"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_process() as running:
        yield running


@contextmanager
def connected(database: FreshDatabase, sandbox: Sandbox, **more: str) -> Iterator[tuple[Server, str]]:
    """A server whose test environment has a key, and that key."""
    _, key = sandbox.new_account()
    with serving(environment(database.server_url, STRIPE_API_BASE=sandbox.url, **more)) as server:
        answer = server.client.put(CONFIG, headers=admin(), json={"secretKey": key})
        assert answer.status_code == 200, answer.text
        yield server, key


def ask(server: Server, method: str, path: str = ROUTE, **more: Any) -> Any:
    answer = server.client.request(method, path, headers=admin(), **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def at_stripe(sandbox: Sandbox, server: Server, key: str, method: str, path: str, **more: Any) -> Any:
    return server.client.request(method, f"{sandbox.url}{path}", headers=bearer(key), **more).json()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def stored_secrets(database: FreshDatabase, sandbox: Sandbox) -> tuple[str, ...]:
    async def read() -> tuple[str, ...]:
        async with parts_on(database, sandbox.url, encryption_key=ENCRYPTION_KEY) as parts:
            return (await parts.connections.webhook("test")).secrets

    return in_its_own_loop(read())


def connect(database: FreshDatabase, sandbox: Sandbox) -> None:
    async def run() -> None:
        async with parts_on(database, sandbox.url, encryption_key=ENCRYPTION_KEY) as parts:
            await connect_account(parts, "test", sandbox.new_account()[1], actor="test")

    in_its_own_loop(run())


def test_rotating_loses_no_delivery_and_accepts_the_old_secret_for_ten_minutes(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    with connected(database, sandbox) as (server, key), ThreadPoolExecutor(1) as thread:
        before = ask(server, "GET")["webhook"]
        [old_secret] = stored_secrets(database, sandbox)
        rotating = thread.submit(ask, server, "POST", f"{ROUTE}/rotate")
        made: list[str] = []
        while not rotating.done() or len(made) < 5:
            made.append(at_stripe(sandbox, server, key, "POST", "/v1/products", content=f"name=P{len(made)}")["id"])
        after = rotating.result()["webhook"]
        assert after["endpointId"] != before["endpointId"]
        assert (after["health"]["status"], before["health"]["status"]) == ("ok", "ok")
        assert [one["kind"] for one in before["signingSecrets"]] == ["managed"]
        assert [(one["kind"], one["expiresAt"] is None) for one in after["signingSecrets"]] == [
            ("managed", True),
            ("previous", False),
        ]
        [left] = at_stripe(sandbox, server, key, "GET", "/v1/webhook_endpoints")["data"]
        assert left["id"] == after["endpointId"]
        created = "select object_id from payments.webhook_events where event_type = 'product.created'"
        until(lambda: {row["object_id"] for row in sql(database, created)} >= set(made))
        now = stored_secrets(database, sandbox)
        assert (len(now), now[1]) == (2, old_secret)
        late = {**EVENT, "id": "evt_late"}
        assert deliver(server, late, secret=old_secret).status_code == 200
    [record] = sql(database, "select * from system.audit_log where action = 'webhook.rotate'")
    assert (record["actor"], record["target"]) == ("api-key", after["endpointId"])
    assert before["endpointId"] in record["details"]
    assert record["request_id"].startswith("req_")
    probes = "select count(*) from payments.webhook_events where event_type = 'paygres.probe'"
    assert sql(database, probes)[0]["count"] == 0


EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "payout.paid",
    "created": 1_800_000_000,
    "livemode": False,
    "data": {"object": {"id": "po_1", "object": "payout"}},
}


def test_a_rotation_whose_probe_does_not_arrive_changes_nothing_unless_it_is_told_to(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    with connected(database, sandbox, API_BASE_URL="http://127.0.0.1:9") as (server, key):
        before = ask(server, "GET")["webhook"]
        answer = server.client.post(f"{ROUTE}/rotate", headers=admin())
        assert (answer.status_code, answer.json()["error"]) == (502, "UPSTREAM_FAILURE")
        assert "cannot connect to 127.0.0.1:9" in answer.json()["message"]
        assert "skipProbe" in answer.json()["nextActions"]
        assert ask(server, "GET")["webhook"]["endpointId"] == before["endpointId"]
        assert len(at_stripe(sandbox, server, key, "GET", "/v1/webhook_endpoints")["data"]) == 1
        assert [one["kind"] for one in ask(server, "GET")["webhook"]["signingSecrets"]] == ["managed"]
        probe = ask(server, "POST", f"{ROUTE}/probe")["probe"]
        assert (probe["reached"], probe["reason"]) == (False, "cannot connect to 127.0.0.1:9")
        until(lambda: sql(database, "select from payments.sweeps"))
        owed = at_stripe(sandbox, server, key, "POST", "/v1/products", content="name=Owed")["id"]
        after = ask(server, "POST", f"{ROUTE}/rotate", json={"skipProbe": True})["webhook"]
        assert after["endpointId"] != before["endpointId"]
        # the endpoint could not deliver it and is gone: a sweep fetches it, sooner than the minute it would take
        fetched = f"select from payments.webhook_events where event_type = 'product.created' and object_id = '{owed}'"
        until(lambda: sql(database, fetched))


async def test_something_else_behind_our_address_is_told_apart(database: FreshDatabase, sandbox: Sandbox) -> None:
    _, key = sandbox.new_account()
    async with parts_on(database, sandbox.url, api_base_url=sandbox.url) as parts:
        await connect_account(parts, "test", key, actor="test")
        found = await probe_webhook_endpoint(parts, "test")
    assert found.reached is False
    assert found.reason is not None
    assert found.reason.startswith("it answered HTTP 404")


@pytest.fixture(scope="module")
def shop(postgres: Urls, sandbox: Sandbox) -> Iterator[tuple[FreshDatabase, Server, str]]:
    """A connected server for the tests that do not mind each other."""
    with cloned(postgres) as database, connected(database, sandbox) as (server, key):
        yield database, server, key


def test_a_probe_takes_the_whole_road_to_us_and_leaves_no_trace(shop: tuple[FreshDatabase, Server, str]) -> None:
    database, server, _ = shop
    probe = ask(server, "POST", f"{ROUTE}/probe")["probe"]
    assert (probe["reached"], probe["reason"]) == (True, None)
    assert probe["url"] == f"http://localhost:{server.port}/api/webhooks/stripe/test"
    assert sql(database, "select from payments.webhook_events where event_type = 'paygres.probe'") == []
    assert sql(database, "select from payments.stripe_snapshots where event_type = 'paygres.probe'") == []


def test_removing_the_endpoint_keeps_key_and_late_deliveries_and_configuring_brings_it_back(
    shop: tuple[FreshDatabase, Server, str], sandbox: Sandbox
) -> None:
    database, server, key = shop
    secret = stored_secrets(database, sandbox)[0]
    removed = ask(server, "DELETE")["webhook"]
    assert (removed["endpointId"], removed["health"]["status"]) == (None, "unknown")
    assert at_stripe(sandbox, server, key, "GET", "/v1/webhook_endpoints")["data"] == []
    assert deliver(server, EVENT, secret=secret).status_code == 200
    assert ask(server, "GET", "/api/payments/stripe/config")["keys"][0]["hasKey"] is True
    assert ask(server, "DELETE")["webhook"]["endpointId"] is None
    looked = ask(server, "GET")["webhook"]["health"]
    assert (looked["status"], looked["problems"]) == ("problem", ["The managed endpoint was removed on request"])
    again = ask(server, "POST", "/api/payments/stripe/test/webhook")["connection"]
    assert again["webhookHealth"]["status"] == "ok"
    assert again["webhookEndpointId"] is not None
    actions = sql(database, "select action from system.audit_log where action like 'webhook.%' order by seq")
    assert [one["action"] for one in actions] == ["webhook.remove", "webhook.remove", "webhook.configure"]


def test_a_signing_secret_of_ones_own_is_installed_over_http_beside_the_managed_one(
    shop: tuple[FreshDatabase, Server, str],
) -> None:
    database, server, _ = shop
    secrets, post = "/api/secrets", server.client.post
    body = {"key": "STRIPE_TEST_WEBHOOK_SECRET", "value": "whsec_ofStripeListen"}
    answer = post(secrets, headers=admin(), json=body)
    assert answer.status_code == 201
    assert answer.json()["success"] is True
    assert "whsec_" not in answer.text
    assert deliver(server, {**EVENT, "id": "evt_own"}, secret="whsec_ofStripeListen").status_code == 200
    kinds = [one["kind"] for one in ask(server, "GET")["webhook"]["signingSecrets"]]
    assert kinds[:2] == ["managed", "own"]
    other = post(secrets, headers=admin(), json={**body, "key": "STRIPE_TEST_SECRET_KEY"})
    assert (other.status_code, other.json()["error"]) == (404, "NOT_FOUND")
    assert "PUT /api/payments/stripe/{environment}/config" in other.json()["nextActions"]
    wrong = post(secrets, headers=admin(), json={**body, "value": "sk_test_x"})
    assert wrong.json()["message"] == "STRIPE_TEST_WEBHOOK_SECRET must start with whsec_"
    assert post(secrets, headers=admin(), json={}).json()["message"] == "key: Required, value: Required"
    assert post(secrets, headers=user(), json=body).status_code == 403
    for method, path in (("GET", secrets), ("PUT", f"{secrets}/STRIPE_TEST_WEBHOOK_SECRET")):
        assert server.client.request(method, path, headers=admin(), json=body).status_code == 404
    [record] = sql(database, "select * from system.audit_log where action = 'webhook_secret.set'")
    assert (record["actor"], record["target"]) == ("api-key", "STRIPE_TEST_WEBHOOK_SECRET")
    stored = "select * from system.secrets where key = $1"
    [row] = sql(database, stored, own_webhook_secret_name("test"), role="postgres")
    assert "whsec_" not in str(row)


def test_without_a_key_the_endpoint_is_empty_and_cannot_be_acted_on(database: FreshDatabase) -> None:
    with serving(environment(database.server_url)) as server:
        shown = ask(server, "GET")["webhook"]
        assert (shown["endpointId"], shown["signingSecrets"], shown["health"]["status"]) == (None, [], "unknown")
        assert shown["wanted"]["eventTypes"] == list(EVENT_TYPES)
        for method, path in (("DELETE", ROUTE), ("POST", f"{ROUTE}/rotate"), ("POST", f"{ROUTE}/probe")):
            answer = server.client.request(method, path, headers=admin())
            assert (answer.status_code, answer.json()["error"]) == (400, "PAYMENT_CONFIG_INVALID")
            assert server.client.request(method, path, headers=user()).status_code == 403
            assert server.client.request(method, path, headers=bearer(ANON_KEY)).status_code == 401
        wrong = server.client.post(f"{ROUTE}/rotate", headers=admin(), json={"skipProbe": "yes"})
        assert wrong.json()["message"] == "skipProbe: Expected boolean, received string"


def test_an_unreadable_key_is_an_error_in_status_and_never_a_500(database: FreshDatabase, sandbox: Sandbox) -> None:
    connect(database, sandbox)
    other = environment(database.server_url, STRIPE_API_BASE=sandbox.url, ENCRYPTION_KEY=ENCRYPTION_KEY[::-1])
    with serving(other) as server:
        shown = ask(server, "GET", STATUS)["connections"][0]
        assert shown["status"] == "error"
        assert shown["webhookHealth"]["status"] == "problem"
        assert (
            shown["webhookHealth"]["problems"][0] == "STRIPE_TEST_SECRET_KEY is stored but cannot be read; set it again"
        )
        keys = ask(server, "GET", "/api/payments/stripe/config")["keys"]
        assert keys[0]["hasKey"] is True
        assert ask(server, "GET")["webhook"]["health"]["status"] == "problem"
        assert server.client.delete(CONFIG, headers=admin()).status_code == 200
        spoil = "update system.secrets set value_ciphertext = 'nonsense', is_active = true"
        sql(database, spoil, role="postgres")
        until(lambda: ask(server, "GET", STATUS)["connections"][0]["status"] == "error")
    [record] = sql(database, "select * from system.audit_log where action = 'config.remove'")
    assert record["actor"] == "api-key"
    assert "sk_test_****" in record["details"]
