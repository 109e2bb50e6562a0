"""Create, update and archive prices at Stripe for an operator; no lock is held and no sync is waited for."""

from typing import Any

from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.read_catalog import price_of
from paygres.server.flows.requests.catalog import CreatePriceRequest, UpdatePriceRequest
from paygres.server.flows.write_object import Write, write_object
from paygres.server.stripe_gateway.paths import path_of

_PRICES = "/v1/prices"


async def create_price(
    parts: Parts, environment: str, request: CreatePriceRequest, operator: Operator
) -> dict[str, Any]:
    """The contract's price, as Stripe answered. The same idempotency key makes one price, with Stripe's memory.

    Raises NotConfigured, and what Stripe's refusal becomes (contract 1.7).
    """
    params = request.model_dump(exclude={"product_id", "idempotency_key"}, exclude_none=True)
    key = request.idempotency_key
    write = Write(
        "price",
        None,
        "post",
        _PRICES,
        {"product": request.product_id, **params},
        idempotency_key=f"insforge:{environment}:price:{key}" if key is not None else None,
    )
    return price_of(environment, await write_object(parts, environment, write, operator, "price.create"))


async def update_price(
    parts: Parts, environment: str, price_id: str, request: UpdatePriceRequest, operator: Operator
) -> dict[str, Any]:
    """The contract's price, as Stripe answered; raises as create_price does (404 when Stripe has no such one)."""
    params = request.model_dump(exclude_unset=True)
    if params.get("lookup_key", "") is None:
        params["lookup_key"] = ""
    write = Write("price", price_id, "post", _path(price_id), params)
    return price_of(environment, await write_object(parts, environment, write, operator, "price.update"))


async def archive_price(parts: Parts, environment: str, price_id: str, operator: Operator) -> dict[str, Any]:
    """`{price, archived}`: Stripe deletes no prices, an archived one cannot be sold any more."""
    write = Write("price", price_id, "post", _path(price_id), {"active": False})
    price = price_of(environment, await write_object(parts, environment, write, operator, "price.archive"))
    return {"price": price, "archived": not price["active"]}


def _path(price_id: str) -> str:
    return path_of(_PRICES, price_id)
