"""Is the managed webhook endpoint still as it should be? Looked up at Stripe now and then, and when somebody asks.

A look changes nothing, with one exception: when this server's own event types changed (after an update), the new ones
are added in place. Everything else is said, and repaired when somebody asks for it.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import structlog

from paygres.server import errors
from paygres.server.flows.configure_webhook_endpoint import stored_secret
from paygres.server.flows.connections import Connection
from paygres.server.flows.managed_endpoint import (
    change_endpoint,
    endpoint_url,
    missing_events,
    own_endpoints,
    problems,
    unreachable,
    wanted_hash,
)
from paygres.server.flows.parts import Parts
from paygres.server.stripe_gateway.budget import Priority
from paygres.server.stripe_gateway.keys import ENVIRONMENTS
from paygres.server.tables import connections
from paygres.server.tables.connections import EndpointRow

log = structlog.get_logger()

_LOOK_SECONDS = 15.0  # the worker's other duties wait meanwhile


@dataclass(frozen=True, slots=True)
class Health:
    """`problems` are sentences; `seen` says that Stripe was asked and answered."""

    status: Literal["ok", "problem", "unknown"]
    problems: tuple[str, ...] = ()
    seen: bool = False


async def check_webhook_endpoints(parts: Parts) -> int:
    """The worker's duty: look at the endpoints whose turn it is, every ten minutes and at once after an update."""
    await _look(parts, {environment: wanted_hash(parts, environment) for environment in ENVIRONMENTS}, "sweep")
    return 0


async def check_webhook_endpoint(parts: Parts, environment: str) -> None:
    """Look at one environment's endpoint now; the result is in the connection. Never raises for what Stripe does."""
    await _look(parts, {environment: wanted_hash(parts, environment)}, "portal", now=True)


async def _look(parts: Parts, wanted: dict[str, str], priority: Priority, *, now: bool = False) -> None:
    claimed = await connections.claim_webhook_checks(parts.db, wanted, now=now)
    for environment, began in claimed.items():
        await _look_at(parts, environment, began, wanted[environment], priority)


async def _look_at(parts: Parts, environment: str, began: datetime, wanted: str, priority: Priority) -> None:
    stored = await connections.select_endpoint(parts.db, environment)
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            connection = await parts.connections.current(environment)
            health = await _health(parts, connection, stored, wanted, priority)
    except TimeoutError:
        health = Health("unknown", (f"Stripe did not answer within {_LOOK_SECONDS:.0f} seconds",))
    except errors.PaygresError as error:
        # A key that is refused stays so until somebody acts; everything else may be over at the next look.
        lasting = error.code == "PAYMENT_CONFIG_INVALID"
        health = Health("problem" if lasting else "unknown", (f"Stripe could not be asked: {error.message}",))
    if health.status == "problem":
        log.warning("webhook endpoint has problems", environment=environment, problems=health.problems)
    await connections.update_webhook_health(
        parts.db, environment, began, health.status, health.problems, wanted if health.seen else None
    )


async def _health(parts: Parts, connection: Connection, stored: EndpointRow, wanted: str, priority: Priority) -> Health:
    environment, url = connection.environment, endpoint_url(parts, connection.environment)
    if stored.id is None and (reason := unreachable(parts, environment)):
        return Health("unknown", (reason,), seen=True)
    own = await own_endpoints(parts, connection, priority=priority)
    found = next((endpoint for endpoint in own if endpoint["id"] == stored.id), None)
    said: list[str] = []
    if found is None:
        said.append(await _absence(parts, environment, stored))
    else:
        if stored.checked_for != wanted and missing_events(found):
            found = await _add_events(parts, connection, found, priority)
        said += problems(found, url)
        if await stored_secret(parts, environment) is None:
            said.append("The signing secret of the endpoint is lost here: its deliveries are refused")
    said += [
        f"Stripe delivers to {endpoint['id']} as well, an older endpoint of this installation"
        for endpoint in own
        if endpoint["id"] != stored.id and endpoint.get("status") == "enabled"
    ]
    return Health("problem" if said else "ok", tuple(said), seen=True)


async def _absence(parts: Parts, environment: str, stored: EndpointRow) -> str:
    if stored.id is not None:
        return f"The endpoint {stored.id} does not exist at Stripe any more: nothing arrives"
    if stored.error is not None:
        return stored.error
    return "There is no managed endpoint"


async def _add_events(
    parts: Parts, connection: Connection, endpoint: dict[str, Any], priority: Priority
) -> dict[str, Any]:
    """The endpoint with the event types that this version of the server reads and earlier ones did not."""
    events = sorted({*endpoint["enabled_events"], *missing_events(endpoint)})
    changes = {"enabled_events": events}
    return await change_endpoint(parts, connection, endpoint["id"], changes, priority=priority)
