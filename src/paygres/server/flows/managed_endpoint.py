"""The managed webhook endpoint as it should be, the calls about it at Stripe, and what is wrong with one found there.

An endpoint is ours when its metadata carries this installation's id; one that carries the marks but no id (made by
the reference server) only when it points at our URL.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog

from paygres.server import errors
from paygres.server.flows.connections import Connection
from paygres.server.flows.parts import Parts
from paygres.server.projections.events import EVENT_TYPES
from paygres.server.stripe_gateway.budget import Priority
from paygres.server.stripe_gateway.gateway import STRIPE_VERSION
from paygres.server.stripe_gateway.paths import path_of

log = structlog.get_logger()

_ENDPOINTS = "/v1/webhook_endpoints"
_INSTALLATION = "insforge_installation_id"
_NAMED_AT_MOST = 12  # event types in one sentence


def endpoint_url(parts: Parts, environment: str) -> str:
    """Where Stripe should deliver."""
    return parts.api_base_url.rstrip("/") + _path(environment)


def wanted_hash(parts: Parts, environment: str) -> str:
    """Changes whenever this server wants something else of its endpoint than before, after an update for instance."""
    wanted = (STRIPE_VERSION, endpoint_url(parts, environment), EVENT_TYPES)
    return hashlib.sha256(orjson.dumps(wanted)).hexdigest()[:32]


def unreachable(parts: Parts, environment: str) -> str | None:
    """Why Stripe could never deliver to our URL; None when it could, and when this is not Stripe but the sandbox."""
    url = endpoint_url(parts, environment)
    if not parts.gateway.speaks_to_stripe or not is_private(url):
        return None
    return (
        f"Skipped: Stripe cannot reach {url}. Set API_BASE_URL to a public address, or forward events with "
        f"`stripe listen` and install its signing secret"
    )


def is_private(url: str) -> bool:
    """Whether the URL's host is only known on this machine or in this network."""
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal", ".test"))


async def own_endpoints(parts: Parts, connection: Connection, *, priority: Priority = "portal") -> list[dict[str, Any]]:
    """Our endpoints at Stripe, which allows 16 per account and mode: the list is short."""
    url = endpoint_url(parts, connection.environment)
    return [
        endpoint
        async for page, _ in parts.gateway.pages(connection.stripe_key, _ENDPOINTS, {}, priority=priority)
        for endpoint in page
        if _is_own(endpoint, parts.installation_id, connection.environment, url)
    ]


async def create_endpoint(parts: Parts, connection: Connection) -> tuple[str, str]:
    """A new endpoint as we want it: (its id, its signing secret), which Stripe tells only now."""
    answer = await parts.gateway.request(
        connection.stripe_key, "post", _ENDPOINTS, _wanted(parts, connection.environment), priority="portal"
    )
    endpoint_id, secret = answer.object.get("id"), answer.object.get("secret")
    if not isinstance(endpoint_id, str) or not isinstance(secret, str):
        raise errors.Upstream("Stripe did not return a webhook signing secret for the managed endpoint")
    log.info("webhook endpoint created", environment=connection.environment, endpoint_id=endpoint_id)
    return endpoint_id, secret


async def change_endpoint(
    parts: Parts, connection: Connection, endpoint_id: str, changes: dict[str, Any], *, priority: Priority = "portal"
) -> dict[str, Any]:
    """Change an endpoint in place, signing secret and all else stay; the endpoint as it is then."""
    path = path_of(_ENDPOINTS, endpoint_id)
    answer = await parts.gateway.request(connection.stripe_key, "post", path, changes, priority=priority)
    log.info("webhook endpoint changed", endpoint_id=endpoint_id, changed=sorted(changes))
    return answer.object


async def delete_endpoint(parts: Parts, connection: Connection, endpoint_id: str) -> None:
    """Delete an endpoint; one that is gone already is as good. Raises the gateway's errors."""
    path = path_of(_ENDPOINTS, endpoint_id)
    try:
        await parts.gateway.request(connection.stripe_key, "delete", path, priority="portal")
    except errors.Upstream as error:
        if error.status != 404:
            raise


async def delete_or_leave(parts: Parts, connection: Connection, endpoint_id: str) -> None:
    """Delete an endpoint that is not needed any more; what fails is logged, and shown by the next look."""
    try:
        await delete_endpoint(parts, connection, endpoint_id)
    except errors.PaygresError as error:
        log.warning("old webhook endpoint stays", endpoint_id=endpoint_id, reason=error.message)


def needs_another(endpoint: dict[str, Any] | None) -> bool:
    """Whether only a new endpoint helps: there is none, or it speaks another version, which Stripe never changes."""
    return endpoint is None or endpoint.get("api_version") != STRIPE_VERSION


def differences(endpoint: dict[str, Any], url: str) -> dict[str, Any]:
    """What to change in place to make the endpoint as wanted; {} when it is."""
    changes: dict[str, Any] = {}
    if endpoint.get("url") != url:
        changes["url"] = url
    if endpoint.get("status") != "enabled":
        changes["disabled"] = False
    if set(endpoint.get("enabled_events") or ()) != set(EVENT_TYPES):
        changes["enabled_events"] = list(EVENT_TYPES)
    return changes


def missing_events(endpoint: dict[str, Any]) -> list[str]:
    """The event types we read and the endpoint does not get."""
    enabled: Sequence[str] = endpoint.get("enabled_events") or ()
    return [] if "*" in enabled else sorted(set(EVENT_TYPES) - set(enabled))


def problems(endpoint: dict[str, Any], url: str) -> list[str]:
    """What is wrong with our endpoint at Stripe, a sentence each."""
    found: list[str] = []
    if endpoint.get("status") != "enabled":
        found.append("Stripe has disabled the endpoint, as it does after days of failed deliveries: nothing arrives")
    if missing := missing_events(endpoint):
        named = ", ".join(missing[:_NAMED_AT_MOST]) + (", …" if len(missing) > _NAMED_AT_MOST else "")
        found.append(f"The endpoint does not get {len(missing)} of our event types: {named}")
    version = endpoint.get("api_version")
    if version != STRIPE_VERSION:
        found.append(
            f"The endpoint speaks {version or 'the default version of the account'} instead of {STRIPE_VERSION}: "
            f"it has to be rotated"
        )
    if endpoint.get("url") != url:
        found.append(f"The endpoint delivers to {endpoint.get('url')} instead of {url}")
    return found


def _is_own(endpoint: dict[str, Any], installation_id: str, environment: str, url: str) -> bool:
    marks: dict[str, str] = endpoint.get("metadata") or {}
    if any(marks.get(name) != value for name, value in _marks(environment).items()):
        return False
    owner = marks.get(_INSTALLATION)
    return owner == installation_id or (owner is None and endpoint.get("url") == url)


def _wanted(parts: Parts, environment: str) -> dict[str, Any]:
    url = endpoint_url(parts, environment)
    return {
        "url": url,
        "enabled_events": list(EVENT_TYPES),
        "api_version": STRIPE_VERSION,
        "metadata": {
            **_marks(environment),
            "insforge_endpoint_path": _path(environment),
            "insforge_endpoint_url": url,
            _INSTALLATION: parts.installation_id,
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
