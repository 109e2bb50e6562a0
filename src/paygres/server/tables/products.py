"""Reading payments.stripe_products; rows of another account than the connected one are not shown."""

from typing import Any

from paygres.server.db.database import Database
from paygres.server.tables import named

Q = named.queries("products")


async def select_products(db: Database, environment: str, product_id: str | None = None) -> list[dict[str, Any]]:
    """Every product, or the one with `product_id`, by name; `metadata` is JSON text."""
    return [dict(row) for row in await db.fetch(Q.select_products, environment, product_id)]
