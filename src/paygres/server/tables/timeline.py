"""What the tables know of one order, subject, event or customer: which objects it is about, what happened to them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from paygres.server.db.database import Database, Tx
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("timeline")


@dataclass(frozen=True, slots=True)
class Scope:
    """Ids of Stripe objects, and our checkouts."""

    ids: frozenset[str] = frozenset()
    checkouts: frozenset[uuid.UUID] = frozenset()

    def __or__(self, other: "Scope") -> "Scope":
        return Scope(self.ids | other.ids, self.checkouts | other.checkouts)


@dataclass(slots=True)
class Records:
    """Rows as the queries of timeline.sql name them."""

    tellings: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    attempts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    settled: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    links: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    evidence: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    checkouts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    fulfillments: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    acts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


async def expand(db: Database, environment: str, scope: Scope, limit: int) -> Scope:
    """The scope and what belongs together with it, one step away."""
    with translated():
        rows = await db.fetch(Q.expand, environment, sorted(scope.ids), sorted(scope.checkouts), limit)
    return scope | Scope(
        frozenset(r["id"] for r in rows if r["id"] is not None),
        frozenset(r["checkout"] for r in rows if r["checkout"] is not None),
    )


async def objects_of_customer(db: Database, environment: str, customer_id: str, limit: int) -> Scope:
    """Payments, subscriptions and sessions of a customer, and itself."""
    with translated():
        rows = await db.fetch(Q.objects_of_customer, environment, customer_id, limit)
    return Scope(frozenset(r["id"] for r in rows))


async def payments_of_subscription(db: Database, environment: str, subscription_id: str, limit: int) -> Scope:
    """What was paid, or tried to be paid, for a subscription."""
    with translated():
        rows = await db.fetch(Q.payments_of_subscription, environment, subscription_id, limit)
    return Scope(frozenset(r["id"] for r in rows))


async def checkouts_of_subject(db: Database, environment: str, subject_type: str, subject_id: str, limit: int) -> Scope:
    """Our checkouts of a subject, the newest."""
    with translated():
        rows = await db.fetch(Q.checkouts_of_subject, environment, subject_type, subject_id, limit)
    return Scope(checkouts=frozenset(r["id"] for r in rows))


async def is_known(db: Database, environment: str, object_id: str) -> bool:
    """Whether anything was ever told of a Stripe object."""
    with translated():
        return bool(await db.fetchval(Q.is_known, environment, object_id))


async def find_row(db: Database, environment: str, row_id: uuid.UUID) -> Scope:
    """A checkout or a fulfillment of ours by its id."""
    with translated():
        return _scope(await db.fetch(Q.find_row, environment, row_id))


async def find_key(db: Database, environment: str, key: str) -> Scope:
    """What a developer's own key stands for: fulfillments, else checkouts whose metadata has it as a value."""
    with translated():
        found = _scope(await db.fetch(Q.find_key, environment, key))
        values = await db.fetch(Q.find_value, environment, key)
    return found | Scope(checkouts=frozenset(r["checkout"] for r in values))


def _scope(rows: Sequence[Any]) -> Scope:
    return Scope(
        frozenset(r["payment_key"] for r in rows if r["payment_key"] is not None),
        frozenset(r["checkout"] for r in rows if r["checkout"] is not None),
    )


async def select_records(tx: Tx, environment: str, scope: Scope, limit: int) -> Records:
    """Everything about a scope, in one transaction; the newest `limit` + 1 tellings, the oldest `limit` of others."""
    ids = sorted(scope.ids)
    records = Records()

    async def some(statement: str, *args: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await tx.fetch(statement, environment, *args)]

    with translated():
        records.tellings = (await some(Q.select_tellings, ids, limit + 1))[::-1]
        events = [one["event_id"] for one in records.tellings if one["event_id"] is not None]
        records.attempts = await some(Q.select_attempts, events, limit)
        records.settled = await some(Q.select_settled, ids)
        records.links = await some(Q.select_links, ids)
        records.evidence = await some(Q.select_evidence, ids)
        records.checkouts = await some(Q.select_checkouts, ids, sorted(scope.checkouts))
        records.fulfillments = await some(Q.select_fulfillments, ids, limit)
        given = [one["id"] for one in records.fulfillments]
        records.messages = await some(Q.select_messages, given, limit)
        targets = [*ids, *events, *map(str, scope.checkouts), *map(str, given)]
        records.acts = await some(Q.select_acts, targets, limit)
    return records
