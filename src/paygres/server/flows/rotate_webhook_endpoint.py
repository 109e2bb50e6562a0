"""Change the managed endpoint's signing secret without a gap: create, probe, switch, delete the old (decision 36)."""

from paygres.server import errors
from paygres.server.flows.configure_webhook_endpoint import OLD_SECRET_LASTS, stored_secret, switch
from paygres.server.flows.connections import Connection, leased, next_webhook_secret_name
from paygres.server.flows.drain_endpoint import drain_endpoint
from paygres.server.flows.managed_endpoint import (
    create_endpoint,
    delete_or_leave,
    own_endpoints,
    unreachable,
)
from paygres.server.flows.parts import Parts
from paygres.server.flows.probe_webhook_endpoint import probe
from paygres.server.tables import connections, secrets


async def rotate_webhook_endpoint(
    parts: Parts, environment: str, *, skip_probe: bool, actor: str, request_id: str | None = None
) -> None:
    """Replace our endpoint, or what is left of it, by a new one with another secret.

    The new secret is accepted before the switch, the old one for ten minutes after it. The old endpoint is deleted
    when it has delivered what it owes (see `drain_endpoint`), so every delivery finds its secret. `skip_probe` is for
    servers that cannot reach their own public address. Raises `NotConfigured`, the gateway's errors, and `Upstream`
    (502) when the probe does not arrive; then everything is as it was.
    """
    connection = await parts.connections.current(environment)
    if reason := unreachable(parts, environment):
        raise errors.NotConfigured(reason)
    async with leased(parts.db, environment):
        before = await own_endpoints(parts, connection)
        stored = await connections.select_endpoint(parts.db, environment)
        created, secret = await create_endpoint(parts, connection)
        try:
            await _accept(parts, connection, secret)
            if not skip_probe:
                await _prove(parts, connection, secret)
            await switch(
                parts,
                connection,
                created,
                secret,
                old_secret=await stored_secret(parts, environment),
                record={
                    "actor": actor,
                    "action": "webhook.rotate",
                    "details": {"old": stored.id, "probed": not skip_probe},
                    "request_id": request_id,
                },
            )
        except BaseException:
            if (await connections.select_endpoint(parts.db, environment)).id != created:  # else it did commit
                await delete_or_leave(parts, connection, created)
                await secrets.deactivate(parts.db, [next_webhook_secret_name(environment)])
            parts.connections.forget(environment)
            raise
        await drain_endpoint(parts, connection)
        for endpoint in before:
            await delete_or_leave(parts, connection, endpoint["id"])


async def _accept(parts: Parts, connection: Connection, secret: str) -> None:
    """Deliveries of the new endpoint come from the moment it exists."""
    name = next_webhook_secret_name(connection.environment)
    sealed = parts.connections.seal(name, connection.environment, secret)
    await secrets.upsert(parts.db, name, sealed, lasts=OLD_SECRET_LASTS)
    parts.connections.forget(connection.environment)


async def _prove(parts: Parts, connection: Connection, secret: str) -> None:
    found = await probe(parts, connection.environment, secret)
    if not found.reached:
        raise errors.Upstream(
            f"Not rotated: a signed test event did not reach {found.url}: {found.reason}",
            definite=True,
            next_actions="Check API_BASE_URL and the proxy before this server. If only this server cannot reach its "
            'own public address, send {"skipProbe": true}.',
        )
