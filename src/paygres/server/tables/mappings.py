"""Which customer is whose, and what needs an operator's attention."""

import uuid
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.tables.keyset import Page, Place, fetch_page
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("mappings")


async def page_of_mappings(
    db: Database,
    environment: str,
    account_id: str,
    after: Place | None,
    limit: int,
    subject: tuple[str, str] | None,
    customer_id: str | None,
    created: tuple[datetime | None, datetime | None],
) -> Page[dict[str, Any]]:
    """Newest first."""
    filters = (account_id, *(subject or (None, None)), customer_id, *created)
    return await fetch_page(db, Q.page_of_mappings, environment, after, limit, filters, _mapping)


async def page_of_attention(
    db: Database,
    environment: str,
    account_id: str,
    after: Place | None,
    limit: int,
    is_open: bool | None,
    reason: str | None,
    opened: tuple[datetime | None, datetime | None],
) -> Page[dict[str, Any]]:
    """Newest first; `is_open` None for open and closed alike."""
    filters = (account_id, is_open, reason, *opened)
    return await fetch_page(db, Q.page_of_attention, environment, after, limit, filters, _notice)


async def customer_is_known(db: Database, environment: str, account_id: str, customer_id: str) -> bool:
    """Whether the customer is mirrored and not deleted."""
    with translated():
        return bool(await db.fetchval(Q.customer_is_known, environment, account_id, customer_id))


async def set_mapping(tx: Tx, environment: str, account_id: str, subject: tuple[str, str], customer_id: str) -> None:
    """The subject's own customer from now on."""
    with translated():
        await tx.execute(Q.set_mapping, environment, account_id, *subject, customer_id)


async def unset_mapping(tx: Tx, environment: str, account_id: str, subject: tuple[str, str]) -> bool:
    """Withdraw what an operator set; False when nothing was set."""
    with translated():
        return bool(await tx.fetchval(Q.unset_mapping, environment, account_id, *subject))


async def dismiss(tx: Tx, environment: str, notice_id: uuid.UUID) -> bool:
    """Close a notice by hand; False when it is not open."""
    with translated():
        return (await tx.execute(Q.dismiss, environment, notice_id)) == "UPDATE 1"


def _mapping(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "subjectType": row["subject_type"],
        "subjectId": row["subject_id"],
        "customerId": row["provider_customer_id"],
        "customerEmail": row["email"],
        "setBy": "operator" if row["by_operator"] else "payment",
        "evidence": row["evidence_id"],
        "createdAt": row["created_at"],
    }


def _notice(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "reason": row["reason"],
        "objectType": row["object_type"],
        "objectId": row["object_id"],
        "subjectType": row["subject_type"],
        "subjectId": row["subject_id"],
        "message": row["message"],
        "details": orjson.loads(row["details"]),
        "openedAt": row["opened_at"],
        "closedAt": row["closed_at"],
    }
