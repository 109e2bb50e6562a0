"""Change one object at Stripe for an operator, with nothing held, and mirror the answer as every read is mirrored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from paygres.server.flows.mirror_answer import mirror_answer
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.tables import audit, writes


@dataclass(frozen=True, slots=True)
class Write:
    """What is sent. `object_id` is None for a new object. Ids inside `path` are percent-encoded."""

    object_type: Literal["product", "price"]
    object_id: str | None
    method: Literal["post", "delete"]
    path: str
    params: Mapping[str, Any]
    idempotency_key: str | None = None


async def write_object(parts: Parts, environment: str, write: Write, operator: Operator, action: str) -> dict[str, Any]:
    """Stripe's answer; the mirrored row shows it when this returns. `action` is the audit record's noun.verb.

    Raises NotConfigured, and what the gateway raises; then nothing was mirrored, and an event or sync tells should it
    have happened after all.
    """
    connection = await parts.connections.current(environment)
    before = None
    if write.object_id is not None:
        before = await writes.known(parts.db, environment, write.object_type, write.object_id)
    await audit.record(
        parts.db,
        actor=operator.actor,
        action=action,
        environment=environment,
        target=write.object_id,
        details=write.params,
        request_id=operator.request_id,
    )
    answer = await parts.gateway.request(
        connection.stripe_key,
        write.method,
        write.path,
        write.params,
        idempotency_key=write.idempotency_key,
        priority="portal",
    )
    await mirror_answer(parts, connection, before, answer)
    return answer.object
