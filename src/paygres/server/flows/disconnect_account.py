"""Take an environment's Stripe key away. Mirrored rows, the account and the signing secrets stay."""

import structlog

from paygres.server import errors
from paygres.server.flows.configure_webhook_endpoint import delete_managed_endpoints
from paygres.server.flows.connections import mask_name
from paygres.server.flows.parts import Parts
from paygres.server.stripe_gateway.keys import secret_key_name
from paygres.server.tables import audit, connections, secrets

log = structlog.get_logger()


async def disconnect_account(
    parts: Parts, environment: str, *, actor: str = "server", request_id: str | None = None
) -> None:
    """Delete our webhook endpoint at Stripe (as far as Stripe lets us) and deactivate the key.

    Deliveries that are still under way keep verifying: the signing secrets stay active (F26). The key does
    not come back at the next start (F62). Raises `NotFound` (404 `PAYMENT_CONFIG_NOT_FOUND`) without a key.
    """
    name = secret_key_name(environment)
    if not await parts.connections.has_key(environment):
        raise _no_key()
    try:
        connection = await parts.connections.current(environment)
    except errors.NotConfigured as error:  # stored, but unreadable: it can still be removed
        log.warning("webhook endpoint not removed", environment=environment, reason=error.message)
    else:
        await delete_managed_endpoints(parts, environment, connection.stripe_key)
    async with parts.db.as_service() as tx:
        masked = (await secrets.select_live(tx, [mask_name(environment)])).get(mask_name(environment))
        if name not in await secrets.deactivate(tx, [name, mask_name(environment)]):
            raise _no_key()
        account_id = await connections.disconnect(tx, environment, f"{name} is not configured")
        await audit.record(
            tx,
            actor=actor,
            action="config.remove",
            environment=environment,
            target=account_id,
            details={"maskedKey": masked, "accountId": account_id},
            request_id=request_id,
        )
    parts.connections.forget(environment)
    log.info("stripe account disconnected", environment=environment)


def _no_key() -> errors.NotFound:
    return errors.NotFound("No Stripe key configured", code="PAYMENT_CONFIG_NOT_FOUND")
