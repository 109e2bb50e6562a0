"""Make the managed webhook endpoint as it should be: in place where Stripe can, else a new one before the old goes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog

from paygres.server import errors
from paygres.server.flows.connections import (
    Connection,
    leased,
    next_webhook_secret_name,
    previous_webhook_secret_name,
)
from paygres.server.flows.drain_endpoint import drain_endpoint
from paygres.server.flows.managed_endpoint import (
    change_endpoint,
    create_endpoint,
    delete_or_leave,
    differences,
    endpoint_url,
    needs_another,
    own_endpoints,
    unreachable,
    wanted_hash,
)
from paygres.server.flows.parts import Parts
from paygres.server.stripe_gateway.keys import webhook_secret_name
from paygres.server.tables import audit, connections, secrets

log = structlog.get_logger()

OLD_SECRET_LASTS = timedelta(minutes=10)


async def configure_webhook_endpoint(
    parts: Parts, environment: str, *, actor: str | None = None, request_id: str | None = None
) -> None:
    """Make sure that Stripe delivers our event types to this server, signed with a secret we hold.

    Address, events and a disabled state are corrected in place. An endpoint that is missing, speaks another API
    version or lost its secret here is replaced: the old secret is accepted for ten more minutes, then the old
    endpoint is deleted. Raises `NotConfigured` (no key, or an address that Stripe cannot reach) and the gateway's
    errors; the reason is also kept in the connection. With `actor` it is recorded who asked.
    """
    connection = await parts.connections.current(environment)
    if reason := unreachable(parts, environment):
        await connections.update_webhook_error(parts.db, environment, reason, status="unknown")
        raise errors.NotConfigured(reason)
    try:
        async with leased(parts.db, environment):
            done = await _configure(parts, connection)
    except errors.PaygresError as error:
        await connections.update_webhook_error(parts.db, environment, error.message)
        raise
    if actor is not None:
        await audit.record(
            parts.db,
            actor=actor,
            action="webhook.configure",
            environment=environment,
            target=done["endpoint"],
            details=done,
            request_id=request_id,
        )


async def delete_managed_endpoints(parts: Parts, environment: str, key: str) -> None:
    """Delete our endpoints in the account of `key`; what fails is logged and left."""
    connection = Connection(environment, "", key, (), 0)
    try:
        for endpoint in await own_endpoints(parts, connection):
            await delete_or_leave(parts, connection, endpoint["id"])
    except errors.PaygresError as error:
        log.warning("old webhook endpoints stay", environment=environment, reason=error.message)


async def stored_secret(parts: Parts, environment: str) -> str | None:
    """The managed endpoint's signing secret, when there is one that can be read."""
    name = webhook_secret_name(environment)
    stored = await secrets.select_live(parts.db, [name])
    return parts.connections.unseal(name, environment, stored.get(name))


async def switch(
    parts: Parts,
    connection: Connection,
    endpoint_id: str,
    secret: str,
    *,
    old_secret: str | None,
    record: Mapping[str, Any] | None = None,
) -> None:
    """Make a new endpoint the managed one and its secret the first; the old secret holds ten more minutes.

    `record` is an audit record's words, written in the same transaction. When another account was connected
    meanwhile the new endpoint is deleted and `Unavailable` raised.
    """
    environment = connection.environment
    name, previous_name = webhook_secret_name(environment), previous_webhook_secret_name(environment)
    url, checked_for = endpoint_url(parts, environment), wanted_hash(parts, environment)
    async with parts.db.as_service() as tx:
        still_ours = await connections.update_endpoint(
            tx, environment, connection.account_id, endpoint_id, url, checked_for
        )
        if still_ours:
            if old_secret is not None:
                sealed = parts.connections.seal(previous_name, environment, old_secret)
                await secrets.upsert(tx, previous_name, sealed, lasts=OLD_SECRET_LASTS)
            await secrets.upsert(tx, name, parts.connections.seal(name, environment, secret))
            await secrets.deactivate(tx, [next_webhook_secret_name(environment)])
            if record is not None:
                await audit.record(tx, environment=environment, target=endpoint_id, **record)
    parts.connections.forget(environment)
    if not still_ours:
        await delete_or_leave(parts, connection, endpoint_id)
        raise errors.Unavailable(f"The Stripe connection of {environment} was changed meanwhile; try again")


async def _configure(parts: Parts, connection: Connection) -> dict[str, Any]:
    """What was done: `{endpoint, created, changed, deleted}`."""
    environment, url = connection.environment, endpoint_url(parts, connection.environment)
    own = await own_endpoints(parts, connection)
    stored = await connections.select_endpoint(parts.db, environment)
    found = next((endpoint for endpoint in own if endpoint["id"] == stored.id), None)
    secret = await stored_secret(parts, environment)
    created, changes = False, {}
    if found is None or needs_another(found) or secret is None:
        kept, new_secret = await create_endpoint(parts, connection)
        await switch(parts, connection, kept, new_secret, old_secret=secret)
        created = True
    else:
        kept, changes = str(found["id"]), differences(found, url)
        if changes:
            await change_endpoint(parts, connection, kept, changes)
        async with parts.db.as_service() as tx:
            await connections.update_endpoint(
                tx, environment, connection.account_id, kept, url, wanted_hash(parts, environment)
            )
    others = [str(endpoint["id"]) for endpoint in own if endpoint["id"] != kept]
    if created and others:
        await drain_endpoint(parts, connection)
    for endpoint_id in others:
        await delete_or_leave(parts, connection, endpoint_id)
    return {"endpoint": kept, "created": created, "changed": sorted(changes), "deleted": others}
