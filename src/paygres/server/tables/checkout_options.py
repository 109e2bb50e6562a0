"""Defaults of checkouts, per price and for a whole environment; and what the mirror knows of the prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("checkout_options")
COLUMNS = (
    "allow_promotion_codes",
    "automatic_tax",
    "tax_id_collection",
    "phone_number_collection",
    "billing_address_collection",
    "locale",
    "adjustable_quantity",
    "expires_after_minutes",
    "trial_period_days",
    "payment_method_collection",
)


@dataclass(frozen=True, slots=True)
class SoldPrice:
    """A mirrored price; `active` only when its product is, too."""

    environment: str
    price_id: str
    recurring: bool
    active: bool


async def select(db: Database, environment: str, price_id: str | None) -> list[dict[str, Any]]:
    """The rows of an environment (that of the whole first), or of one price."""
    with translated():
        return [orjson.loads(r["options"]) for r in await db.fetch(Q.list, environment, price_id)]


async def put(tx: Tx, environment: str, price_id: str | None, options: Mapping[str, object]) -> dict[str, Any]:
    """Write the whole row; a column that `options` lacks says nothing."""
    with translated():
        row_id = await tx.fetchval(Q.put, environment, price_id, *(options.get(name) for name in COLUMNS))
        kept: Any = await tx.fetchval(Q.select_json, row_id)
    return orjson.loads(kept)


async def delete(tx: Tx, environment: str, price_id: str | None) -> bool:
    """False when there was no row."""
    with translated():
        return await tx.fetchval(Q.delete, environment, price_id) is not None


async def sold_prices(db: Database, price_ids: Sequence[str]) -> list[SoldPrice]:
    """What the mirror knows of these prices, in both environments."""
    with translated():
        rows = await db.fetch(Q.sold_prices, list(price_ids))
    return [SoldPrice(r["environment"], r["price_id"], r["type"] == "recurring", r["active"]) for r in rows]
