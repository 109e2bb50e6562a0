"""Defaults of checkouts that the strict request body does not know: read, set and removed by operators.

They are merged where a checkout is reserved (functions/06), so that clients gain them unchanged.
"""

from typing import Any

from paygres.server.errors import NotFound
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.checkout_options import CheckoutOptionsRequest
from paygres.server.tables import audit, checkout_options


async def read_checkout_options(parts: Parts, environment: str, price_id: str | None) -> list[dict[str, Any]]:
    """What is set: the environment's own (priceId null) first, then the prices'; or that of one price."""
    return await checkout_options.select(parts.db, environment, price_id)


async def set_checkout_options(
    parts: Parts,
    environment: str,
    price_id: str | None,
    request: CheckoutOptionsRequest,
    *,
    actor: str,
    request_id: str | None,
) -> dict[str, Any]:
    """Replace all options of a price, or of the environment. Raises NotFound for a price that is not mirrored."""
    if price_id is not None:
        known = await checkout_options.sold_prices(parts.db, [price_id])
        if not any(one.environment == environment for one in known):
            raise NotFound(
                f"Stripe {environment} price not found: {price_id}",
                code="PAYMENT_PRICE_NOT_FOUND",
                next_actions=f"POST /api/payments/stripe/{environment}/sync reads the account's prices.",
            )
    options = request.model_dump(exclude_none=True)
    async with parts.db.as_service() as tx:
        kept = await checkout_options.put(tx, environment, price_id, options)
        await audit.record(
            tx,
            actor=actor,
            action="checkout_options.set",
            environment=environment,
            target=price_id,
            details=options,
            request_id=request_id,
        )
    return kept


async def delete_checkout_options(
    parts: Parts, environment: str, price_id: str | None, *, actor: str, request_id: str | None
) -> bool:
    """Remove those of a price, or of the environment; False when there were none."""
    async with parts.db.as_service() as tx:
        deleted = await checkout_options.delete(tx, environment, price_id)
        if deleted:
            await audit.record(
                tx,
                actor=actor,
                action="checkout_options.delete",
                environment=environment,
                target=price_id,
                request_id=request_id,
            )
    return deleted
