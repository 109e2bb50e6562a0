"""Reading payments.stripe_prices; rows of another account than the connected one are not shown."""

from typing import Any

from paygres.server.db.database import Database
from paygres.server.tables import named

Q = named.queries("prices")


async def select_prices(
    db: Database, environment: str, *, product_id: str | None = None, price_id: str | None = None
) -> list[dict[str, Any]]:
    """Every price, those of a product, or the one with `price_id`; `metadata` is JSON text."""
    return [dict(row) for row in await db.fetch(Q.select_prices, environment, product_id, price_id)]
