"""Subscriptions, invoices, refunds and disputes: any order, any duplicates, any interleaving end in one state."""

import random
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.flows.webhooks import script
from tests.fresh_database import FreshDatabase
from tests.histories import START, Event, charge, event, intent
from tests.playing import Mirror, examples
from tests.subscription_histories import billed, invoice, invoice_payment, item, refund, subscribed, subscription

TEAM = ("team", "t1")
STAMP = {"insforge_subject_type": "team", "insforge_subject_id": "t1"}


def rows(state: dict[str, list[object]], table: str) -> list[dict[str, Any]]:
    return state[table]  # type: ignore[return-value]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """One or two subscriptions, of one subject or of nobody known."""
    found: list[Event] = []
    for number in range(draw(st.integers(1, 2))):
        found += subscribed(
            f"s{number}",
            subject=draw(st.sampled_from([None, TEAM, TEAM, ("user", "u1")])),
            at=START + number * draw(st.integers(0, 30)),
            renewals=draw(st.integers(0, 1)),
            declines=draw(st.integers(0, 1)),
            refunded=draw(st.sampled_from([0, 400, 900])),
            ends=draw(st.booleans()),
        )
    return found


@examples(8)
@given(history=histories(), seed=st.integers(0, 2**32), workers=st.sampled_from([1, 4]))
def test_any_order_any_duplicates_and_api_reads_end_in_one_state(
    mirror: Mirror, history: list[Event], seed: int, workers: int
) -> None:
    rng = random.Random(seed)
    reads = [(e["data"]["object"], e["created"] - rng.choice([0, 1])) for e in history if rng.random() < 0.2]
    in_order = mirror.state_after([*history, *reads])

    shuffled = [*history, *reads, *(e for e in history if rng.random() < 0.3)]
    rng.shuffle(shuffled)
    assert mirror.state_after(shuffled, workers) == in_order


@pytest.mark.parametrize("seed", range(4))
def test_a_subscription_purchase_is_one_row_and_needs_no_refetch(mirror: Mirror, seed: int) -> None:
    burst = subscribed("a", subject=TEAM)
    random.Random(seed).shuffle(burst)
    state = mirror.state_after(burst)
    (row,) = rows(state, "transactions")
    assert (row["type"], row["status"], row["amount"]) == ("subscription_invoice", "succeeded", 900)
    assert (row["provider_object_type"], row["provider_object_id"]) == ("payment_intent", "pi_a_1")
    assert (row["subject_type"], row["subject_id"]) == TEAM
    assert row["related_object_ids"]["invoice"] == "in_a_1"
    assert not any(o["undecided"] for o in rows(state, "stripe_objects"))


def test_an_unstamped_intent_of_a_customer_is_no_row_until_its_invoice_is_known(mirror: Mirror) -> None:
    paid = intent("x", status="succeeded", customer="cus_a", amount_received=900)
    first = [event("payment_intent.succeeded", START, paid)]
    assert rows(mirror.state_after(first), "transactions") == []
    known = [*first, event("invoice_payment.paid", START + 9, {**invoice_payment("a"), "payment": _pays("pi_x")})]
    settled = [*known, event("invoice.paid", START, invoice("a", status="paid", amount_paid=900))]
    (row,) = rows(mirror.state_after(settled), "transactions")
    assert (row["provider_object_id"], row["type"]) == ("pi_x", "subscription_invoice")


def test_a_late_payment_failure_does_not_flip_a_paid_invoice(mirror: Mirror) -> None:
    paid = invoice("a", status="paid", amount_paid=900, attempted=True, attempt_count=2)
    failed = invoice("a", status="open", attempted=True, attempt_count=1, amount_due=1200)
    late = [event("invoice.paid", START + 5, paid), event("invoice.payment_failed", START, failed)]
    (row,) = rows(mirror.state_after(late), "transactions")
    assert (row["status"], row["amount"]) == ("succeeded", 900)


def test_a_late_update_does_not_revive_an_ended_subscription(mirror: Mirror) -> None:
    ended = event("customer.subscription.deleted", START + 50, subscription("a", status="canceled"))
    late = event("customer.subscription.updated", START + 10, subscription("a"), {"status": "trialing"})
    (row,) = rows(mirror.state_after([ended, late]), "stripe_subscriptions")
    assert row["status"] == "canceled"
    same_second = event("customer.subscription.updated", START + 50, subscription("a"), {"status": "trialing"})
    (row,) = rows(mirror.state_after([same_second, ended]), "stripe_subscriptions")
    assert row["status"] == "canceled"


def test_a_refund_that_fails_later_leaves_the_payment_succeeded(mirror: Mirror) -> None:
    history = billed("a", 1, START, STAMP, refunded=900)
    back = next(e["data"]["object"] for e in history if e["type"] == "refund.updated")
    failed = event("refund.failed", START + 90_000, {**back, "status": "failed"})
    for order in ([*history, failed], [failed, *history[::-1]]):
        state = rows(mirror.state_after(order), "transactions")
        payment = next(row for row in state if row["type"] != "refund")
        refunded = next(row for row in state if row["type"] == "refund")
        assert (payment["status"], payment["amount_refunded"], payment["refunded_at"]) == ("succeeded", 0, None)
        assert refunded["status"] == "failed"


def test_a_refund_row_belongs_to_whom_its_payment_belongs(mirror: Mirror) -> None:
    history = billed("a", 1, START, STAMP, refunded=400)
    for order in (history, history[::-1]):
        state = rows(mirror.state_after(order), "transactions")
        refunded = next(row for row in state if row["type"] == "refund")
        assert (refunded["subject_id"], refunded["amount"], refunded["status"]) == ("t1", 400, "refunded")
        assert (refunded["provider_parent_object_id"], refunded["related_object_ids"]["invoice"]) == (
            "pi_a_1",
            "in_a_1",
        )
        payment = next(row for row in state if row["type"] != "refund")
        assert (payment["status"], payment["amount_refunded"]) == ("partially_refunded", 400)


def test_an_invoice_paid_by_two_intents_is_one_row_under_its_own_name(mirror: Mirror) -> None:
    halves = [
        {**invoice_payment("a", n), "id": f"inpay_{n}", "invoice": "in_a_1", "payment": _pays(f"pi_h{n}")}
        for n in (1, 2)
    ]
    intents = [intent(f"h{n}", status="succeeded", customer="cus_a", amount=450, amount_received=450) for n in (1, 2)]
    events = [
        *(event("payment_intent.succeeded", START, one) for one in intents),
        *(event("invoice_payment.paid", START + 3, one) for one in halves),
        event("invoice.paid", START + 1, invoice("a", status="paid", amount_paid=900)),
    ]
    for order in (events, events[::-1]):
        (row,) = rows(mirror.state_after(order), "transactions")
        assert (row["provider_object_type"], row["provider_object_id"], row["amount"]) == ("invoice", "in_a_1", 900)
        assert row["related_object_ids"]["payment_intents"] == ["pi_h1", "pi_h2"]


def test_a_subject_found_through_the_customer_follows_when_the_customer_becomes_known(mirror: Mirror) -> None:
    anonymous = [
        event("customer.subscription.created", START, subscription("a")),
        event("invoice.paid", START, invoice("a", status="paid", amount_paid=900)),
    ]
    proof = event("invoice.paid", START + 99, invoice("a", 2, metadata=STAMP, status="paid", amount_paid=900))
    for order in ([*anonymous, proof], [proof, *anonymous]):
        state = mirror.state_after(order)
        assert [s["subject_id"] for s in rows(state, "stripe_subscriptions")] == ["t1"]
        assert [t["subject_id"] for t in rows(state, "transactions")] == ["t1", "t1"]


def test_a_second_live_subscription_of_one_plan_needs_attention_until_it_ends(mirror: Mirror) -> None:
    first, second = subscribed("a", subject=TEAM), subscribed("b", subject=TEAM, at=START + 30)
    for order in ([*first, *second], [*second, *first]):
        found = rows(mirror.state_after(order), "attention")
        second_one = [a for a in found if a["reason"] == "second_subscription"]
        assert [(a["object_id"], a["details"]["first_subscription"]) for a in second_one] == [("sub_b", "sub_a")]
    gone = event("customer.subscription.deleted", START + 999, subscription("b", metadata=STAMP, status="canceled"))
    found = rows(mirror.state_after([*first, *second, gone]), "attention")
    assert not [a for a in found if a["reason"] == "second_subscription"]


def test_a_lost_dispute_is_counted_and_an_open_one_needs_attention(mirror: Mirror) -> None:
    paid = charge("d", customer=None)
    dispute = {
        "id": "du_1",
        "object": "dispute",
        "amount": 2500,
        "charge": paid["id"],
        "created": START + 9,
        "currency": "usd",
        "payment_intent": "pi_d",
        "reason": "fraudulent",
        "status": "needs_response",
        "evidence_details": {"due_by": START + 99},
    }
    opened = [
        event("charge.succeeded", START, paid),
        event("charge.dispute.created", START + 9, dispute),
    ]
    state = mirror.state_after(opened)
    assert [(t["amount_disputed"], t["amount_lost"]) for t in rows(state, "transactions")] == [(2500, 0)]
    assert [a["reason"] for a in rows(state, "attention")] == ["dispute"]
    lost = event("charge.dispute.closed", START + 20, {**dispute, "status": "lost"})
    state = mirror.state_after([lost, *opened])
    assert [(t["amount_disputed"], t["amount_lost"]) for t in rows(state, "transactions")] == [(2500, 2500)]
    assert rows(state, "attention") == []


def test_items_of_a_truncated_event_are_kept_and_the_rest_is_asked_for(mirror: Mirror) -> None:
    whole = subscription("a", items={"data": [item("1"), item("2")], "has_more": False})
    part = subscription("a", items={"data": [item("1")], "has_more": True}, cancel_at=START + 5)
    events = [
        event("customer.subscription.created", START, whole),
        event("customer.subscription.updated", START + 9, part, {"cancel_at": None}),
    ]
    state = mirror.state_after(events)
    assert [i["subscription_item_id"] for i in rows(state, "stripe_subscription_items")] == ["si_1", "si_2"]
    assert any(o["undecided"] for o in rows(state, "stripe_objects"))


def test_a_refund_of_an_unknown_payment_is_kept(mirror: Mirror) -> None:
    created = refund("z", 1, START, 300, charge("z"))[0]
    (row,) = rows(mirror.state_after([created]), "transactions")
    assert (row["type"], row["provider_object_id"], row["amount"]) == ("refund", "re_z", 300)


def test_a_late_event_of_another_account_does_not_turn_the_mapping(
    database: FreshDatabase,
) -> None:
    script(
        database,
        "insert into payments.provider_connections (environment, provider, status, provider_account_id)"
        " values ('test', 'stripe', 'connected', 'acct_2')",
    )
    with closing(Mirror(database)) as mirror:
        state = mirror.state_after(subscribed("a", subject=TEAM))  # of acct_1, which is not connected any more
    assert rows(state, "customer_mappings") == []
    assert [known["customer_id"] for known in rows(state, "subject_customers")] == ["cus_a"]


def _pays(intent_id: str) -> dict[str, str]:
    return {"type": "payment_intent", "payment_intent": intent_id}
