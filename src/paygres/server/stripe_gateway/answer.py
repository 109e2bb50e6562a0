"""What a successful reply says, and when it was true: the plain object with a safe timestamp."""

import math
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from paygres.server.stripe_gateway.errors import not_stripe

if TYPE_CHECKING:
    from paygres.server.stripe_gateway.transport import Reply


@dataclass(frozen=True, slots=True)
class Answer:
    """Stripe's answer: the decoded object, and a lower bound of Stripe's clock when it was true (unix s)."""

    object: dict[str, Any]
    as_of: int
    request_id: str | None


def read_answer(reply: "Reply", elapsed: float) -> Answer:
    """The answer of a request first sent `elapsed` s ago; raises `Upstream` when its body is no object."""
    body = read_object(reply.raw)
    if body is None:
        raise not_stripe(200)
    # Stripe read its state after we began to send, and stamped the answer after it read: so Date minus all
    # time that passed since then (retries included) is never later than the state we got.
    stamped = _unix(reply.headers.get("Date"))
    as_of = math.floor(stamped - elapsed) if stamped else 0
    if reply.headers.get("Idempotent-Replayed") == "true" and isinstance(body.get("created"), int):
        as_of = min(as_of, body["created"])  # a stored first answer: as old as the object itself
    return Answer(body, as_of, reply.headers.get("Request-Id"))


def read_object(raw: bytes) -> dict[str, Any] | None:
    """The JSON object a body is; None when it is something else."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


@lru_cache(maxsize=4)  # the header changes once a second
def _unix(date: str | None) -> int:
    """A Date header as unix seconds; 0 when there is none: such a read loses to everything known."""
    try:
        return int(parsedate_to_datetime(date).timestamp()) if date else 0
    except ValueError:
        return 0
