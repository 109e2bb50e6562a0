"""The event log as operators use it: what came, what became of it, and once more from the beginning."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from paygres.server.db.embedded import Urls
from tests.flows.checkouts import Shop
from tests.flows.webhooks import deliver, hooked, script, sql
from tests.fresh_database import FreshDatabase, cloned
from tests.histories import event, intent, purchase
from tests.http.running import Server, admin

EVENTS = "/api/paygres/test/events"
STREAM = {**admin(), "accept": "text/event-stream"}
Watched = tuple[Server, FreshDatabase]


@pytest.fixture(scope="module")
def watched(postgres: Urls) -> Iterator[Watched]:
    """One server for the facts of this file; each uses names of its own. `public.fulfilled` has what triggers did."""
    with cloned(postgres) as database:
        script(
            database,
            "create table public.fulfilled (event_id text not null, times integer not null);"
            "grant select, insert on public.fulfilled to payments_trigger;"
            "create function public.fulfill() returns trigger language plpgsql set search_path = '' as $$ begin"
            "  if new.object_id like '%broken%' then raise exception 'no such order'; end if;"
            "  if new.object_id like '%hidden%' then return null; end if;"
            "  if new.processing_status = 'processed' then"
            "    insert into public.fulfilled values (new.provider_event_id, 1); end if;"
            "  return new; end $$;"
            "create trigger fulfill before insert or update on payments.webhook_events"
            " for each row execute function public.fulfill()",
        )
        with hooked(database) as server:
            yield server, database


def paid(name: str, at: int = 1_790_000_000) -> dict[str, Any]:
    """A paid intent."""
    return event("payment_intent.succeeded", at, intent(name, status="succeeded", amount_received=2500))


def get(server: Server, path: str = "", **query: str) -> dict[str, Any]:
    """An admin's GET below …/events."""
    answer = server.client.get(EVENTS + path, params=query, headers=admin())
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(server: Server, path: str, **body: Any) -> dict[str, Any]:
    """An admin's POST below …/events."""
    answer = server.client.post(EVENTS + path, json=body, headers=admin())
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(answer: dict[str, Any]) -> list[str]:
    return [one["eventId"] for one in answer["events"]]


def fulfilled(database: FreshDatabase, event_id: str) -> int:
    """How often the developer's trigger did its work for an event."""
    return len(sql(database, "select from public.fulfilled where event_id = $1", event_id))


def test_events_are_listed_newest_first_page_by_page(watched: Watched) -> None:
    server, _ = watched
    sent = [paid(f"page{n}") for n in range(5)]
    for body in sent:
        deliver(server, body)
    since = get(server, f"/{sent[0]['id']}")["event"]["receivedAt"]
    first = get(server, limit="2", **{"from": since})
    second = get(server, limit="2", cursor=first["nextCursor"], **{"from": since})
    last = get(server, limit="2", cursor=second["nextCursor"], **{"from": since})
    assert ids(first) + ids(second) + ids(last) == [body["id"] for body in reversed(sent)]
    assert last["nextCursor"] is None
    assert first["events"][0]["processingStatus"] == "processed"
    assert first["events"][0]["queue"] is None
    assert get(server, to=since, type="payment_intent.succeeded", objectId="pi_page0")["events"] == []


def test_filters_find_what_they_say(watched: Watched) -> None:
    server, _ = watched
    bought = purchase("filters", subject=("team", "t-filters"))
    for body in bought:
        deliver(server, body)
    deliver(server, event("invoice.upcoming", 1_790_000_000, {"object": "invoice", "customer": "cus_filters"}))
    assert set(ids(get(server, subjectType="team", subjectId="t-filters"))) == {body["id"] for body in bought}
    assert ids(get(server, objectType="customer", objectId="cus_filters", type="customer.updated")) == [
        next(body["id"] for body in bought if body["type"] == "customer.updated")
    ]
    of_family = get(server, type="customer.*")["events"]
    assert {one["eventType"] for one in of_family} == {"customer.created", "customer.updated"}
    assert [one["eventType"] for one in get(server, status="ignored")["events"]] == ["invoice.upcoming"]
    assert get(server, objectId="cus_filters", status="ignored")["events"] == []
    assert server.client.get("/api/paygres/live/events", headers=admin()).json() == {"events": [], "nextCursor": None}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("status=odd", "status: Invalid enum value"),
        ("type=a b", "type: Expected an event type"),
        ("subjectType=team", "(root): subjectType and subjectId must be provided together"),
        ("cursor=abc", "cursor: Invalid cursor"),
        ("limit=101", "limit: Number must be less than or equal to 100"),
        ("sort=created", "sort: "),
        ("nosuch=1", "(root): Unrecognized key(s)"),
    ],
)
def test_a_query_that_means_nothing_is_a_clear_400(watched: Watched, query: str, message: str) -> None:
    answer = watched[0].client.get(f"{EVENTS}?{query}", headers=admin())
    assert answer.status_code == 400
    assert message in answer.json()["message"]


def test_an_event_that_a_trigger_keeps_out_is_listed_from_the_ledger(watched: Watched) -> None:
    server, database = watched
    body = paid("hidden")
    deliver(server, body)
    assert sql(database, "select from payments.webhook_events where provider_event_id = $1", body["id"]) == []
    (shown,) = get(server, objectId="pi_hidden")["events"]
    assert (shown["eventId"], shown["marked"], shown["livemode"]) == (body["id"], False, False)


def test_the_payload_is_shown_only_when_asked_for(watched: Watched) -> None:
    server, _ = watched
    body = paid("payload")
    deliver(server, body)
    assert list(get(server, f"/{body['id']}")) == ["event"]
    assert get(server, f"/{body['id']}", payload="true")["payload"] == body
    for path in ("", "/attempts", "/effects", "/diff"):
        answer = server.client.get(f"{EVENTS}/evt_unknown{path}", headers=admin())
        assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")
    assert server.client.get(f"{EVENTS}/{body['id']}").status_code == 401


def test_an_event_that_goes_right_at_once_has_one_attempt_and_no_record_of_it(watched: Watched) -> None:
    server, database = watched
    body = paid("at-once")
    deliver(server, body)
    (only,) = get(server, f"/{body['id']}/attempts")["attempts"]
    assert (only["attempt"], only["outcome"], only["error"]) == (1, "processed", None)
    assert sql(database, "select from payments.event_attempts where event_id = $1", body["id"]) == []


def test_every_attempt_of_an_event_that_failed_is_told_with_its_reason(watched: Watched) -> None:
    server, database = watched
    body = paid("broken")
    deliver(server, body)
    assert body["id"] in ids(get(server, status="failed"))
    again = post(server, f"/{body['id']}/replay")
    assert again["outcome"] == "failed"
    assert "no such order" in again["error"]
    queue = again["event"]["queue"]
    assert (queue["state"], queue["attempts"], queue["replayed"]) == ("failed", 2, True)
    with repaired(database):
        done = post(server, f"/{body['id']}/replay")
    assert (done["outcome"], done["event"]["attemptCount"], done["event"]["queue"]) == ("processed", 3, None)
    told = get(server, f"/{body['id']}/attempts")["attempts"]
    assert [(one["attempt"], one["outcome"]) for one in told] == [(1, "failed"), (2, "failed"), (3, "processed")]
    assert all("no such order" in one["error"] for one in told[:2])
    assert all(isinstance(one["durationMs"], int) for one in told)


@contextmanager
def repaired(database: FreshDatabase) -> Iterator[None]:
    """Without the developer's trigger."""
    script(database, "alter table payments.webhook_events disable trigger fulfill")
    try:
        yield
    finally:
        script(database, "alter table payments.webhook_events enable trigger fulfill")


def test_a_replay_of_a_done_event_fires_the_trigger_again_and_is_on_record(watched: Watched) -> None:
    server, database = watched
    body = paid("again")
    deliver(server, body)
    assert fulfilled(database, body["id"]) == 1
    answer = post(server, f"/{body['id']}/replay", reason="the order was lost")
    assert (answer["outcome"], answer["event"]["attemptCount"], answer["dryRun"]) == ("processed", 2, False)
    assert fulfilled(database, body["id"]) == 2
    told = get(server, f"/{body['id']}/attempts")["attempts"]
    assert [(one["attempt"], one["outcome"]) for one in told] == [(1, "processed"), (2, "processed")]
    audit = server.client.get(f"/api/paygres/audit?target={body['id']}", headers=admin()).json()["records"]
    (record,) = audit
    assert (record["actor"], record["action"], record["reason"]) == ("api-key", "event.replay", "the order was lost")
    assert record["requestId"].startswith("req_")


def test_a_dry_run_tells_what_would_change_and_changes_nothing(watched: Watched) -> None:
    server, database = watched
    body = paid("rehearsed")
    deliver(server, body)
    script(database, "delete from payments.transactions where provider_object_id = 'pi_rehearsed'")
    answer = post(server, f"/{body['id']}/replay", dryRun=True)
    assert (answer["outcome"], answer["dryRun"]) == ("processed", True)
    (created,) = [one for one in answer["changes"] if one["table"] == "payments.transactions"]
    assert (created["before"], created["after"]["status"], created["after"]["amount"]) == (None, "succeeded", 2500)
    assert answer["writes"] == [{"table": "public.fulfilled", "inserted": 1, "updated": 0, "deleted": 0}]
    assert sql(database, "select from payments.transactions where provider_object_id = 'pi_rehearsed'") == []
    assert fulfilled(database, body["id"]) == 1
    for table in ("event_queue", "event_attempts"):
        assert sql(database, f"select from payments.{table} where event_id = $1", body["id"]) == []
    assert get(server, f"/{body['id']}")["event"]["attemptCount"] == 1


def test_what_is_read_at_stripe_cannot_be_rehearsed_and_needs_a_key(watched: Watched) -> None:
    server, _ = watched
    body = paid("refetched")
    deliver(server, body)
    replay = f"{EVENTS}/{body['id']}/replay"
    both = server.client.post(replay, json={"refetch": True, "dryRun": True}, headers=admin())
    assert (both.status_code, both.json()["error"]) == (400, "INVALID_INPUT")
    keyless = server.client.post(replay, json={"refetch": True}, headers=admin())
    assert (keyless.status_code, keyless.json()["error"]) == (400, "PAYMENT_CONFIG_INVALID")
    assert get(server, f"/{body['id']}")["event"]["attemptCount"] == 1


def test_a_replay_can_read_the_object_at_stripe_first(open_shop: Shop) -> None:
    bought = open_shop.buy(metadata={"order_id": "refetched"})
    open_shop.pay(bought)
    session_id = bought["checkoutSessionId"]
    told = {"objectId": session_id, "type": "checkout.session.completed"}
    (completed,) = get(open_shop.server, **told)["events"]
    reads = "select from payments.stripe_snapshots where object_id = $1 and source = 'api'"
    before = len(sql(open_shop.database, reads, session_id))
    assert post(open_shop.server, f"/{completed['eventId']}/replay", refetch=True)["outcome"] == "processed"
    assert len(sql(open_shop.database, reads, session_id)) == before + 1


def test_parked_and_dead_events_are_found_by_their_own_word_and_the_contracts(watched: Watched) -> None:
    server, database = watched
    odd = event("payment_intent.succeeded", 1_790_000_000, {"id": "pi_parked", "object": "payment_intent"})
    deliver(server, odd)
    (parked,) = get(server, status="parked")["events"]
    assert (parked["eventId"], parked["processingStatus"]) == (odd["id"], "pending")
    assert parked["queue"]["reason"].startswith("parked: ")
    assert parked["queue"]["deadline"] is not None
    assert odd["id"] in ids(get(server, status="pending"))
    body = paid("broken-dead")
    deliver(server, body)
    script(database, f"update payments.event_queue set next_attempt_at = null where event_id = '{body['id']}'")
    (dead,) = get(server, status="dead")["events"]
    assert (dead["eventId"], dead["processingStatus"], dead["queue"]["nextAttemptAt"]) == (body["id"], "failed", None)
    assert body["id"] in ids(get(server, status="failed"))
    with repaired(database):
        assert post(server, "/retry", status="dead", reason="mended") == {"requeued": 1, "more": False}
        deadline = time.monotonic() + 15
        while sql(database, "select from payments.event_queue where event_id = $1", body["id"]):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert get(server, f"/{body['id']}")["event"]["processingStatus"] == "processed"


def test_the_rows_an_event_concerns_are_told_table_by_table(watched: Watched) -> None:
    server, _ = watched
    bought = purchase("effects", subject=("user", "u-effects"))
    for body in bought:
        deliver(server, body)
    last = next(body["id"] for body in bought if body["type"] == "payment_intent.succeeded")
    effects = get(server, f"/{last}/effects")["effects"]
    by_table = {one["table"]: one for one in effects}
    assert by_table["payments.transactions"]["key"]["objectId"] == "pi_effects"
    assert by_table["payments.transactions"]["summary"]["status"] == "succeeded"
    assert by_table["payments.customers"]["key"] == {"providerCustomerId": "cus_effects"}
    assert by_table["payments.customer_mappings"]["key"] == {"subjectType": "user", "subjectId": "u-effects"}
    assert {"objectType": "payment_intent", "objectId": "pi_effects"} in [
        one["key"] for one in effects if one["table"] == "payments.stripe_objects"
    ]


def test_a_diff_names_what_an_event_changed_in_its_object(watched: Watched) -> None:
    server, _ = watched
    first = event("payment_intent.created", 1_790_000_000, intent("diff", metadata={"a": "1"}))
    second = paid("diff", 1_790_000_005)
    for body in (second, first):  # the order of arrival does not matter
        deliver(server, body)
    told = get(server, f"/{second['id']}/diff")
    assert (told["comparedWith"]["eventId"], told["truncated"]) == (first["id"], False)
    assert told["changes"] == [
        {"path": "amount_received", "before": 0, "after": 2500},
        {"path": "metadata.a", "before": "1"},
        {"path": "status", "before": "requires_payment_method", "after": "succeeded"},
    ]
    assert get(server, f"/{first['id']}/diff")["comparedWith"] is None


def test_an_event_older_than_the_connection_fulfills_only_when_it_is_replayed(postgres: Urls) -> None:
    with cloned(postgres) as database:
        script(
            database,
            "insert into payments.provider_connections (environment, provider, status, connected_at)"
            " values ('test', 'stripe', 'connected', now()) on conflict (provider, environment)"
            " do update set connected_at = now();"
            "create table public.fulfilled (event_id text, times integer);"
            "grant insert on public.fulfilled to payments_trigger;"
            "create function public.fulfill() returns trigger language plpgsql set search_path = '' as $$ begin"
            "  insert into public.fulfilled values (new.provider_event_id, 1); return new; end $$;"
            "create trigger fulfill after insert or update on payments.webhook_events for each row"
            " when (new.processing_status = 'processed') execute function public.fulfill()",
        )
        with hooked(database) as server:
            body = paid("old", int(time.time()) - 3600)
            first = deliver(server, body).json()["event"]
            assert (first["processingStatus"], fulfilled(database, body["id"])) == ("ignored", 0)
            assert post(server, f"/{body['id']}/replay")["outcome"] == "processed"
            assert fulfilled(database, body["id"]) == 1


def test_a_stream_tells_what_comes_goes_on_where_it_was_and_ends_with_the_server(postgres: Urls) -> None:
    with cloned(postgres) as database, hooked(database) as server:
        body = paid("streamed")
        with server.client.stream("GET", f"{EVENTS}/stream", headers=STREAM) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            next(line for line in lines if line.startswith(": nothing new"))
            deliver(server, body)
            name = next(line for line in lines if line.startswith("id: ")).removeprefix("id: ")
            assert next(lines) == "event: event"
            told = json.loads(next(lines).removeprefix("data: "))
            assert (told["eventId"], told["processingStatus"]) == (body["id"], "processed")
        with server.client.stream("GET", f"{EVENTS}/stream", headers={**STREAM, "last-event-id": name}) as stream:
            lines = stream.iter_lines()
            told = json.loads(next(line for line in lines if line.startswith("data: ")).removeprefix("data: "))
            assert told["eventId"] == body["id"]  # at least once: its second was not over
            assert server.client.get(f"{EVENTS}/stream", headers=admin()).json()["events"] == []
            server.process.terminate()
            began = time.monotonic()
            assert all(not line or line.startswith(":") for line in lines)
            server.process.wait(10)
            assert time.monotonic() - began < 5
