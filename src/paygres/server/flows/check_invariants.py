"""What must always be true is looked at every five minutes, and when an operator asks."""

from typing import Any

import structlog

from paygres.server.db.database import Database
from paygres.server.flows.parts import Parts
from paygres.server.tables import invariants

log = structlog.get_logger()

EVERY_SECONDS = 300.0
# What each says when it is broken; docs/operations.md tells what to do about it.
MEANINGS = {
    "refunds": "more went back than was paid",
    "amounts": "money is negative, or has no amount or currency",
    "refund_sums": "refunds add up to more than their payment says went back",
    "payments": "one payment has several rows",
    "grants": "one payment was granted twice for a rule",
    "grant_money": "something was granted for money that never came",
    "reversals": "what was given does not follow its payment's refunds and disputes",
    "checkouts": "a checkout was paid, and no event that could fulfill it has come",
    "starts": "a checkout has been half-made for more than an hour",
    "subjects": "a live subscription belongs to nobody, and nobody was told",
    "plans": "a subject has two live subscriptions of one plan, and nobody was told",
    "periods": "the paid period of a live subscription ended days ago",
    "mappings": "a subject is mapped to a customer that Stripe deleted",
    "pending": "an event has been due for more than a quarter of an hour",
    "dead": "an event was given up and waits for an operator",
    "refetches": "an object could not be read at Stripe for an hour",
    "messages": "a message could not be delivered for an hour",
    "sweeps": "Stripe's events were last compared with ours more than a quarter of an hour ago",
}


async def check_invariants(parts: Parts) -> int:
    """The worker's duty; returns 0, for it leaves nothing to do at once."""
    if await invariants.check_when_due(parts.db, EVERY_SECONDS - 10):
        for one in await invariants.select_checks(parts.db):
            if one.violations:
                log.error("invariant broken", name=one.name, environment=one.environment, violations=one.violations)
    return 0


async def read_invariants(db: Database, environment: str, *, now: bool) -> dict[str, Any]:
    """`{ok, invariants}`, violations first; `now` looks anew instead of telling what the last look found."""
    found = [] if now else await invariants.select_checks(db, environment)
    if not found:
        await invariants.check_all(db)
        found = await invariants.select_checks(db, environment)
    return {
        "ok": not any(one.violations for one in found),
        "invariants": [
            {
                "name": one.name,
                "meaning": MEANINGS[one.name],
                "violations": one.violations,
                "samples": one.samples,
                "since": one.since,
                "checkedAt": one.checked_at,
            }
            for one in found
            if one.name in MEANINGS
        ],
    }
