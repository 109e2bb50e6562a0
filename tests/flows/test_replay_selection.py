"""Several events once more: told beforehand what would change and fire, then run by the worker as any delivery is."""

from collections.abc import Iterator
from typing import Any

import pytest

from paygres.server.db.embedded import Urls
from tests.flows.webhooks import deliver, hooked, script, sql
from tests.fresh_database import FreshDatabase, cloned
from tests.histories import START, event, intent, purchase
from tests.http.running import Server, admin
from tests.system.processes import wait_until

REPLAY = "/api/paygres/test/events/replay"
Watched = tuple[Server, FreshDatabase]


@pytest.fixture(scope="module")
def watched(postgres: Urls) -> Iterator[Watched]:
    """A server, and a developer who counts what was processed and fulfills each payment once."""
    with cloned(postgres) as database:
        script(
            database,
            "create table public.seen (event_id text not null); create table public.orders (id text not null);"
            "grant select, insert on public.seen, public.orders to payments_trigger;"
            "create function public.see() returns trigger language plpgsql set search_path = '' as $$ begin"
            "  insert into public.seen values (new.provider_event_id);"
            "  if payments.fulfill(new, 'orders', new.object_id, 2500, 'usd') then"
            "    insert into public.orders values (new.object_id); end if;"
            "  return null; end $$;"
            "create trigger see after update on payments.webhook_events for each row"
            " when (new.processing_status = 'processed') execute function public.see();"
            "create function public.hush() returns trigger language plpgsql as $$ begin return null; end $$;"
            "create trigger off after update on payments.webhook_events for each row execute function public.hush();"
            "alter table payments.webhook_events disable trigger off",
        )
        with hooked(database) as server:
            yield server, database


def replay(server: Server, **body: Any) -> dict[str, Any]:
    answer = server.client.post(REPLAY, json=body, headers=admin())
    assert answer.status_code == 200, answer.text
    return answer.json()


def seen(database: FreshDatabase, event_id: str) -> int:
    return len(sql(database, "select from public.seen where event_id = $1", event_id))


def paid(name: str) -> dict[str, Any]:
    return event("payment_intent.succeeded", START, intent(name, status="succeeded", amount_received=2500))


def test_a_rehearsal_tells_of_every_event_what_would_change_and_fire_and_does_nothing(watched: Watched) -> None:
    server, database = watched
    bought = purchase("told", subject=("team", "t-told"))
    for body in bought:
        deliver(server, body)
    script(database, "update payments.transactions set amount = 1 where provider_object_id = 'pi_told'")
    before = sql(database, "select count(*) from public.seen")
    told = replay(server, subjectType="team", subjectId="t-told", dryRun=True)
    assert told["eventIds"] == [body["id"] for body in bought]
    assert [one["event"]["eventId"] for one in told["rehearsed"]] == told["eventIds"]
    assert told["summary"]["outcomes"] == {"processed": len(bought)}
    assert told["summary"]["triggers"] == [{"table": "payments.webhook_events", "name": "see", "times": len(bought)}]
    assert told["summary"]["writes"]["public.seen"] == len(bought)
    succeeded = next(one for one in told["rehearsed"] if one["event"]["eventType"] == "payment_intent.succeeded")
    (change,) = (one for one in succeeded["changes"] if one["table"] == "payments.transactions")
    assert (change["key"]["objectId"], change["before"]["amount"], change["after"]["amount"]) == ("pi_told", 1, 2500)
    assert succeeded["triggers"] == [
        {"table": "payments.webhook_events", "name": "see", "function": "public.see", "timing": "after"}
    ]
    assert sql(database, "select count(*) from public.seen") == before
    (row,) = sql(database, "select amount from payments.transactions where provider_object_id = 'pi_told'")
    assert row["amount"] == 1
    assert sql(database, "select from payments.event_queue") == []


def test_a_selection_is_run_again_by_the_worker_audited_and_fulfills_nothing_twice(watched: Watched) -> None:
    server, database = watched
    sent = [paid(f"again{n}") for n in range(3)]
    for body in sent:
        deliver(server, body)
    orders = sql(database, "select id from public.orders where id like 'pi_again%'")
    assert len(orders) == 3
    told = replay(server, eventIds=[body["id"] for body in sent], type="payment_intent.*", reason="a bug is fixed")
    assert (told["dryRun"], told["selected"], told["rehearsed"], told["next"]) == (False, 3, None, None)
    for body in sent:
        wait_until(lambda ident=body["id"]: seen(database, ident) == 2, f"{body['id']} run again")
    assert sql(database, "select id from public.orders where id like 'pi_again%'") == orders
    (act,) = sql(database, "select * from system.audit_log where action = 'event.replay' and reason = 'a bug is fixed'")
    assert '"queued": 3' in act["details"]
    attempts = server.client.get(f"/api/paygres/test/events/{sent[0]['id']}/attempts", headers=admin()).json()
    assert [one["attempt"] for one in attempts["attempts"]] == [1, 2]


def test_a_long_selection_goes_on_where_it_ended(watched: Watched) -> None:
    server, _ = watched
    sent = [paid("paged") | {"id": f"evt_paged_{n}"} for n in range(5)]
    for body in sent:
        deliver(server, body)
    first = replay(server, objectId="pi_paged", limit=2, dryRun=True)
    second = replay(server, objectId="pi_paged", limit=2, dryRun=True, after=first["next"])
    last = replay(server, objectId="pi_paged", limit=2, dryRun=True, after=second["next"])
    assert first["eventIds"] + second["eventIds"] + last["eventIds"] == [body["id"] for body in sent]
    assert last["next"] is None


def test_filters_choose_by_type_status_and_time(watched: Watched) -> None:
    server, _ = watched
    body = paid("chosen")
    upcoming = event("invoice.upcoming", START, {"object": "invoice", "customer": "cus_chosen"})
    deliver(server, body)
    deliver(server, upcoming)
    assert replay(server, status="ignored", dryRun=True)["eventIds"] == [upcoming["id"]]
    shown = server.client.get(f"/api/paygres/test/events/{body['id']}", headers=admin()).json()["event"]
    later = replay(server, type="payment_intent.succeeded", dryRun=True, **{"from": shown["receivedAt"]})
    assert later["eventIds"] == [body["id"]]
    assert replay(server, eventIds=["evt_nosuch"])["selected"] == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "At least one of eventIds"),
        ({"dryRun": True}, "At least one of eventIds"),
        ({"type": "a b"}, "type: Expected an event type"),
        ({"subjectType": "team"}, "subjectType and subjectId must be provided together"),
        ({"objectId": "pi_1", "subjectType": "team", "subjectId": "t"}, "cannot be combined"),
        ({"type": "invoice.paid", "after": "x"}, "after: Expected the next of an answer"),
        ({"type": "invoice.paid", "limit": 5000}, "limit"),
    ],
)
def test_a_selection_that_means_nothing_is_a_clear_400(watched: Watched, body: dict[str, Any], message: str) -> None:
    answer = watched[0].client.post(REPLAY, json=body, headers=admin())
    assert answer.status_code == 400
    assert message in answer.json()["message"]
    assert watched[0].client.post(REPLAY, json=body).status_code == 401
