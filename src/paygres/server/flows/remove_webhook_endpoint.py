"""Delete the managed webhook endpoint and keep the key; deliveries under way hold for ten more minutes."""

from paygres.server.flows.configure_webhook_endpoint import OLD_SECRET_LASTS, stored_secret
from paygres.server.flows.connections import leased, previous_webhook_secret_name
from paygres.server.flows.managed_endpoint import delete_endpoint, own_endpoints
from paygres.server.flows.parts import Parts
from paygres.server.stripe_gateway.keys import webhook_secret_name
from paygres.server.tables import audit, connections, secrets

REMOVED = "The managed endpoint was removed on request"


async def remove_webhook_endpoint(parts: Parts, environment: str, *, actor: str, request_id: str | None = None) -> None:
    """Delete every endpoint of this installation at Stripe; a second call finds none and is as good.

    Raises `NotConfigured` without a key, and the gateway's errors when Stripe does not delete one: then what is left
    stays in force. Saving the key again, or configuring the webhook, makes a new endpoint.
    """
    connection = await parts.connections.current(environment)
    async with leased(parts.db, environment):
        own = [str(endpoint["id"]) for endpoint in await own_endpoints(parts, connection)]
        for endpoint_id in own:
            await delete_endpoint(parts, connection, endpoint_id)
        secret = await stored_secret(parts, environment)
        name, previous_name = webhook_secret_name(environment), previous_webhook_secret_name(environment)
        async with parts.db.as_service() as tx:
            if secret is not None:
                sealed = parts.connections.seal(previous_name, environment, secret)
                await secrets.upsert(tx, previous_name, sealed, lasts=OLD_SECRET_LASTS)
            await secrets.deactivate(tx, [name])
            await connections.forget_endpoint(tx, environment, connection.account_id, REMOVED)
            await audit.record(
                tx,
                actor=actor,
                action="webhook.remove",
                environment=environment,
                target=own[0] if own else None,
                details={"deleted": own},
                request_id=request_id,
            )
    parts.connections.forget(environment)
