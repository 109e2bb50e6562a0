"""How did it come to this? One causal timeline of an order, a subject, an event or a customer: the checkout, every
delivery and read with what it told anew, what was fulfilled and taken back, who was told, what operators did; and the
rows as they are now, each with the step it stands on."""

import re
import uuid
from typing import Any

from paygres.server.db.database import Database
from paygres.server.errors import InvalidRequest, NotFound
from paygres.server.flows.explain_rows import rows_now
from paygres.server.flows.explain_steps import steps_of
from paygres.server.tables import event_effects, event_log, timeline
from paygres.server.tables.timeline import Scope

MOST_STEPS = 1000
_MOST_OBJECTS = 2000
_ROUNDS = 6
_LONGEST = 255
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
# Plans are everybody's: what happened to them is no part of one purchase, unless they are asked for.
_PLANS = ("prod_", "price_")


async def explain(db: Database, environment: str, named: str) -> dict[str, Any]:
    """`{environment, id, objects, checkouts, steps, rows, truncated}`; steps are numbered in causal order.

    `named` is an event, any id of Stripe's, `type:id` of a subject, a checkout or fulfillment of ours by its id, or a
    developer's key: that of a fulfillment, or a value in a checkout's metadata. Raises NotFound, InvalidRequest.
    """
    named = named.strip()
    if not named or len(named) > _LONGEST or "\x00" in named:
        raise InvalidRequest(f"id: String must contain 1 to {_LONGEST} character(s)")
    scope = await _scope(db, environment, named)
    if scope is None:
        raise NotFound(f"Nothing is known of {named} in {environment}")
    for _ in range(_ROUNDS):
        wider = await timeline.expand(db, environment, scope, _MOST_OBJECTS)
        wider = Scope(frozenset(_without_plans(wider.ids, named)), wider.checkouts)
        if wider == scope or len(wider.ids) > _MOST_OBJECTS:
            break
        scope = wider
    async with db.as_service(settings="SET TRANSACTION ISOLATION LEVEL REPEATABLE READ") as tx:
        records = await timeline.select_records(tx, environment, scope, MOST_STEPS)
        rows = await event_effects.concerned(tx, environment, sorted(scope.ids), sorted(map(str, scope.checkouts)))
    truncated = len(records.tellings) > MOST_STEPS or len(scope.ids) >= _MOST_OBJECTS
    records.tellings = records.tellings[-MOST_STEPS:]
    steps = steps_of(records)
    return {
        "environment": environment,
        "id": named,
        "objects": sorted(scope.ids),
        "checkouts": sorted(str(one["id"]) for one in records.checkouts),
        "steps": [step.answer(number) for number, step in enumerate(steps, 1)],
        "rows": rows_now(rows, records, steps),
        "truncated": truncated,
    }


async def _scope(db: Database, environment: str, named: str) -> Scope | None:
    """What is asked for, before what belongs together with it."""
    if named.startswith("evt_"):
        shown = await event_log.show(db, environment, [named])
        return Scope(frozenset([shown[0]["object_id"]])) if shown else None
    if named.startswith("cus_") and await timeline.is_known(db, environment, named):
        return await timeline.objects_of_customer(db, environment, named, _MOST_OBJECTS)
    if _UUID.fullmatch(named):
        found = await timeline.find_row(db, environment, uuid.UUID(named))
        if found != Scope():
            return found
    kind, colon, ident = named.partition(":")
    if colon:
        ids = await event_log.objects_of_subject(db, environment, kind, ident)
        checkouts = await timeline.checkouts_of_subject(db, environment, kind, ident, _MOST_OBJECTS)
        found = Scope(frozenset(_without_plans(ids, ""))) | checkouts
        if found != Scope():
            return found
    if await timeline.is_known(db, environment, named):
        found = Scope(frozenset([named]))
        if named.startswith("sub_"):
            found |= await timeline.payments_of_subscription(db, environment, named, _MOST_OBJECTS)
        return found
    found = await timeline.find_key(db, environment, named)
    return None if found == Scope() else found


def _without_plans(ids: list[str] | frozenset[str], named: str) -> set[str]:
    return {one for one in ids if not one.startswith(_PLANS) or one == named}
