"""What tests of comparisons with Stripe share: a mirrored account, and rows that somebody spoilt."""

from collections.abc import Callable
from typing import Any

import asyncpg

from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.reconcile import Asked, reconcile
from paygres.server.flows.reconcile_report import read_report
from paygres.server.flows.requests.reconcile import ReconcileQuery
from paygres.server.flows.sync_environment import sync_environment
from paygres.server.flows.sync_pages import Progress
from tests.flows.running_parts import Sandbox
from tests.flows.syncing import connected
from tests.fresh_database import FreshDatabase

OPERATOR = Operator("ops", "req_1")
WHOSE = {
    "subscriptions": {"metadata": {"insforge_subject_type": "user", "insforge_subject_id": "s{n}"}},
    "payment_intents": {"metadata": {"insforge_subject_type": "user", "insforge_subject_id": "p{n}"}},
}

Row = tuple[str, str, str]
"""(class, table, key) of a finding."""


async def mirrored(database: FreshDatabase, parts: Parts, sandbox: Sandbox, **wanted: Any) -> str:
    """The key of an account whose objects were mirrored an hour ago, each with a subject."""
    key, _ = await connected(parts, sandbox, **{"fields": WHOSE, **wanted})
    result = await sync_environment(parts, "test")
    assert result["sync"]["status"] == "succeeded", result
    await age(database)
    return key


async def age(database: FreshDatabase) -> None:
    """As if an hour had passed: what is read in one second says nothing about what was told in the same."""
    await spoil(
        database,
        "update payments.stripe_objects set as_of = as_of - 3600 returning 1",
        "update payments.stripe_snapshots set as_of = as_of - 3600 returning 1",
    )


async def run(parts: Parts, *, on_progress: Callable[[Progress], None] | None = None, **asked: Any) -> dict[str, Any]:
    """A comparison with all its findings."""
    answer = await reconcile(parts, "test", Asked(**asked), OPERATOR, on_progress=on_progress)
    query = ReconcileQuery.model_validate({"limit": "1000"})
    return await read_report(parts.db, "test", query) if answer["nextAfter"] else answer


def found(answer: dict[str, Any]) -> set[Row]:
    assert answer["nextAfter"] is None
    return {(one["class"], one["table"], one["key"]) for one in answer["findings"]}


async def spoil(database: FreshDatabase, *statements: str) -> list[str]:
    """The first column of what each statement returns, as the tables' owner."""
    connection = await asyncpg.connect(database.superuser_url)
    try:
        return [row[0] for one in statements for row in await connection.fetch(one)]
    finally:
        await connection.close()
