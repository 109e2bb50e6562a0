"""An admin at work: who asks, in which request, and why, for the record of who did what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operator:
    """`actor` is a token's subject, or `api-key`. `reason` is kept in the audit log; `idempotency_key` makes a repeated
    request the same one, where the action has such keys."""

    actor: str
    request_id: str | None
    reason: str | None = None
    idempotency_key: str | None = None
