"""Whole worlds for property tests: several people's purchases and subscriptions, catalog, customers, refunds, disputes,
truncated and bare tellings, events in two API versions and reads among them."""

import random
from typing import Any

import orjson
from hypothesis import strategies as st

from tests.histories import START, Event, catalog, charge, customer, delayed_purchase, dispute, event, purchase, session
from tests.playing import Step
from tests.subscription_histories import invoice, refund, subscribed

SUBJECTS = (("team", "t1"), ("team", "t2"), ("user", "u1"))
BASIL = "2025-03-31.basil"


@st.composite
def worlds(draw: st.DrawFn) -> list[Step]:
    """What Stripe would tell, in the order of its seconds; reads stand at the end."""
    families = st.sampled_from([None, "pro", "team"])
    events: list[Event] = []
    for number in range(2):
        if draw(st.booleans()):
            events += catalog(f"c{number}", families=(draw(families), draw(families)))
    for number in range(draw(st.integers(1, 3))):
        life = draw(one_life(number))
        events += paid_by(life, f"o{number}", "shared") if draw(st.integers(0, 3)) == 0 else life
    reads = draw(st.lists(st.sampled_from(events), max_size=6))
    steps: list[Step] = [*events, *draw(oddities(events))]
    steps += [(e["data"]["object"], e["created"] - draw(st.integers(0, 1))) for e in reads]
    return [*steps, *draw(tombstones(events)), *draw(wallets("rich")), *draw(free_checkouts("free"))]


@st.composite
def one_life(draw: st.DrawFn, number: int) -> list[Event]:
    """One purchase or subscription, of anybody or nobody, perhaps paid by a customer of somebody else."""
    name, at = f"o{number}", START + number * draw(st.integers(0, 30))
    subject = draw(st.sampled_from([None, *SUBJECTS]))
    what = draw(st.sampled_from(["card", "delayed", "subscription", "subscription", "disputed"]))
    bought, made = f"price_c{number % 2}", f"prod_c{number % 2}"
    if what == "subscription":
        return subscribed(
            name,
            subject=subject,
            at=at,
            renewals=draw(st.integers(0, 1)),
            declines=draw(st.integers(0, 1)),
            refunded=draw(st.sampled_from([0, 400, 900])),
            ends=draw(st.booleans()),
            price=bought,
            product=made,
        )
    if what == "delayed":
        return delayed_purchase(name, subject=subject, at=at, succeeds=draw(st.booleans()))
    found = purchase(
        name,
        subject=subject,
        at=at,
        declines=draw(st.integers(0, 1)),
        refunded=draw(st.sampled_from([0, 1000])),
        payer=draw(st.sampled_from(["", "shared"])),
        bought=bought,
    )
    if what == "disputed":
        found += dispute(name, at=at + 900, ends=draw(st.sampled_from(["won", "lost"])))
        found += refund(name, 1, at + 1000, 500, charge(name, created=at), names_charge=draw(st.booleans()))
    return found


def paid_by(life: list[Event], name: str, other: str) -> list[Event]:
    """The same life, its customer being another one."""
    return orjson.loads(orjson.dumps(life).replace(f"cus_{name}".encode(), f"cus_{other}".encode()))


@st.composite
def oddities(draw: st.DrawFn, events: list[Event]) -> list[Event]:
    """The same told under another event id, with fewer items than there are, or in a version that is not read."""
    found: list[Event] = []
    for number, told in enumerate(draw(st.lists(st.sampled_from(events), max_size=4))):
        again = {**told, "id": f"{told['id']}_{number}"}
        raw = told["data"]["object"]
        if raw["object"] == "subscription" and draw(st.booleans()):
            listed = {**raw["items"], "data": raw["items"]["data"][: draw(st.integers(0, 1))], "has_more": True}
            again["data"] = {**told["data"], "object": {**raw, "items": listed}}
        elif raw["object"] == "invoice" and draw(st.booleans()):
            old = {key: value for key, value in raw.items() if key != "parent"}
            again |= {"api_version": "2024-06-20", "data": {"object": old}}
        again["created"] += draw(st.integers(0, 2))
        found.append(again)
    return found


@st.composite
def wallets(draw: st.DrawFn, name: str) -> list[Step]:
    """A customer and its cards: events only name the default one, reads tell it or not, or tell of both."""
    cards = st.sampled_from([None, "pm_a", "pm_b"])
    state = customer(name, invoice_settings={"default_payment_method": None})
    found: list[Step] = [event("customer.created", START, state)]
    for second in range(1, draw(st.integers(1, 4))):
        before, card = state["invoice_settings"], draw(cards)
        state = {**state, "invoice_settings": {"default_payment_method": card}}
        found.append(event("customer.updated", START + second, state, {"invoice_settings": before}))
        if card and draw(st.booleans()):
            told = {"id": card, "object": "payment_method", "type": "card", "card": {"brand": "Visa", "last4": card}}
            found.append(({**state, "invoice_settings": {"default_payment_method": told}}, START + second))
    return found


@st.composite
def free_checkouts(draw: st.DrawFn, name: str) -> list[Step]:
    """A checkout that cost nothing, perhaps with an invoice; reads tell that it has one, the event may."""
    invoiced, at = f"in_{name}_1", START + draw(st.integers(0, 2))
    done = session(name, status="complete", payment_status="no_payment_required", amount_total=0, url=None)
    billed = {**done, "invoice": invoiced}
    if draw(st.booleans()):
        return [event("checkout.session.completed", START, done)] if draw(st.booleans()) else []
    paid: dict[str, Any] = {"status": "paid", "amount_due": 0, "parent": None, "status_transitions": {"paid_at": START}}
    return [
        event("checkout.session.completed", START + 1, billed if draw(st.booleans()) else done),
        event("invoice.paid", START, invoice(name, **paid)),
        (billed, at),
    ]


@st.composite
def tombstones(draw: st.DrawFn, events: list[Event]) -> list[Step]:
    """Some objects are gone: told bare by a read, or by an event, or in full."""
    named = {raw["id"]: raw for e in events if (raw := e["data"]["object"])["object"] in _MORTAL}
    gone = draw(st.lists(st.sampled_from(sorted(named)), max_size=2, unique=True)) if named else []
    found: list[Step] = []
    for ident in gone:
        raw, at = named[ident], START + draw(st.integers(40, 4000))
        bare: dict[str, Any] = {"id": ident, "object": raw["object"], "deleted": True}
        if raw["object"] == "subscription" or draw(st.booleans()):
            found.append((bare, at))
        if raw["object"] != "subscription" and draw(st.booleans()):
            told = bare if draw(st.booleans()) else raw
            found.append(event(f"{raw['object']}.deleted", at, told))
    return found


def generated(seed: int) -> list[Event]:
    """A world without tombstones, by chance: for counting."""
    rng = random.Random(seed)
    events = catalog("c0", families=(rng.choice([None, "pro"]),))
    for number in range(4):
        name, subject, at = f"g{number}", rng.choice([None, *SUBJECTS]), START + number * rng.randint(0, 30)
        if rng.random() < 0.5:
            events += subscribed(
                name,
                subject=subject,
                at=at,
                renewals=rng.randint(0, 2),
                declines=rng.randint(0, 1),
                refunded=rng.choice([0, 0, 400]),
                ends=rng.random() < 0.3,
            )
        else:
            events += purchase(
                name,
                subject=subject,
                at=at,
                declines=rng.randint(0, 2),
                authenticates=rng.random() < 0.3,
                refunded=rng.choice([0, 0, 1000]),
            )
    return events


_MORTAL = ("customer", "product", "price", "subscription")


def squeezed(steps: list[Step]) -> list[Step]:
    """All of it in one second, as a burst that no `created` can order."""
    return [(step[0], START) if isinstance(step, tuple) else {**step, "created": START} for step in steps]


def in_two_versions(steps: list[Step], older: set[str]) -> list[Step]:
    """The events named in `older` as an endpoint of an older API version renders them."""
    return [as_basil(step) if isinstance(step, dict) and step["id"] in older else step for step in steps]


def as_basil(told: Event) -> Event:
    """The event as basil (2025-03-31) renders it, by hand from Stripe's changelog: without what came later, with what
    has been renamed or taken away since."""
    contents = told["data"]
    rendered = {**contents, "object": _basil(contents["object"])}
    return {**told, "api_version": BASIL, "data": rendered}


def _basil(raw: dict[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in raw.items() if key not in ("billing_mode", "customer_account")}
    match raw["object"]:
        case "subscription":
            return {**found, "plan": {"id": "price_old"}, "quantity": 1, "discount": None}
        case "invoice":
            return {**found, "total_tax_amounts": [], "discount": None}
        case "checkout.session":
            return {**found, "ui_mode": "hosted"}
        case "charge":
            return {**found, "invoice": None, "source": None}
        case "payment_intent":
            return {**found, "invoice": None}
        case _:
            return found
