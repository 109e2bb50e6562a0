"""Accept a signing secret that people bring: of `stripe listen`, or of an endpoint they made themselves (F63)."""

from paygres.server.flows.connections import own_webhook_secret_name
from paygres.server.flows.parts import Parts
from paygres.server.stripe_gateway.keys import read_webhook_secret, webhook_secret_name
from paygres.server.tables import audit, secrets


async def install_webhook_secret(
    parts: Parts, environment: str, secret: str, *, actor: str = "environment", request_id: str | None = None
) -> str:
    """Accept deliveries signed with `secret` beside the managed ones; replaces the one brought before.

    Returns the id of its row. Raises `InvalidRequest` for what cannot be a signing secret.
    """
    secret = read_webhook_secret(environment, secret)
    name = own_webhook_secret_name(environment)
    async with parts.db.as_service() as tx:
        row_id = await secrets.upsert(tx, name, parts.connections.seal(name, environment, secret))
        await audit.record(
            tx,
            actor=actor,
            action="webhook_secret.set",
            environment=environment,
            target=webhook_secret_name(environment),
            request_id=request_id,
        )
    parts.connections.forget(environment)
    return row_id
