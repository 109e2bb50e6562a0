"""A page of a list, applied at once, leaves the rows that its objects one by one leave, before or after events."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from paygres.server.db.database import Database
from paygres.server.flows.apply_reads import apply_reads
from tests.fresh_database import FreshDatabase
from tests.histories import START, event, purchase
from tests.mirror import digest
from tests.playing import CONNECTION, Mirror, deliver
from tests.subscription_histories import item, subscription

Raw = dict[str, Any]
LATER = START + 1000
OURS = {"insforge_subject_type": "user"}


def customer(name: str, **changed: Any) -> Raw:
    return {"id": f"cus_{name}", "object": "customer", "email": f"{name}@example.com", "created": START, **changed}


def plan(name: str, subject: str | None = None, **changed: Any) -> Raw:
    """A subscription, which may say whose it is."""
    metadata = {**OURS, "insforge_subject_id": subject} if subject else {}
    items = {"object": "list", "data": [{**item(name), "created": START}], "has_more": False}
    return subscription(name, metadata=metadata, items=items, **changed)


PRODUCTS = [
    {"id": f"prod_{n}", "object": "product", "name": f"Plan {n}", "active": True, "metadata": {}} for n in ("pro", "x")
]
PRICES = [
    {
        "id": f"price_{n}",
        "object": "price",
        "product": "prod_pro",
        "active": True,
        "currency": "usd",
        "type": "one_time",
    }
    for n in ("m", "y")
]
CUSTOMERS = [customer(name) for name in ("a", "b", "c", "d", "e")]
SUBSCRIPTIONS = [
    plan("a", "u1"),
    plan("b", "u1"),  # a second plan of one subject, paid as another customer
    plan("c", "u2", status="canceled"),
    plan("d", customer="cus_a"),  # says nothing: its customer's
    plan("e"),  # nobody's
]
PAGES: list[list[Raw]] = [PRODUCTS, PRICES, CUSTOMERS, SUBSCRIPTIONS]


def state_after(database: FreshDatabase, steps: Sequence[Any]) -> dict[str, list[object]]:
    """The digest after events (dicts) and pages ((objects, as_of)), played in order."""

    async def play() -> dict[str, list[object]]:
        db = await Database.connect(database.server_url)
        try:
            for step in steps:
                if isinstance(step, tuple):
                    await apply_reads(db, CONNECTION, *step)
                else:
                    assert (await deliver(db, step)).status == "processed"
        finally:
            await db.close()
        return await digest(database.superuser_url)

    mirror = Mirror(database)
    mirror.fill([])
    mirror.close()
    return asyncio.run(play())


def one_by_one(pages: Sequence[Sequence[Raw]], as_of: int) -> list[Any]:
    return [([raw], as_of) for page in pages for raw in page]


def at_once(pages: Sequence[Sequence[Raw]], as_of: int) -> list[Any]:
    return [(page, as_of) for page in pages]


def test_a_page_of_objects_never_seen_is_the_same_at_once(database: FreshDatabase) -> None:
    state = state_after(database, at_once(PAGES, LATER))
    assert state == state_after(database, one_by_one(PAGES, LATER))
    assert {m["subject_id"]: m["provider_customer_id"] for m in state["customer_mappings"]} == {  # type: ignore[index]
        "u1": "cus_a",
        "u2": "cus_c",
    }
    assert [a["object_id"] for a in state["attention"]] == ["cus_b", "sub_b", "sub_d"]  # type: ignore[index]


def test_a_page_read_again_changes_nothing_and_keeps_nothing(database: FreshDatabase) -> None:
    once = state_after(database, at_once(PAGES, LATER))
    again = state_after(database, [*at_once(PAGES, LATER), *at_once(PAGES, LATER + 60)])
    assert again == once


def test_what_changed_since_the_last_page_is_applied(database: FreshDatabase) -> None:
    changed = [
        [{**raw, "metadata": {"seen": "twice"}} if number % 2 else raw for number, raw in enumerate(page)]
        for page in PAGES
    ]
    state = state_after(database, [*at_once(PAGES, LATER), *at_once(changed, LATER + 60)])
    assert {o["object_id"]: o["raw"] for o in state["stripe_objects"]} == {  # type: ignore[index]
        raw["id"]: raw for page in changed for raw in page
    }


@pytest.mark.parametrize("seed", range(4))
def test_events_before_after_and_newer_than_a_page_decide_as_ever(database: FreshDatabase, seed: int) -> None:
    rng = random.Random(seed)
    events = [
        event(
            f"customer.{word}", LATER + rng.choice([-60, 0, 60]), {**raw, "email": "new@example.com"}, ident=f"evt_{n}"
        )
        for n, (raw, word) in enumerate(
            zip(CUSTOMERS, ("updated", "created", "deleted", "updated", "updated"), strict=True)
        )
    ] + [
        event("customer.subscription.deleted", LATER + 5, {**SUBSCRIPTIONS[0], "status": "canceled"}, ident="evt_s1"),
        event("customer.subscription.updated", LATER - 5, {**SUBSCRIPTIONS[1], "status": "past_due"}, ident="evt_s2"),
    ]
    steps = [*events, *at_once(PAGES, LATER)]
    expected = state_after(database, [*events, *one_by_one(PAGES, LATER)])
    rng.shuffle(steps)
    assert state_after(database, steps) == expected


def test_a_page_of_payments_is_the_same_at_once(database: FreshDatabase) -> None:
    history = [*purchase("o1", subject=("user", "u1")), *purchase("o2", refunded=1000)]
    newest = {e["data"]["object"]["id"]: e["data"]["object"] for e in history}
    pages = [
        [raw for raw in newest.values() if raw["object"] == kind]
        for kind in ("checkout.session", "payment_intent", "charge")
    ]
    state = state_after(database, at_once(pages, LATER))
    assert state == state_after(database, one_by_one(pages, LATER))
    assert len(state["transactions"]) == 2
    assert state_after(database, [*at_once(pages, LATER), *at_once(pages, LATER + 9)]) == state
