"""The webhook road through a real server: stored, projected and marked in one go, once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from paygres.server.db.embedded import Urls
from tests.flows.webhooks import deliver, hooked, sql
from tests.fresh_database import FreshDatabase, cloned
from tests.histories import event, intent, purchase, session
from tests.http.running import Server

EVENT_KEYS = [
    "environment",
    "eventId",
    "eventType",
    "livemode",
    "accountId",
    "objectType",
    "objectId",
    "processingStatus",
    "attemptCount",
    "lastError",
    "receivedAt",
    "processedAt",
    "createdAt",
    "updatedAt",
]


@pytest.fixture(scope="module")
def receiving(postgres: Urls) -> Iterator[tuple[Server, FreshDatabase]]:
    """One server for the facts of this file; each uses names of its own."""
    with cloned(postgres) as database, hooked(database) as server:
        yield server, database


def test_a_purchase_is_projected_and_every_event_is_marked(receiving: tuple[Server, FreshDatabase]) -> None:
    server, database = receiving
    for body in purchase("p1", subject=("user", "u1")):
        answer = deliver(server, body)
        assert (answer.status_code, answer.json()["handled"]) == (200, True)
        assert list(answer.json()["event"]) == EVENT_KEYS
    (row,) = sql(
        database,
        "select status, amount, subject_id, paid_at is not null as paid"
        " from payments.transactions where provider_object_id = 'pi_p1'",
    )
    assert row == {"status": "succeeded", "amount": 2500, "subject_id": "u1", "paid": True}
    (mapping,) = sql(database, "select provider_customer_id from payments.customer_mappings where subject_id = 'u1'")
    assert mapping["provider_customer_id"] == "cus_p1"


def test_a_second_delivery_changes_nothing(receiving: tuple[Server, FreshDatabase]) -> None:
    server, database = receiving
    body = event("payment_intent.succeeded", 1_790_000_000, intent("twice", status="succeeded", amount_received=2500))
    assert deliver(server, body).json()["handled"] is True
    again = deliver(server, body).json()
    assert (again["received"], again["handled"], again["event"]["attemptCount"]) == (True, False, 1)
    assert len(sql(database, "select from payments.webhook_events where provider_event_id = $1", body["id"])) == 1


def test_deliveries_at_the_same_time_apply_once(receiving: tuple[Server, FreshDatabase]) -> None:
    server, _ = receiving
    body = event("payment_intent.succeeded", 1_790_000_000, intent("rush", status="succeeded", amount_received=2500))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: deliver(server, body), range(8)))
    assert [a.status_code for a in answers] == [200] * 8
    assert [a.json()["handled"] for a in answers].count(True) == 1


def test_a_signature_that_does_not_hold_stores_nothing(receiving: tuple[Server, FreshDatabase]) -> None:
    server, database = receiving
    body = event("customer.created", 1_790_000_000, {"id": "cus_bad", "object": "customer"})
    for answer in (deliver(server, body, secret="whsec_other"), deliver(server, body, at=1_000_000_000)):
        assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_INPUT")
    assert sql(database, "select from payments.stripe_snapshots where event_id = $1", body["id"]) == []


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"[]",
        b'{"object":"event"}',
        b'"text"',
        b"{}" * 3,
        b'{"object":"v2.core.event","id":"evt_1","type":"v1.x"}',
    ],
)
def test_a_signed_body_that_is_no_event_is_a_clear_400(receiving: tuple[Server, FreshDatabase], payload: bytes) -> None:
    answer = deliver(receiving[0], payload)
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_INPUT")


def test_an_event_of_the_other_mode_is_kept_and_not_applied(receiving: tuple[Server, FreshDatabase]) -> None:
    server, database = receiving
    body = event("payment_intent.succeeded", 1_790_000_000, intent("live", status="succeeded", amount_received=1))
    answer = deliver(server, {**body, "livemode": True}).json()
    assert answer["event"]["processingStatus"] == "ignored"
    assert "livemode" in answer["event"]["lastError"]
    assert sql(database, "select from payments.transactions where provider_object_id = 'pi_live'") == []


def test_an_object_of_another_installation_is_foreign(receiving: tuple[Server, FreshDatabase]) -> None:
    server, database = receiving
    theirs = intent("theirs", status="succeeded", metadata={"insforge_installation_id": "another"})
    answer = deliver(server, event("payment_intent.succeeded", 1_790_000_000, theirs)).json()
    assert answer["event"]["processingStatus"] == "ignored"
    assert answer["event"]["lastError"].startswith("foreign")
    assert sql(database, "select from payments.transactions where provider_object_id = 'pi_theirs'") == []


def test_a_shape_we_do_not_read_is_parked_with_its_reason(receiving: tuple[Server, FreshDatabase]) -> None:
    server, database = receiving
    body = event("payment_intent.succeeded", 1_790_000_000, {"id": "pi_odd", "object": "payment_intent"})
    answer = deliver(server, body).json()
    assert (answer["handled"], answer["event"]["processingStatus"]) == (False, "pending")
    (queued,) = sql(
        database,
        "select status, reason, deadline is not null as has_deadline from payments.event_queue where event_id = $1",
        body["id"],
    )
    assert queued["reason"].startswith("parked: payment_intent without status")
    assert queued["has_deadline"]


@pytest.mark.parametrize(
    "raw",
    [
        intent("w1", status=7),
        intent("w2", amount="much"),
        intent("w3", metadata=[1]),
        intent("w4", customer=4),
        session("w5", status="complete", payment_intent={"id": 5}, amount_total="x"),
        session("w6", created="then"),
    ],
)
def test_wrong_types_inside_an_object_never_lose_the_event(
    receiving: tuple[Server, FreshDatabase], raw: dict[str, object]
) -> None:
    server, database = receiving
    body = event(f"{raw['object']}.{'completed' if 'cs_' in str(raw['id']) else 'succeeded'}", 1_790_000_000, raw)
    assert deliver(server, body).status_code == 200
    assert len(sql(database, "select from payments.stripe_snapshots where event_id = $1", body["id"])) == 1


def test_nul_in_a_text_is_replaced_not_refused(receiving: tuple[Server, FreshDatabase]) -> None:
    server, database = receiving
    raw = {"id": "cus_nul", "object": "customer", "name": "A\x00B", "metadata": {}, "created": 1}
    assert deliver(server, orjson.dumps(event("customer.created", 1_790_000_000, raw))).status_code == 200
    (row,) = sql(database, "select name from payments.customers where provider_customer_id = 'cus_nul'")
    assert row["name"] == "A\ufffdB"


def test_an_unknown_event_type_is_recorded_and_ignored(receiving: tuple[Server, FreshDatabase]) -> None:
    answer = deliver(receiving[0], event("invoice.upcoming", 1_790_000_000, {"object": "invoice"})).json()
    assert (answer["handled"], answer["event"]["processingStatus"]) == (False, "ignored")


def test_a_session_row_that_never_learned_its_stripe_id_is_found(receiving: tuple[Server, FreshDatabase]) -> None:
    server, database = receiving
    (row,) = sql(
        database,
        "insert into payments.stripe_checkout_sessions (environment, mode, success_url, cancel_url)"
        " values ('test', 'payment', 'https://a.example.com', 'https://a.example.com')"
        " returning id",
        role="project_admin",
    )
    paid = session(
        "lost",
        status="complete",
        payment_status="paid",
        payment_intent="pi_lost",
        url=None,
        client_reference_id=str(row["id"]),
    )
    deliver(server, event("checkout.session.completed", 1_790_000_000, paid))
    (after,) = sql(
        database,
        "select status, payment_status, checkout_session_id from payments.stripe_checkout_sessions where id = $1",
        row["id"],
        role="project_admin",
    )
    assert after == {"status": "completed", "payment_status": "paid", "checkout_session_id": "cs_test_lost"}
