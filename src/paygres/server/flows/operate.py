"""What operators ask of Stripe, each once: begun and recorded, sent with nothing held, applied, answered.

A repetition with the same key gets the same answer; after a crash it is sent again under the same key at Stripe, which
answers what it answered then. A definite refusal ends the attempt: the next is a new one.
"""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from paygres.server import errors
from paygres.server.flows.connections import Connection
from paygres.server.flows.mirror_answer import mirror_answer
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.stripe_gateway.answer import Answer
from paygres.server.tables import audit, operator_requests, writes


@dataclass(frozen=True, slots=True)
class Action:
    """What is asked: `name` is noun.verb, `target` the id at Stripe, `params` what Stripe is sent, `shown` how its
    answer is told, `changes` the type of the target when that is what Stripe answers with. `asked` is the operator's
    own body: the same one under the same key is the same request, whatever has become of the target since."""

    environment: str
    name: str
    target: str
    method: Literal["post", "delete"]
    path: str
    params: Mapping[str, Any]
    asked: Mapping[str, Any]
    shown: Callable[[dict[str, Any]], dict[str, Any]]
    changes: str | None = None


async def told_before(
    parts: Parts, environment: str, name: str, target: str, asked: Mapping[str, Any], operator: Operator
) -> dict[str, Any] | None:
    """The answer this request was given before under its key, None when it is new. Asked before anything is checked: a
    refund that was made leaves nothing to refund. Raises Idempotency when the key belongs to another request."""
    if operator.idempotency_key is None:
        return None
    known = await operator_requests.find(parts.db, environment, operator.idempotency_key)
    if known is None:
        return None
    if known.request_hash != _hash(name, target, asked):
        raise _other_request()
    return known.answer


async def operate(parts: Parts, action: Action, operator: Operator) -> dict[str, Any]:
    """The answer as `action.shown` tells it, the mirrored rows brought up to date.

    Raises Idempotency when the key belongs to another request, NotConfigured, Upstream, Card, RateLimit, Unavailable.
    """
    connection = await parts.connections.current(action.environment)
    key = operator.idempotency_key or f"once:{uuid.uuid4()}"
    request_hash = _hash(action.name, action.target, action.asked)
    async with parts.db.as_service() as tx:
        begun = await operator_requests.begin(
            tx,
            action.environment,
            connection.account_id,
            key,
            action.name,
            action.target,
            request_hash,
            operator.actor,
        )
        if begun.request_hash == request_hash and begun.answer is None:
            await audit.record(
                tx,
                actor=operator.actor,
                action=action.name,
                environment=action.environment,
                target=action.target,
                reason=operator.reason,
                details={"params": dict(action.params), "attempt": begun.attempt},
                request_id=operator.request_id,
            )
    if begun.request_hash != request_hash:
        raise _other_request()
    if begun.answer is not None:
        return begun.answer
    if begun.account_id != connection.account_id:
        raise errors.InvalidRequest("This request was made for a Stripe account that is not connected now")
    before = await writes.known(parts.db, action.environment, action.changes, action.target) if action.changes else None
    try:
        answer = await parts.gateway.request(
            connection.stripe_key,
            action.method,
            action.path,
            action.params,
            idempotency_key=f"paygres:{action.environment}:operator:{begun.id}:{begun.attempt}",
            priority="portal",
        )
    except errors.Upstream as error:
        done = await _done_before(parts, connection, action) if error.definite and not begun.is_new else None
        if done is None:
            if error.definite:
                await operator_requests.fail(parts.db, begun.id, error.message)
            raise
        answer = done
    except errors.Card as error:
        await operator_requests.fail(parts.db, begun.id, error.message)
        raise
    await mirror_answer(parts, connection, before, answer)
    told = action.shown(answer.object)
    await operator_requests.finish(parts.db, begun.id, told)
    return told


async def _done_before(parts: Parts, connection: Connection, action: Action) -> Answer | None:
    """Stripe keeps no idempotency keys for DELETE: a repeated one is refused, though the first did it."""
    if action.method != "delete":
        return None
    try:
        answer = await parts.gateway.request(connection.stripe_key, "get", action.path, priority="portal")
    except errors.Upstream:
        return None
    return answer if answer.object.get("status") == "canceled" else None


def _other_request() -> errors.Idempotency:
    return errors.Idempotency(
        "Idempotency key is already used for another operator request", code="IDEMPOTENCY_KEY_REUSED"
    )


def _hash(name: str, target: str, asked: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps([name, target, asked], option=orjson.OPT_SORT_KEYS)).hexdigest()
