"""`explain`, `events replay` and `rebuild` against a real server process."""

import json
from collections.abc import Iterator

import pytest

from paygres.cli.payments.nouns import usage
from paygres.server.db.embedded import Urls
from tests.cli.running import Line, spawn
from tests.flows.webhooks import deliver, hooked, script, sql
from tests.fresh_database import FreshDatabase, cloned
from tests.histories import purchase
from tests.http.running import Server, environment

Watched = tuple[Server, FreshDatabase]


@pytest.fixture(scope="module")
def watched(postgres: Urls) -> Iterator[Watched]:
    """A purchase of a team was delivered."""
    with cloned(postgres) as database, hooked(database) as server:
        for body in purchase("cli", subject=("team", "t-cli"), refunded=1000):
            deliver(server, body)
        yield server, database


@pytest.fixture
def line(watched: Watched, capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(watched[0].url, capsys)


def test_explain_is_a_readable_story_and_json_for_programs(line: Line) -> None:
    ran = line.here("explain", "team:t-cli", "--utc")
    assert (ran.code, ran.errors) == (0, "")
    lines = ran.out.splitlines()
    deliveries = [text for text in lines if "(evt_" in text]
    assert len(deliveries) == 8
    assert all("processed" in text for text in deliveries)
    assert any(text.strip() == "~ amount_refunded: 0 → 1000" for text in lines)
    assert any("= payments.transactions payment_intent pi_cli:" in text for text in lines)
    body = json.loads(line.here("explain", "pi_cli", "--json").out)
    assert len(body["steps"]) == 8
    missing = line.here("explain", "evt_nosuch")
    assert missing.code == 4
    assert "Nothing is known of evt_nosuch" in missing.errors
    assert line.here("explain").code == 64


def test_replay_tells_first_and_asks_before_it_acts(line: Line, watched: Watched) -> None:
    script(watched[1], "update payments.transactions set amount = 1 where provider_object_id = 'pi_cli'")
    told = line.here("events", "replay", "--type", "payment_intent.*", "--dry-run")
    assert (told.code, told.errors) == (0, "")
    assert "payments.transactions payment_intent pi_cli  amount: 1 → 2500" in told.out
    asked = line.here("events", "replay", "--subject", "team:t-cli")
    assert asked.code == 6
    assert "needs --yes" in asked.errors
    assert line.here("events", "replay", "--subject", "nobody", "--yes").code == 64
    assert line.here("events", "replay", "--yes").code == 8
    done = line.here("events", "replay", "--subject", "team:t-cli", "--yes", "--reason", "mended")
    assert "8 event(s) run again" in done.out
    some = json.loads(line.here("event", "replay", "evt_nosuch", "--json", "--yes").out)
    assert (some["selected"], some["next"]) == (0, None)


def test_rebuild_is_a_command_of_its_own_with_a_report_as_json(watched: Watched) -> None:
    server, database = watched
    variables = {name: value for name, value in environment(database.server_url).items() if name.isupper()}
    script(database, "truncate payments.transactions, payments.stripe_objects")
    told = spawn("rebuild", "--environment", "test", "--dry-run", **variables)
    assert told.code == 0, told.errors
    (report,) = json.loads(told.out)["results"]
    assert report["differences"]["tables"]["payments.transactions"] == {"added": 1, "changed": 0, "removed": 0}
    assert sql(database, "select from payments.transactions") == []
    done = spawn("rebuild", "--reason", "lost tables", **variables)
    assert done.code == 0, done.errors
    test, live = json.loads(done.out)["results"]
    assert (test["payments"], test["failed"], live["objects"]) == (1, [], {})
    assert [row["amount"] for row in sql(database, "select amount from payments.transactions")] == [2500]
    (act,) = sql(database, "select * from system.audit_log where action = 'rebuild.finish' and environment = 'test'")
    assert (act["reason"], act["actor"].partition(":")[0]) == ("lost tables", "command")
    assert spawn("rebuild", "--nonsense", **variables).code == 64
    assert "rebuild" in spawn("--help").out
    assert "explain" in usage()
    assert server.url
