"""The operator's backfill, and where a real server tells how far it is complete."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from paygres.server.db.embedded import Urls
from tests.cli.running import Line, cells
from tests.flows.running_parts import Sandbox, parts_on
from tests.flows.sweeping import HOUR, connect_at, history, make_due, missing, now, sandbox_with
from tests.flows.webhooks import sql
from tests.fresh_database import FreshDatabase, cloned, in_its_own_loop
from tests.http.running import STATUS, Server, admin, bearer, environment, serving

ROUTE = "/api/paygres/test/events/backfill"
# The same as the parts of running_parts have, so that the stored key can be read.
SECRETS = {
    "JWT_SECRET": "a JWT secret of thirty-two letters and more",
    "ENCRYPTION_KEY": "an encryption key of thirty-two letters",
}


@dataclass(frozen=True)
class Open:
    """A server whose account has eleven hours of events that never came. Its sweep is due in an hour."""

    server: Server
    database: FreshDatabase
    events: list[dict[str, Any]]

    def backfill(self, **body: Any) -> Any:
        return self.server.client.post(ROUTE, headers=admin(), json=body, timeout=60)


@pytest.fixture(scope="module")
def opened(postgres: Urls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    account, key = Sandbox.new_account()
    ended = now() - 300
    events = history(11, 11, until=ended)
    with sandbox_with(tmp_path_factory.mktemp("sandbox"), account, events) as sandbox, cloned(postgres) as database:

        async def connect() -> None:
            async with parts_on(database, sandbox.url) as parts:
                await connect_at(parts, database, key, ended - 12 * HOUR)

        in_its_own_loop(connect())
        sql(database, "update payments.sweeps set short_due = now() + interval '1 hour' returning 1")
        env = environment(database.server_url, **SECRETS, STRIPE_API_BASE=sandbox.url)
        with serving(env) as server:
            yield Open(server, database, events)


def iso(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_a_backfill_counts_fetches_and_is_on_record(opened: Open) -> None:
    since, until = now() - 8 * HOUR, now() - 3 * HOUR
    wanted = [e for e in opened.events if since <= e["created"] < until]
    refunds = [e for e in wanted if e["type"].startswith("charge.")]
    dry = opened.backfill(since=iso(since), until=iso(until), dryRun=True).json()
    assert (dry["listed"], dry["missing"], dry["applied"], dry["dryRun"]) == (len(wanted), len(wanted), 0, True)
    assert sql(opened.database, "select from payments.webhook_events") == []

    some = opened.backfill(since=iso(since), until=iso(until), types=["charge.*"], reason="a wrong secret").json()
    assert (some["listed"], some["missing"], some["applied"]) == (len(refunds),) * 3
    rest = opened.backfill(since=iso(since), until=iso(until)).json()
    assert (rest["listed"], rest["missing"]) == (len(wanted), len(wanted) - len(refunds))
    assert (rest["ignored"], rest["unfinished"], rest["unreadable"]) == (0, 0, 0)
    assert in_its_own_loop(missing(opened.database, wanted)) == []
    again = opened.backfill(since=iso(since), until=iso(until)).json()
    assert (again["missing"], again["applied"]) == (0, 0)
    recorded = "select environment, reason from system.audit_log where action = 'event.backfill' order by seq"
    told = sql(opened.database, recorded)
    assert [one["reason"] for one in told] == ["a wrong secret", None, None]
    assert {one["environment"] for one in told} == {"test"}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "since"),
        ({"since": "yesterday"}, "since"),
        ({"since": iso(now() - 40 * 86400)}, "since: Stripe lists events for 30 days"),
        ({"since": iso(now() - HOUR), "until": iso(now() - 2 * HOUR)}, "until: Must be later than since"),
        ({"since": iso(now() - HOUR), "types": ["account.updated"]}, "types: account.updated"),
        ({"since": iso(now() - HOUR), "types": ["*"]}, "types"),
        ({"since": iso(now() - HOUR), "types": []}, "types"),
        ({"since": iso(now() - HOUR), "dryRun": "yes"}, "dryRun"),
        ({"since": iso(now() - HOUR), "environment": "live"}, "environment"),
    ],
)
def test_what_cannot_be_asked_is_refused(opened: Open, body: dict[str, Any], text: str) -> None:
    refused = opened.backfill(**body)
    assert refused.status_code == 400, refused.text
    assert text in refused.text


def test_only_admins_of_a_connected_environment_backfill(opened: Open) -> None:
    asked = {"since": iso(now() - HOUR)}
    client = opened.server.client
    assert client.post(ROUTE, json=asked).status_code == 401
    assert client.post(ROUTE, headers=bearer("anon_wrong"), json=asked).status_code == 401
    live = client.post(ROUTE.replace("/test/", "/live/"), headers=admin(), json=asked)
    assert (live.status_code, live.json()["error"]) == (400, "PAYMENT_CONFIG_INVALID")
    assert client.post(ROUTE.replace("/test/", "/real/"), headers=admin(), json=asked).status_code == 400


def test_the_command_line_counts_asks_and_fetches(opened: Open, capsys: pytest.CaptureFixture[str]) -> None:
    line = Line(opened.server.url, capsys)
    stretch = ("--since", iso(now() - 10 * HOUR), "--until", iso(now() - 9 * HOUR))
    dry = line.here("events", "backfill", *stretch, "--dry-run", "--json")
    assert dry.code == 0, dry.errors
    found = json.loads(dry.out)["missing"]
    assert found > 0
    done = line.here("events", "backfill", *stretch, "--types", "charge.*,customer.*", "--yes", "--output", "plain")
    head, row = (cells(text) for text in done.out.splitlines()[:2])
    assert head == ["Listed", "Missing", "Applied", "Ignored", "Unfinished", "Unreadable"]
    assert 0 < int(row[1]) < found
    assert line.here("events", "backfill", "--since", "soon", "--dry-run").code == 8


def test_status_readiness_and_metrics_tell_one_time(opened: Open) -> None:
    client = opened.server.client
    in_its_own_loop(make_due(opened.database))
    sweep = _until(lambda: client.get(STATUS, headers=admin()).json()["connections"][0]["eventSweep"])
    assert sweep["problem"] is None
    assert sweep["completeFrom"] < sweep["completeThrough"] < sweep["sweptAt"]
    told = int(datetime.fromisoformat(sweep["completeThrough"]).timestamp())
    assert now() - 180 < told <= now() - 60
    assert in_its_own_loop(missing(opened.database, opened.events)) == []
    ready = client.get("/readyz").json()["checks"]["events"]
    assert re.fullmatch(r"test complete through 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", ready["state"])
    gauges = client.get("/metrics", headers=admin()).text
    (value,) = re.findall(r'^paygres_events_complete_through_timestamp\{environment="test"\} (\S+)$', gauges, re.M)
    assert float(value) >= told
    assert re.search(r'^paygres_sweep_events_total\{environment="test",kind="missing"\} [1-9]', gauges, re.M)
    assert 'paygres_webhook_dead{environment="test"} 0.0' in gauges
    live = client.get(STATUS, headers=admin()).json()["connections"][1]["eventSweep"]
    assert live == {"completeFrom": None, "completeThrough": None, "sweptAt": None, "problem": None}


def _until(read: Any) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while (found := read())["sweptAt"] is None:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found
