"""Seeds an account: thousands of objects in seconds, without events unless they are wanted."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from paygres.sandbox.seeding.copies import Copies
from paygres.sandbox.seeding.originals import tell
from paygres.sandbox.seeding.plan import KINDS, Plan
from paygres.sandbox.store import Bulk
from paygres.sandbox.world import Work, World

BATCH = 2_000

# The event that tells of an object as it was made.
EVENTS = {
    "charge": "charge.succeeded",
    "checkout.session": "checkout.session.completed",
    "customer": "customer.created",
    "dispute": "charge.dispute.created",
    "invoice": "invoice.paid",
    "payment_intent": "payment_intent.succeeded",
    "price": "price.created",
    "product": "product.created",
    "refund": "refund.created",
    "subscription": "customer.subscription.created",
}


def seed(world: World, account: str, plan: Plan) -> Iterator[dict[str, int]]:
    """Seeds the account in transactions of some thousand objects. Yields after each of them how many objects there
    are by now, by kind; whoever wants all at once writes `*_, counts = seed(…)`."""
    written: Counter[str] = Counter()
    copies = Copies(plan, tell(world, _metadata(plan))).all()
    nouns = {noun: kind for kind, noun in KINDS.items()}
    while batch := list(islice(copies, BATCH)):
        with world.store.transaction():
            world.store.insert_many(account, batch)
            if plan.events:
                for one in batch:
                    _tell_of(world, account, one)
        written.update(nouns[one.kind] for one in batch if one.kind in nouns)
        if plan.events:
            world.wake_deliveries()
        yield dict(written)


def _tell_of(world: World, account: str, one: Bulk) -> None:
    type = EVENTS.get(one.kind)
    item: Any = orjson.loads(one.body)
    # An invoice and a session may also be open or expired, an intent unpaid: then the event would be a lie.
    if type is not None and item.get("status", "") not in ("open", "expired", "requires_payment_method"):
        Work(world, account, one.created).emit(type, item, automatic=True)


def _metadata(plan: Plan) -> dict[str, Any]:
    """The metadata that others inherit, with the number of its owner in place of `{n}`."""
    inherited: dict[str, Any] = {}
    for kind in ("subscriptions", "payment_intents"):
        given: dict[str, str] = plan.fields.get(kind, {}).get("metadata", {})
        inherited[kind] = {key: value.replace("{n}", f"{{{kind}.n}}") for key, value in given.items()}
    return inherited
