"""Change one object at Stripe for an operator, with nothing held, and mirror the answer as every read is mirrored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.tables import audit, writes
from paygres.server.tables.writes import KnownObject


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
    as_of, told = answer.as_of, answer.object
    if before is not None:
        if told.get("deleted") is True:  # {id, deleted} knows nothing else, and the row keeps what was known
            told = {**before.raw, "deleted": True}
        # What we had heard before we sent is older than the answer, in the same second too.
        as_of = max(as_of, _second(before) + 1)
    await apply_reads(parts.db, connection, [told], as_of)
    if as_of > answer.as_of:  # somebody else's change of that same second may now look older than it is
        await writes.read_again(parts.db, environment, write.object_type, str(told["id"]), as_of + 2)
    return answer.object


def _second(known: KnownObject) -> int:
    """The latest second in which the object is known to have changed."""
    stamps = (known.raw.get("created"), known.raw.get("updated"))
    return max(known.as_of, *(stamp for stamp in stamps if isinstance(stamp, int)), 0)
