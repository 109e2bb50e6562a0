"""Does a signed test event reach us? We send one to our own public URL, signed as Stripe signs.

It proves name, TLS, proxy (body and signature unchanged) and that the secret in force here is the one signed with.
It does not prove that Stripe's machines get through: the last step of the road is only seen in Stripe's own list.
"""

import asyncio
import secrets as randomness
import time
from dataclasses import dataclass
from typing import Any

import orjson

from paygres.server import errors
from paygres.server.flows.managed_endpoint import endpoint_url
from paygres.server.flows.parts import Parts
from paygres.server.projections.events import Event
from paygres.server.stripe_gateway.delivery import Delivered, deliver
from paygres.server.stripe_gateway.keys import webhook_secret_name

PROBE_TYPE = "paygres.probe"
_TRIES = 3
_PAUSE_SECONDS = 1.2  # another process looks for a new secret at most once a second


@dataclass(frozen=True, slots=True)
class Probe:
    """`reached`, else the `reason` in a sentence; `milliseconds` there and back."""

    url: str
    reached: bool
    milliseconds: int
    reason: str | None


async def probe_webhook_endpoint(parts: Parts, environment: str) -> Probe:
    """Send a test event signed with the secret in force; raises `NotConfigured` when there is none."""
    side = await parts.connections.webhook(environment)
    if not side.secrets:
        raise errors.NotConfigured(f"{webhook_secret_name(environment)} is not configured")
    return await probe(parts, environment, side.secrets[0])


async def probe(parts: Parts, environment: str, secret: str) -> Probe:
    """Send a test event signed with `secret`, up to three times while it is refused."""
    url = endpoint_url(parts, environment)
    for tries_left in range(_TRIES - 1, -1, -1):
        event_id = f"evt_paygresprobe{randomness.token_hex(12)}"
        began = time.monotonic()
        try:
            delivered = await deliver(url, _body(environment, event_id), secret)
        except errors.Upstream as error:
            return Probe(url, False, _since(began), error.message)
        if delivered.status == 200 and _is_ours(delivered, event_id, parts.installation_id):
            return Probe(url, True, _since(began), None)
        if delivered.status != 400 or not tries_left:
            return Probe(url, False, _since(began), _reason(delivered))
        await asyncio.sleep(_PAUSE_SECONDS)
    raise AssertionError("unreachable")


def answer_probe(event: Event, installation_id: str, shown: dict[str, Any]) -> dict[str, Any]:
    """What the webhook route answers to a verified test event: nothing of it is stored."""
    return {
        "received": True,
        "handled": False,
        "event": shown,
        "probe": {"id": event.id, "installationId": installation_id},
    }


def _body(environment: str, event_id: str) -> bytes:
    return orjson.dumps(
        {
            "id": event_id,
            "object": "event",
            "type": PROBE_TYPE,
            "created": int(time.time()),
            "livemode": environment == "live",
            "data": {"object": {"id": event_id, "object": "paygres.probe"}},
        }
    )


def _is_ours(delivered: Delivered, event_id: str, installation_id: str) -> bool:
    answer = delivered.body
    return isinstance(answer, dict) and answer.get("probe") == {"id": event_id, "installationId": installation_id}


def _reason(delivered: Delivered) -> str:
    status, answer = delivered.status, delivered.body
    if 300 <= status < 400:
        return f"it answered HTTP {status}, and Stripe follows no redirects"
    if 200 <= status < 300:
        return f"it answered HTTP {status}, but not as this server does: API_BASE_URL belongs to something else"
    message = answer.get("message") if isinstance(answer, dict) else None
    return f"it answered HTTP {status}" + (f": {message}" if isinstance(message, str) else "")


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
