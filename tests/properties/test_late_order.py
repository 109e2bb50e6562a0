"""What comes late, says little, or says it in an old way: every order of it ends in the same rows, the right ones."""

import itertools
from datetime import datetime
from typing import Any

from tests.histories import START, catalog, charge, customer, event, session
from tests.mirror import Digest
from tests.playing import Mirror, Step
from tests.subscription_histories import invoice, item, subscription

NAME = "Q0Q"
TEAM = {"insforge_subject_type": "team", "insforge_subject_id": f"t{NAME}"}
USER = {"insforge_subject_type": "user", "insforge_subject_id": f"u{NAME}"}


def in_every_order(mirror: Mirror, steps: list[Step]) -> Digest:
    """The one state that all orders of the steps end in."""
    named = [{**s, "id": f"evt_{n}"} if isinstance(s, dict) else s for n, s in enumerate(steps)]
    states = mirror.states_of_orders(list(itertools.permutations(named)))
    assert all(state == states[0] for state in states)
    return states[0]


def gone(raw: dict[str, Any], at: int) -> Step:
    """A read that only says that the object is gone."""
    return {"id": raw["id"], "object": raw["object"], "deleted": True}, at


def test_a_bare_telling_takes_nothing_from_what_is_known(mirror: Mirror) -> None:
    ada = customer(NAME, name="Ada")
    product = catalog(NAME)[0]
    steps = [
        event("customer.created", START, ada),
        gone(ada, START + 9),
        event("customer.deleted", START + 5, gone(ada, 0)[0]),  # type: ignore[index]
        product,
        gone(product["data"]["object"], START + 3),
    ]
    state = in_every_order(mirror, steps)
    assert [(c["name"], c["deleted"]) for c in state["customers"]] == [("Ada", True)]
    assert [(p["name"], p["deleted"]) for p in state["stripe_products"]] == [("Pro", True)]
    assert {(o["object_id"], o["as_of"], o["deleted"]) for o in state["stripe_objects"]} == {
        (f"cus_{NAME}", START, True),
        (f"prod_{NAME}", START, True),
    }


def test_of_several_bare_tellings_the_last_one_counts(mirror: Mirror) -> None:
    state = in_every_order(mirror, [gone(customer(NAME), at) for at in (START, START + 9, START + 5)])
    assert [(o["as_of"], o["deleted"]) for o in state["stripe_objects"]] == [(START + 9, True)]


def test_a_second_subscription_that_is_gone_needs_no_attention(mirror: Mirror) -> None:
    first, second = (
        subscription(f"{NAME}{n}", metadata=TEAM, created=START + n, items=_items(f"{NAME}{n}")) for n in (1, 2)
    )
    steps = [
        event("customer.subscription.created", START, first),
        event("customer.subscription.created", START + 2, second),
        gone(second, START + 9),
    ]
    state = in_every_order(mirror, steps)
    assert [(s["subscription_id"], s["status"]) for s in state["stripe_subscriptions"]] == [
        (f"sub_{NAME}1", "active"),
        (f"sub_{NAME}2", "canceled"),
    ]
    assert twice_paid(state) == []


def test_a_truncated_telling_keeps_the_items_of_the_whole_one_until_it_is_read(mirror: Mirror) -> None:
    whole = subscription(NAME, metadata=TEAM, items=_items("1Q0Q", "2Q0Q", "3Q0Q"))
    part = {**whole, "cancel_at": START + 99, "items": {"data": [item("1Q0Q")], "has_more": True}}
    steps = [
        event("customer.subscription.created", START, whole),
        event("customer.subscription.updated", START + 9, part, {"cancel_at": None}),
    ]
    state = in_every_order(mirror, steps)
    assert [i["subscription_item_id"] for i in state["stripe_subscription_items"]] == ["si_1Q0Q", "si_2Q0Q", "si_3Q0Q"]
    assert [o["undecided"] for o in state["stripe_objects"]] == [True]

    now = {**part, "items": _items("1Q0Q", "3Q0Q")}
    state = in_every_order(mirror, [*steps, (now, START + 11)])
    assert [i["subscription_item_id"] for i in state["stripe_subscription_items"]] == ["si_1Q0Q", "si_3Q0Q"]
    assert [o["undecided"] for o in state["stripe_objects"]] == [False]


def test_a_card_that_was_told_stays_while_it_is_the_default(mirror: Mirror) -> None:
    card = {"id": f"pm_{NAME}", "object": "payment_method", "type": "card", "card": {"brand": "Visa", "last4": "4242"}}
    new = customer(NAME, invoice_settings={"default_payment_method": f"pm_{NAME}"})
    other = {**new, "invoice_settings": {"default_payment_method": f"pm_other{NAME}"}}
    steps = [
        ({**new, "invoice_settings": {"default_payment_method": card}}, START + 1),
        event("customer.updated", START + 5, other, {"invoice_settings": new["invoice_settings"]}),
        event("customer.updated", START + 9, new, {"invoice_settings": other["invoice_settings"]}),
    ]
    (row,) = in_every_order(mirror, steps)["customers"]
    assert (row["payment_method_brand"], row["payment_method_last4"]) == ("visa", "4242")
    (row,) = in_every_order(mirror, steps[:2])["customers"]
    assert (row["payment_method_id"], row["payment_method_brand"]) == (f"pm_other{NAME}", None)


def test_a_plan_family_told_after_the_subscriptions_decides_about_them(mirror: Mirror) -> None:
    first, second = (
        event(
            "customer.subscription.created",
            START + n,
            subscription(
                f"{NAME}{n}", metadata=TEAM, created=START + n, items=_items(f"{NAME}{n}", product=f"prod_{p}")
            ),
        )
        for n, p in ((1, f"{NAME}a"), (2, f"{NAME}b"))
    )
    products = [catalog(f"{NAME}{p}", families=("pro",))[-1] for p in "ab"]
    state = in_every_order(mirror, [first, second, *products])
    assert [(a["object_id"], a["details"]["plan_families"]) for a in twice_paid(state)] == [(f"sub_{NAME}2", ["pro"])]

    renamed = catalog(f"{NAME}b", families=("pro", "team"))[-1]
    state = in_every_order(mirror, [first, second, *products, renamed])
    assert twice_paid(state) == []


def test_a_customer_that_turns_out_to_be_anothers_is_shown_as_theirs(mirror: Mirror) -> None:
    def completed(name: str, cus: str, who: dict[str, str], at: int) -> Step:
        raw = session(name, status="complete", customer=f"cus_{NAME}{cus}", created=at, metadata=who, url=None)
        return event("checkout.session.completed", at, raw)

    steps = [
        completed(f"{NAME}1", "a", TEAM, START),  # the team's own
        completed(f"{NAME}2", "b", USER, START + 1),  # the user's own
        completed(f"{NAME}3", "c", USER, START + 7),  # looks like the user's second
        completed(f"{NAME}4", "c", TEAM, START + 5),  # and is the team's
    ]
    state = in_every_order(mirror, steps)
    assert [(a["object_id"], a["subject_type"]) for a in state["attention"]] == [(f"cus_{NAME}c", "team")]
    assert {(m["subject_type"], m["provider_customer_id"]) for m in state["customer_mappings"]} == {
        ("team", f"cus_{NAME}a"),
        ("user", f"cus_{NAME}b"),
    }


def test_subscriptions_that_follow_their_customer_leave_nothing_with_the_former_owner(mirror: Mirror) -> None:
    def proof(cus: str, who: dict[str, str], at: int) -> Step:
        raw = session(f"{NAME}{at}", status="complete", customer=f"cus_{cus}", created=at, metadata=who, url=None)
        return event("checkout.session.completed", at, raw)

    mine = subscription(f"{NAME}1", created=START + 1, items=_items(f"{NAME}1"))
    other = subscription(f"{NAME}2", metadata=TEAM, created=START + 2, items=_items(f"{NAME}2"))
    steps = [
        event("customer.subscription.created", START + 1, mine),
        event("customer.subscription.created", START + 2, other),
        proof(f"{NAME}1", TEAM, START + 9),
        proof(f"{NAME}1", USER, START + 5),
    ]
    state = in_every_order(mirror, steps)
    assert [s["subject_type"] for s in state["stripe_subscriptions"]] == ["user", "team"]
    assert twice_paid(state) == []


def test_a_rendering_that_is_not_read_hides_nothing_and_is_asked_for(mirror: Mirror) -> None:
    draft, paid = invoice(NAME, metadata=TEAM), invoice(NAME, metadata=TEAM, status="paid", amount_paid=900)
    old = {key: value for key, value in paid.items() if key != "parent"}
    steps = [
        event("invoice.created", START, draft),
        event("invoice.paid", START + 5, old, version="2024-06-20"),
        event("invoice.payment_succeeded", START + 6, old, version="2024-06-20"),
        event("invoice.finalized", START + 1, {**draft, "status": "open"}),
    ]
    state = in_every_order(mirror, steps)
    assert [(o["as_of"], o["raw"]["status"]) for o in state["stripe_objects"]] == [(START + 1, "open")]
    assert {(r["object_type"], r["reason"]) for r in mirror.rows("select * from payments.refetch_queue")} == {
        ("invoice", "an event rendered it in a way that cannot be read")
    }
    state = in_every_order(mirror, [*steps, (paid, START + 9)])
    assert [t["status"] for t in state["transactions"]] == ["succeeded"]


def test_reading_a_failure_again_does_not_make_it_younger(mirror: Mirror) -> None:
    failed = charge(NAME, status="failed", paid=False, captured=False, metadata=TEAM)
    steps = [event("charge.failed", START + 3, failed), (failed, START + 100), (failed, START + 5000)]
    (row,) = in_every_order(mirror, steps)["transactions"]
    assert datetime.fromisoformat(row["failed_at"]).timestamp() == START + 3


def twice_paid(state: Digest) -> list[Any]:
    """What operators see of subjects that pay twice for one plan."""
    return [a for a in state.get("attention", []) if a["reason"] == "second_subscription"]


def _items(*names: str, product: str = "prod_Q0Q") -> dict[str, Any]:
    listed = [item(name, "price_Q0Q", product) for name in names]
    return {"object": "list", "data": listed, "has_more": False}
