"""The mirrored catalog as the contract shows it (1.6): products by name, prices by product."""

from datetime import UTC, datetime
from typing import Any

import orjson

from paygres.server import errors
from paygres.server.db.database import Database
from paygres.server.projections import prices as price_projection
from paygres.server.projections import products as product_projection
from paygres.server.tables import prices, products


async def read_catalog(db: Database, environment: str) -> dict[str, Any]:
    """`{products, prices}` of the connected account."""
    return {
        "products": await read_products(db, environment),
        "prices": await read_prices(db, environment),
    }


async def read_products(db: Database, environment: str) -> list[dict[str, Any]]:
    """Product objects."""
    return [_product(row) for row in await products.select_products(db, environment)]


async def read_product(db: Database, environment: str, product_id: str) -> dict[str, Any]:
    """`{product, prices}`; raises `NotFound` (404 `PAYMENT_PRODUCT_NOT_FOUND`)."""
    rows = await products.select_products(db, environment, product_id)
    if not rows:
        raise errors.NotFound(f"Stripe {environment} product not found: {product_id}", code="PAYMENT_PRODUCT_NOT_FOUND")
    return {"product": _product(rows[0]), "prices": await read_prices(db, environment, product_id)}


async def read_prices(db: Database, environment: str, product_id: str | None = None) -> list[dict[str, Any]]:
    """Price objects, of one product when `product_id` is given."""
    return [_price(row) for row in await prices.select_prices(db, environment, product_id=product_id)]


async def read_price(db: Database, environment: str, price_id: str) -> dict[str, Any]:
    """One price object; raises `NotFound` (404 `PAYMENT_PRICE_NOT_FOUND`)."""
    rows = await prices.select_prices(db, environment, price_id=price_id)
    if not rows:
        raise errors.NotFound(f"Stripe {environment} price not found: {price_id}", code="PAYMENT_PRICE_NOT_FOUND")
    return _price(rows[0])


def product_of(environment: str, raw: dict[str, Any]) -> dict[str, Any]:
    """Stripe's product as the contract shows it, seen now."""
    found = product_projection.row(raw, False)
    if found is None:
        raise errors.Upstream("Stripe's answer is not a product", definite=False)
    return _product({**found[1], **_seen_now(environment, raw)})


def price_of(environment: str, raw: dict[str, Any]) -> dict[str, Any]:
    """Stripe's price as the contract shows it, seen now."""
    found = price_projection.row(raw, False)
    if found is None:
        raise errors.Upstream("Stripe's answer is not a price", definite=False)
    return _price({**found[1], **_seen_now(environment, raw)})


def _seen_now(environment: str, raw: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"environment": environment, "synced_at": now, "metadata": orjson.dumps(raw.get("metadata") or {})}


def _product(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "environment": row["environment"],
        "productId": row["product_id"],
        "name": row["name"],
        "description": row["description"],
        "active": row["active"],
        "defaultPriceId": row["default_price_id"],
        "metadata": orjson.loads(row["metadata"]),
        "syncedAt": row["synced_at"],
    }


def _price(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "environment": row["environment"],
        "priceId": row["price_id"],
        "productId": row["product_id"],
        "active": row["active"],
        "currency": row["currency"],
        "unitAmount": row["unit_amount"],
        "unitAmountDecimal": row["unit_amount_decimal"],
        "type": row["type"],
        "lookupKey": row["lookup_key"],
        "billingScheme": row["billing_scheme"],
        "taxBehavior": row["tax_behavior"],
        "recurringInterval": row["recurring_interval"],
        "recurringIntervalCount": row["recurring_interval_count"],
        "metadata": orjson.loads(row["metadata"]),
        "syncedAt": row["synced_at"],
    }
