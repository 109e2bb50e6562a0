"""Create, update and delete products at Stripe for an operator; no lock is held and no sync is waited for."""

from typing import Any

from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.read_catalog import product_of
from paygres.server.flows.requests.catalog import CreateProductRequest, UpdateProductRequest
from paygres.server.flows.write_object import Write, write_object
from paygres.server.stripe_gateway.paths import path_of

_PRODUCTS = "/v1/products"


async def create_product(
    parts: Parts, environment: str, request: CreateProductRequest, operator: Operator
) -> dict[str, Any]:
    """The contract's product, as Stripe answered. The same idempotency key makes one product, with Stripe's memory.

    Raises NotConfigured, and what Stripe's refusal becomes (contract 1.7).
    """
    params = request.model_dump(include={"name", "description", "active", "metadata"}, exclude_none=True)
    key = request.idempotency_key
    write = Write(
        "product",
        None,
        "post",
        _PRODUCTS,
        params,
        idempotency_key=f"insforge:{environment}:product:{key}" if key is not None else None,
    )
    return product_of(environment, await write_object(parts, environment, write, operator, "product.create"))


async def update_product(
    parts: Parts, environment: str, product_id: str, request: UpdateProductRequest, operator: Operator
) -> dict[str, Any]:
    """The contract's product, as Stripe answered; raises as create_product does (404 when Stripe has no such one)."""
    params = request.model_dump(exclude_unset=True)
    if params.get("description", "") is None:
        params["description"] = ""
    write = Write("product", product_id, "post", _path(product_id), params)
    return product_of(environment, await write_object(parts, environment, write, operator, "product.update"))


async def delete_product(parts: Parts, environment: str, product_id: str, operator: Operator) -> dict[str, Any]:
    """`{productId, deleted}`. Stripe refuses a product that has prices; it can be made inactive instead."""
    write = Write("product", product_id, "delete", _path(product_id), {})
    answer = await write_object(parts, environment, write, operator, "product.delete")
    return {"productId": str(answer["id"]), "deleted": answer.get("deleted") is True}


def _path(product_id: str) -> str:
    return path_of(_PRODUCTS, product_id)
