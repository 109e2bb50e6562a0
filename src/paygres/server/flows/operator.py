"""An admin at work: who asks, in which request, and why, for the record of who did what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paygres.server.db.database import Tx
from paygres.server.tables import audit


@dataclass(frozen=True, slots=True)
class Operator:
    """`actor` is a token's subject, or `api-key`. `reason` is kept in the audit log; `idempotency_key` makes a repeated
    request the same one, where the action has such keys."""

    actor: str
    request_id: str | None
    reason: str | None = None
    idempotency_key: str | None = None


async def record(
    tx: Tx, operator: Operator, action: str, environment: str, target: str, details: Mapping[str, Any]
) -> None:
    """What the operator does, in the transaction that does it."""
    await audit.record(
        tx,
        actor=operator.actor,
        action=action,
        environment=environment,
        target=target,
        reason=operator.reason,
        details=details,
        request_id=operator.request_id,
    )
