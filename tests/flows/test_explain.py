"""One timeline of an order: every delivery and every row once, each after what caused it, and the tables at its end."""

import random
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from paygres.server.db.embedded import Urls
from tests.flows.webhooks import deliver, hooked, script, sql
from tests.fresh_database import FreshDatabase, cloned
from tests.histories import START, Event, event, purchase
from tests.http.running import Server, admin
from tests.subscription_histories import subscribed
from tests.system.processes import wait_until

SHOP = """
create function public.fulfill_order() returns trigger language plpgsql set search_path = '' as $$
begin
    if new.object_id like '%clumsy%' and new.attempt_count = 1 then raise exception 'not yet'; end if;
    perform payments.fulfill(new, 'orders', new.payload #>> '{data,object,metadata,order_id}', 2500, 'usd');
    return null;
end $$;
create trigger fulfill_order after update on payments.webhook_events for each row
    when (new.processing_status = 'processed' and new.event_type = 'checkout.session.completed')
    execute function public.fulfill_order();
insert into payments.destinations (environment, kind, name, url, types)
values ('test', 'webhook', 'mail', 'http://127.0.0.1:9/', '{fulfillment.granted,fulfillment.reversed}');
"""
Watched = tuple[Server, FreshDatabase]


@pytest.fixture(scope="module")
def watched(postgres: Urls) -> Iterator[Watched]:
    with cloned(postgres) as database:
        script(database, SHOP)
        with hooked(database) as server:
            yield server, database


def order(database: FreshDatabase, name: str, subject: tuple[str, str] | None = None) -> str:
    """Our checkout row of a purchase, as the route makes it; its id."""
    row_id = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    whose = "'{}', '{}'".format(*subject) if subject else "null, null"
    script(
        database,
        "insert into payments.stripe_checkout_sessions (id, environment, mode, status, subject_type, subject_id,"
        " line_items, success_url, cancel_url, metadata, created_by, checkout_session_id)"
        f" values ('{row_id}', 'test', 'payment', 'open', {whose},"
        ' \'[{"priceId": "price_once", "quantity": 1}]\','
        f" 'https://example.com/ok', 'https://example.com/no', '{{\"order_id\": \"{name}\"}}', 'u1', 'cs_test_{name}')",
    )
    return row_id


def told(server: Server, named: str) -> dict[str, Any]:
    answer = server.client.get(f"/api/paygres/test/explain/{quote(named, safe='')}", headers=admin())
    assert answer.status_code == 200, answer.text
    return answer.json()


def bought(watched: Watched, name: str, subject: tuple[str, str] | None = None, **more: Any) -> tuple[str, list[Event]]:
    """A purchase whose events come in any order, some of them twice."""
    server, database = watched
    row_id = order(database, name, subject)
    events = purchase(name, subject=subject, **more)
    rng = random.Random(name)
    arriving = [*events, *(one for one in events if rng.random() < 0.4)]
    rng.shuffle(arriving)
    for body in arriving:
        deliver(server, body)
    return row_id, events


def story(server: Server, named: str) -> tuple[list[dict[str, Any]], Any]:
    """Steps and rows, less how far the worker is with the messages, which it is busy with meanwhile."""
    timeline = told(server, named)
    worked = ("attempts", "deliveredAt", "nextAttemptAt", "error")
    steps = [
        {name: value for name, value in step.items() if step["kind"] != "message" or name not in worked}
        for step in timeline["steps"]
    ]
    return steps, timeline["rows"]


def of_kind(timeline: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    return [step for step in timeline["steps"] if step["kind"] in kinds]


def in_tables(database: FreshDatabase, name: str) -> set[tuple[str, str]]:
    """Every row about a purchase, looked for by its name."""
    found = sql(
        database,
        "select 'payments.stripe_objects' as t, object_id as id from payments.stripe_objects where object_id like $1"
        " union select 'payments.transactions', provider_object_id from payments.transactions"
        " where provider_object_id like $1"
        " union select 'payments.customers', provider_customer_id from payments.customers"
        " where provider_customer_id like $1"
        " union select 'payments.customer_mappings', subject_id from payments.customer_mappings"
        " where provider_customer_id like $1"
        " union select 'payments.stripe_subscriptions', subscription_id from payments.stripe_subscriptions"
        " where subscription_id like $1"
        " union select 'payments.stripe_subscription_items', subscription_item_id"
        " from payments.stripe_subscription_items where subscription_id like $1"
        " union select 'payments.fulfillments', id::text from payments.fulfillments where payment_key like $1"
        " union select 'payments.attention', object_id from payments.attention where object_id like $1",
        f"%\\_{name}%",
        role="paygres_service",
    )
    return {(row["t"], row["id"]) for row in found}


def in_timeline(timeline: dict[str, Any]) -> list[tuple[str, str]]:
    own = ("objectId", "providerCustomerId", "subscriptionId", "subscriptionItemId", "subjectId", "id")
    return [
        (row["table"], next(row["key"][name] for name in own if name in row["key"]))
        for row in timeline["rows"]
        if row["table"] != "payments.stripe_checkout_sessions"
    ]


@pytest.mark.parametrize("name", ["plain", "declined", "returned"])
def test_every_delivery_and_every_row_of_a_faulty_run_is_named_once_and_the_end_is_what_the_tables_say(
    watched: Watched, name: str
) -> None:
    server, database = watched
    more: dict[str, Any] = {"declined": {"declines": 2}, "returned": {"refunded": 1000}}.get(name, {})
    row_id, events = bought(watched, name, ("user", f"u-{name}"), **more)
    timeline = told(server, row_id)
    assert sorted(step["eventId"] for step in of_kind(timeline, "delivery")) == sorted(body["id"] for body in events)
    rows = in_timeline(timeline)
    assert len(rows) == len(set(rows))
    assert set(rows) == in_tables(database, name)
    (session,) = (row for row in timeline["rows"] if row["table"] == "payments.stripe_checkout_sessions")
    assert (session["key"]["id"], session["now"]["status"]) == (row_id, "completed")
    assert all(1 <= row["step"] <= len(timeline["steps"]) for row in timeline["rows"])
    (paid,) = (row["now"] for row in timeline["rows"] if row["table"] == "payments.transactions")
    wanted = ("partially_refunded", 1000) if name == "returned" else ("succeeded", 0)
    assert (paid["status"], paid["amountRefunded"]) == wanted
    assert timeline["truncated"] is False


def test_causes_stand_before_what_they_caused(watched: Watched) -> None:
    server, database = watched
    row_id = order(database, "caused", ("team", "t-caused"))
    for body in purchase("caused", subject=("team", "t-caused"), refunded=2500):
        deliver(server, body)
    timeline = told(server, "caused")
    kinds = [step["kind"] for step in timeline["steps"]]
    assert kinds[0] == "checkout"
    assert (timeline["steps"][0]["id"], timeline["steps"][0]["requestedBy"]) == (row_id, "u1")
    (granted,) = of_kind(timeline, "fulfillment")
    completed = next(step for step in of_kind(timeline, "delivery") if step["eventId"] == granted["eventId"])
    assert completed["eventType"] == "checkout.session.completed"
    assert granted["step"] == completed["step"] + 1
    (given_back,) = of_kind(timeline, "reversal")
    (now,) = sql(database, "select * from payments.fulfillments where key = 'caused'", role="project_admin")
    assert (given_back["status"], given_back["amountKept"]) == (now["status"], now["amount_kept"]) == ("reversed", 0)
    assert [step["type"] for step in of_kind(timeline, "message")] == ["fulfillment.granted", "fulfillment.reversed"]
    assert kinds.index("fulfillment") < kinds.index("reversal")
    back = next(step for step in of_kind(timeline, "delivery") if step["eventType"] == "charge.refunded")
    assert {"path": "amount_refunded", "before": 0, "after": 2500} in back["changes"]
    assert {row["step"] for row in timeline["rows"] if row["table"] == "payments.transactions"} <= {
        step["step"] for step in of_kind(timeline, "delivery")
    }


def test_attempts_and_operators_acts_are_part_of_it(watched: Watched) -> None:
    server, _ = watched
    _, events = bought(watched, "clumsy")
    failing = next(body for body in events if body["type"] == "checkout.session.completed")

    def attempts() -> list[dict[str, Any]]:
        steps = of_kind(told(server, failing["id"]), "delivery")
        return next(step["attempts"] for step in steps if step["eventId"] == failing["id"])

    wait_until(lambda: [one["outcome"] for one in attempts()] == ["failed", "processed"], "the second attempt")
    assert "not yet" in attempts()[0]["error"]
    path = f"/api/paygres/test/events/{failing['id']}/replay"
    assert server.client.post(path, json={"reason": "once more"}, headers=admin()).status_code == 200
    (act,) = of_kind(told(server, "clumsy"), "operator")
    assert (act["action"], act["target"], act["reason"]) == ("event.replay", failing["id"], "once more")
    assert [one["outcome"] for one in attempts()] == ["failed", "processed", "processed"]


def test_whatever_names_the_order_leads_to_the_same_story(watched: Watched) -> None:
    server, database = watched
    row_id, events = bought(watched, "named", ("team", "t-named"), refunded=500)
    wanted = story(server, row_id)
    (given,) = sql(database, "select id from payments.fulfillments where key = 'named'", role="project_admin")
    charged = next(body["id"] for body in events if body["type"] == "charge.succeeded")
    for named in (
        "named",
        "cs_test_named",
        "pi_named",
        "ch_named_1",
        "cus_named",
        "team:t-named",
        charged,
        str(given["id"]),
    ):
        assert story(server, named) == wanted, named
    bought(watched, "beside", ("team", "t-named"))
    assert story(server, "named")[0] == wanted[0]
    both = told(server, "team:t-named")
    assert {step["id"] for step in of_kind(both, "checkout")} > {row_id}
    assert len(both["steps"]) > len(wanted[0])


def test_a_subscription_is_told_with_all_its_invoices_an_invoice_alone(watched: Watched) -> None:
    server, database = watched
    events = subscribed("told", subject=("team", "t-told"), renewals=1, declines=1)
    random.Random(5).shuffle(events)
    for body in events:
        deliver(server, body)
    timeline = told(server, "sub_told")
    assert {step["eventId"] for step in of_kind(timeline, "delivery")} == {body["id"] for body in events}
    assert set(in_timeline(timeline)) == in_tables(database, "told")
    one = told(server, "in_told_2")
    assert "in_told_1" not in one["objects"]
    assert {"pi_told_2", "sub_told", "cus_told"} <= set(one["objects"])


def test_what_nobody_knows_is_a_404_and_nonsense_a_400(watched: Watched) -> None:
    client = watched[0].client
    for named in ("evt_nosuch", "cs_nosuch", "team:nobody", "no such order", str(uuid.uuid4()), "*", "a'b"):
        answer = client.get(f"/api/paygres/test/explain/{quote(named, safe='')}", headers=admin())
        assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND"), named
    for named in ("%20", "x" * 256, "a%00b"):
        assert client.get(f"/api/paygres/test/explain/{named}", headers=admin()).status_code == 400, named
    assert client.get("/api/paygres/nowhere/explain/x", headers=admin()).status_code == 400
    assert client.get("/api/paygres/test/explain/x").status_code == 401
    deliver(watched[0], event("payout.paid", START, {"id": "po_told", "object": "payout"}, ident="evt_payout"))
    assert [step["eventType"] for step in told(watched[0], "evt_payout")["steps"]] == ["payout.paid"]
