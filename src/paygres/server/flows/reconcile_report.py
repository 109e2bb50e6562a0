"""What a comparison with Stripe found, as it is answered."""

import uuid
from collections.abc import Mapping
from typing import Any

from paygres.server.db.database import Database
from paygres.server.errors import NotFound
from paygres.server.flows.reconcile_extras import TYPES
from paygres.server.flows.requests.reconcile import ReconcileQuery
from paygres.server.tables import reconciliations

FIRST = ReconcileQuery()
_MOST_NAMED = 5


def broken_ones(broken: Mapping[tuple[str, str], str]) -> list[str]:
    """Noun by noun: how many could not be compared or repaired, the first of them by name, and why."""
    told: list[str] = []
    for noun, object_type in (TYPES | {"payments": "payment"}).items():
        those = [f"{ident}: {why}" for (kind, ident), why in sorted(broken.items()) if kind == object_type]
        if those:
            named = "; ".join([*those[:_MOST_NAMED], *(["…"] if len(those) > _MOST_NAMED else [])])
            told.append(f"{noun}: {len(those)} could not be compared or repaired ({named})")
    return told


async def read_report(
    db: Database, environment: str, query: ReconcileQuery = FIRST, *, ident: uuid.UUID | None = None
) -> dict[str, Any]:
    """The newest one (or the one with this id) and a page of its findings; raises NotFound when there is none."""
    wanted = ident or (uuid.UUID(query.id) if query.id else None)
    found = await reconciliations.select_report(db, environment, wanted)
    if found is None:
        raise NotFound(
            "No such reconcile" if wanted else f"{environment} was never reconciled",
            next_actions=f"POST /api/paygres/{environment}/reconcile compares it with Stripe and changes nothing.",
        )
    rows = await reconciliations.select_findings(db, found["id"], query.cls, query.after, query.limit + 1)
    more = len(rows) > query.limit
    return {
        "reconciliation": _told(found),
        "findings": [_finding(row) for row in rows[: query.limit]],
        "nextAfter": rows[query.limit - 1]["nth"] if more else None,
    }


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "environment": row["environment"],
        "accountId": row["account_id"],
        "status": row["status"],
        "fix": row["fix"],
        "confirm": row["confirm"],
        "only": row["objects"],
        "since": row["since"],
        "counts": row["counts"],
        "classes": row["classes"],
        "moneyAtStake": row["money"],
        "unconfirmed": row["unconfirmed"],
        "error": row["error"],
        "requestedBy": row["requested_by"],
        "startedAt": row["started_at"],
        "finishedAt": row["finished_at"],
    }


def _finding(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "nth": row["nth"],
        "class": row["class"],
        "table": row["table_name"],
        "key": row["key"],
        "objectType": row["object_type"],
        "objectId": row["object_id"],
        "columns": row["columns"],
        "paymentKey": row["payment_key"],
        "amount": row["amount"],
        "currency": row["currency"],
        "fixed": row["fixed"],
    }
