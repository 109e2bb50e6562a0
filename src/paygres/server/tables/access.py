"""What subjects may use: asked as the caller, read as the service."""

from datetime import timedelta
from typing import Any

import orjson

from paygres.server.caller import Caller
from paygres.server.db.database import Database
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("access")


async def can_view(db: Database, caller: Caller, subject_type: str, subject_id: str) -> bool:
    """What `payments.can_view_billing` says, under the caller's own role and claims."""
    with translated():
        async with db.as_caller(caller) as tx:
            return bool(await tx.fetchval(Q.can_view, subject_type, subject_id))


async def select_subject(
    db: Database, environment: str, account_id: str, subject_type: str, subject_id: str
) -> dict[str, Any]:
    """`{environment, subject, customerId, subscriptions, access}`."""
    with translated():
        return orjson.loads(await db.fetchval(Q.subject_json, environment, account_id, subject_type, subject_id))


async def set_grace(db: Database, grace: timedelta) -> None:
    """How long access outlives a renewal that could not be charged."""
    with translated():
        await db.execute(Q.set_grace, grace)
