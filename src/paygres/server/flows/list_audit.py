"""The record of who did what, newest first."""

from typing import Any

import orjson

from paygres.server.db.database import Database
from paygres.server.flows.list_events import type_or_family
from paygres.server.flows.requests.events import AuditQuery
from paygres.server.tables import audit_log
from paygres.server.tables.keyset import Page, Place


async def list_audit(db: Database, query: AuditQuery, after: Place | None, limit: int) -> Page[dict[str, Any]]:
    """A page of records."""
    action = type_or_family(query.action)
    filters = (
        query.actor,
        action["event_type"],
        action["family"],
        query.environment,
        query.target,
        query.since,
        query.until,
    )
    found = await audit_log.page(db, after, limit, filters)
    return Page([_record(row) for row in found.rows], found.next)


def _record(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["seq"]),
        "at": row["shown_at"],
        "actor": row["actor"],
        "action": row["action"],
        "environment": row["environment"],
        "target": row["target"],
        "reason": row["reason"],
        "details": orjson.loads(row["details"]),
        "requestId": row["request_id"],
    }
