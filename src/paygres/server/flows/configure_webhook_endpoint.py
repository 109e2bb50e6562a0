"""The managed webhook endpoint at Stripe: made new before the old one goes, and never anybody else's.

An endpoint is ours when its metadata carries this installation's id; one that carries the marks but no id
(made by the reference server) only when it points at our URL.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import structlog

from paygres.server import errors
from paygres.server.flows.connections import (
    Connection,
    leased,
    own_webhook_secret_name,
    previous_webhook_secret_name,
)
from paygres.server.flows.parts import Parts
from paygres.server.projections.events import EVENT_TYPES
from paygres.server.stripe_gateway.gateway import STRIPE_VERSION
from paygres.server.stripe_gateway.keys import read_webhook_secret, webhook_secret_name
from paygres.server.tables import connections, secrets

log = structlog.get_logger()

OLD_SECRET_LASTS = timedelta(minutes=10)
_ENDPOINTS = "/v1/webhook_endpoints"


async def configure_webhook_endpoint(parts: Parts, environment: str) -> None:
    """Make sure that Stripe delivers our event types to this server, signed with a secret we hold.

    A good endpoint is kept. Otherwise a new one is created and its secret stored; the old secret is accepted
    for ten more minutes; then the old endpoints are deleted. Raises `NotConfigured` and the gateway's errors;
    the reason is also kept in the connection.
    """
    connection = await parts.connections.current(environment)
    try:
        async with leased(parts.db, environment):
            await _configure(parts, connection)
    except errors.PaygresError as error:
        await connections.update_webhook_error(parts.db, environment, error.message)
        raise


async def delete_managed_endpoints(parts: Parts, connection: Connection) -> None:
    """Delete our endpoints in the connection's account; what fails is logged and left."""
    try:
        for endpoint in await _own_endpoints(parts, connection):
            await _delete(parts, connection, endpoint["id"])
    except errors.PaygresError as error:
        log.warning("old webhook endpoints stay", environment=connection.environment, reason=error.message)


async def install_webhook_secret(parts: Parts, environment: str, secret: str) -> None:
    """Accept deliveries signed with `secret` (of `stripe listen`, say) beside the managed ones (F63)."""
    secret = read_webhook_secret(environment, secret)
    name = own_webhook_secret_name(environment)
    await secrets.upsert(parts.db, name, parts.connections.seal(name, environment, secret))
    parts.connections.forget(environment)


async def _configure(parts: Parts, connection: Connection) -> None:
    environment, url = connection.environment, _url(parts, connection.environment)
    own = await _own_endpoints(parts, connection)
    stored_id = await connections.select_endpoint(parts.db, environment)
    kept = next((e["id"] for e in own if e["id"] == stored_id and _is_good(e, url)), None)
    if kept is not None and await _stored_secret(parts, environment) is not None:
        async with parts.db.as_service() as tx:
            await connections.update_endpoint(tx, environment, connection.account_id, kept, url)
    else:
        kept = await _replace(parts, connection, url)
    for endpoint in own:
        if endpoint["id"] != kept:
            await _delete(parts, connection, endpoint["id"])


async def _replace(parts: Parts, connection: Connection, url: str) -> str:
    environment = connection.environment
    answer = await parts.gateway.request(
        connection.stripe_key, "post", _ENDPOINTS, _wanted(parts, environment, url), priority="portal"
    )
    endpoint_id, secret = answer.object.get("id"), answer.object.get("secret")
    if not isinstance(endpoint_id, str) or not isinstance(secret, str):
        raise errors.Upstream("Stripe did not return a webhook signing secret for the managed endpoint")
    name, previous_name = webhook_secret_name(environment), previous_webhook_secret_name(environment)
    old_secret = await _stored_secret(parts, environment)
    async with parts.db.as_service() as tx:
        still_ours = await connections.update_endpoint(tx, environment, connection.account_id, endpoint_id, url)
        if still_ours:
            if old_secret is not None:
                sealed = parts.connections.seal(previous_name, environment, old_secret)
                await secrets.upsert(tx, previous_name, sealed, lasts=OLD_SECRET_LASTS)
            await secrets.upsert(tx, name, parts.connections.seal(name, environment, secret))
    parts.connections.forget(environment)
    if not still_ours:
        await _delete(parts, connection, endpoint_id)
        raise errors.Unavailable(f"The Stripe connection of {environment} was changed meanwhile; try again")
    log.info("webhook endpoint created", environment=environment, endpoint_id=endpoint_id, url=url)
    return endpoint_id


async def _own_endpoints(parts: Parts, connection: Connection) -> list[dict[str, Any]]:
    """Stripe allows 16 endpoints per account and mode: this list is short."""
    url = _url(parts, connection.environment)
    return [
        endpoint
        async for page, _ in parts.gateway.pages(connection.stripe_key, _ENDPOINTS, {}, priority="portal")
        for endpoint in page
        if _is_own(endpoint, parts.installation_id, connection.environment, url)
    ]


async def _stored_secret(parts: Parts, environment: str) -> str | None:
    name = webhook_secret_name(environment)
    stored = await secrets.select_live(parts.db, [name])
    return parts.connections.unseal(name, environment, stored.get(name))


async def _delete(parts: Parts, connection: Connection, endpoint_id: str) -> None:
    path = f"{_ENDPOINTS}/{quote(endpoint_id, safe='')}"
    try:
        await parts.gateway.request(connection.stripe_key, "delete", path, priority="portal")
    except errors.PaygresError as error:
        log.warning("old webhook endpoint stays", endpoint_id=endpoint_id, reason=error.message)


def _is_own(endpoint: dict[str, Any], installation_id: str, environment: str, url: str) -> bool:
    marks: dict[str, str] = endpoint.get("metadata") or {}
    if any(marks.get(name) != value for name, value in _marks(environment).items()):
        return False
    owner = marks.get("insforge_installation_id")
    return owner == installation_id or (owner is None and endpoint.get("url") == url)


def _is_good(endpoint: dict[str, Any], url: str) -> bool:
    return (
        endpoint.get("url") == url
        and endpoint.get("status") == "enabled"
        and endpoint.get("api_version") == STRIPE_VERSION
        and set(endpoint.get("enabled_events") or ()) == set(EVENT_TYPES)
    )


def _wanted(parts: Parts, environment: str, url: str) -> dict[str, Any]:
    return {
        "url": url,
        "enabled_events": list(EVENT_TYPES),
        "api_version": STRIPE_VERSION,
        "metadata": {
            **_marks(environment),
            "insforge_endpoint_path": _path(environment),
            "insforge_endpoint_url": url,
            "insforge_installation_id": parts.installation_id,
        },
    }


def _marks(environment: str) -> dict[str, str]:
    return {
        "managed_by": "insforge",
        "insforge_webhook": "stripe_payments",
        "insforge_environment": environment,
    }


def _path(environment: str) -> str:
    return f"/api/webhooks/stripe/{environment}"


def _url(parts: Parts, environment: str) -> str:
    return parts.api_base_url.rstrip("/") + _path(environment)
