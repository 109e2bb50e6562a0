"""The managed webhook endpoint as operators see it: where it is, what it wants, which secrets hold, how it is."""

from typing import Any

from paygres.server.flows.connections import (
    next_webhook_secret_name,
    own_webhook_secret_name,
    previous_webhook_secret_name,
)
from paygres.server.flows.managed_endpoint import endpoint_url
from paygres.server.flows.parts import Parts
from paygres.server.flows.read_connections import read_connection
from paygres.server.projections.events import EVENT_TYPES
from paygres.server.stripe_gateway.gateway import STRIPE_VERSION
from paygres.server.stripe_gateway.keys import webhook_secret_name
from paygres.server.tables import secrets


async def read_webhook_endpoint(parts: Parts, environment: str) -> dict[str, Any]:
    """What is recorded; `check_webhook_endpoint` asks Stripe. Never a secret, only which kinds are in force."""
    connection = await read_connection(parts.db, environment)
    kinds = {
        webhook_secret_name(environment): "managed",
        next_webhook_secret_name(environment): "next",
        own_webhook_secret_name(environment): "own",
        previous_webhook_secret_name(environment): "previous",
    }
    expiries = await secrets.select_expiries(parts.db, list(kinds))
    return {
        "environment": environment,
        "endpointId": connection["webhookEndpointId"],
        "endpointUrl": connection["webhookEndpointUrl"],
        "configuredAt": connection["webhookConfiguredAt"],
        "wanted": {
            "url": endpoint_url(parts, environment),
            "apiVersion": STRIPE_VERSION,
            "eventTypes": list(EVENT_TYPES),
        },
        "signingSecrets": [
            {"kind": kind, "expiresAt": expiries[name]} for name, kind in kinds.items() if name in expiries
        ],
        "health": connection["webhookHealth"],
    }
