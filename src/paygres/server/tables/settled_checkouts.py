"""Whether checkouts are settled: their projections and their fulfillment committed."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from paygres.server.db.database import Database
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("settled_checkouts")


@dataclass(frozen=True, slots=True)
class Settlement:
    """`waits_for` is None when the checkout is settled, else payment, event, invoice, subscription, processing,
    reversal or operator (functions/15). `fulfillments`: rule, key and status of what was granted for its money."""

    waits_for: str | None
    account_id: str
    checkout_session_id: str | None
    fulfillments: list[dict[str, Any]]

    @property
    def ended(self) -> bool:
        """Nothing will come of waiting any longer."""
        return self.waits_for in (None, "operator")


async def ended(db: Database, row_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Of these checkouts, those for which waiting is over."""
    with translated():
        return [row["id"] for row in await db.fetch(Q.ended, row_ids)]


async def settlement(db: Database, row_id: uuid.UUID) -> Settlement:
    """How one checkout stands; a row that is gone waits for nothing."""
    with translated():
        row = await db.fetchrow(Q.settlement, row_id)
    assert row is not None
    return Settlement(
        row["waits_for"], row["account_id"] or "", row["checkout_session_id"], orjson.loads(row["fulfillments"])
    )
