"""Write the record of who did what (system.audit_log)."""

import json
from collections.abc import Mapping
from typing import Any

from paygres.server.db.database import Database, Tx
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("audit")


async def record(
    tx: Tx | Database,
    *,
    actor: str,
    action: str,
    environment: str | None = None,
    target: str | None = None,
    reason: str | None = None,
    details: Mapping[str, Any] | None = None,
    request_id: str | None = None,
) -> None:
    """`action` is noun.verb (refund.create); `details` must not hold a secret. Inside the transaction that acts."""
    with translated():
        await tx.execute(
            Q.insert_record,
            actor,
            action,
            environment,
            target,
            reason,
            json.dumps(details or {}, default=str),  # not orjson: a caller's integer may have more than 64 bits
            request_id,
        )
