"""Prices: create (with the product inline, too), retrieve, update, list."""

from typing import Any

import orjson

from paygres.sandbox import ids
from paygres.sandbox.objects import fields, products
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, bad_parameter, missing_parameter
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

LONGEST_INTERVALS = {"day": 1095, "week": 156, "month": 36, "year": 3}


def create(work: Work, params: Params) -> Object:
    if "product" in params:
        work.find_living("product", params["product"], "product")
    elif "product_data" in params:
        product = products.create(work, params["product_data"])
        params = {**params, "product": product["id"]}
    else:
        raise Refusal("You must provide either `product` or `product_data`.", code="parameter_missing", param="product")
    return make(work, params, "")


def make(work: Work, params: Params, place: str, *, active: bool | None = None, announced: bool = True) -> Object:
    """A price from its own parameters or from `price_data`; `place` is the parameter they came in ("" for none).
    `announced`: inline prices of a checkout session send no price.created."""

    def inside(name: str) -> str:
        return f"{place}[{name}]" if place else name

    amount: int | None = None
    decimal: str | None = None
    if "unit_amount" in params:
        amount = fields.amount(params["unit_amount"], inside("unit_amount"))
        decimal = str(amount)
    elif "unit_amount_decimal" in params:
        sent: str = params["unit_amount_decimal"]
        if sent.startswith("-"):
            raise bad_parameter("Invalid non-negative decimal", inside("unit_amount_decimal"))
        decimal, amount = sent, None if float(sent) % 1 else int(float(sent))
    elif "custom_unit_amount" not in params and params.get("billing_scheme") != "tiered":
        raise missing_parameter(inside("unit_amount"))
    recurring = params.get("recurring")
    price: Object = {
        "id": params.get("id") or ids.new("price"),  # only a seed file may choose it
        "object": "price",
        "active": params.get("active", True) if active is None else active,
        "billing_scheme": params.get("billing_scheme", "per_unit"),
        "created": work.now,
        "currency": fields.currency(params["currency"], inside("currency")),
        "custom_unit_amount": _custom(params.get("custom_unit_amount")),
        "livemode": False,
        "lookup_key": _lookup_key(work, None, params) if "lookup_key" in params else None,
        "metadata": metadata.from_params(params, inside("metadata")),
        "nickname": params.get("nickname"),
        "product": params["product"],
        "recurring": _recurring(recurring, inside("recurring")) if recurring else None,
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tiers_mode": params.get("tiers_mode"),
        "transform_quantity": params.get("transform_quantity"),
        "type": "recurring" if recurring else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": decimal,
    }
    work.add(price)
    if announced:
        work.emit("price.created", price)
    return price


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("price", id, "price", in_path=True)


def update(work: Work, params: Params, id: str) -> Object:
    price = work.find("price", id, "price", in_path=True)
    changes = fields.given(params, ("active", "nickname", "tax_behavior"))
    changes["metadata"] = metadata.merged(price["metadata"], params.get("metadata"))
    if "lookup_key" in params:
        changes["lookup_key"] = _lookup_key(work, id, params)
    return work.update_and_emit(price, "price.updated", **changes)


def list_all(work: Work, params: Params) -> Page:
    recurring = params.get("recurring", {})
    links = {
        "active": params.get("active"),
        "currency": params.get("currency"),
        "lookup_key": params.get("lookup_keys"),
        "product": params.get("product"),
        "type": params.get("type"),
        "recurring.interval": recurring.get("interval"),
        "recurring.usage_type": recurring.get("usage_type"),
    }
    return answer_list(work, "price", params, "/v1/prices", links=links)


def _recurring(recurring: Params, param: str) -> Object:
    interval, count = recurring["interval"], recurring.get("interval_count", 1)
    if count < 1:
        raise bad_parameter(
            "This value must be greater than or equal to 1.", f"{param}[interval_count]", "parameter_invalid_integer"
        )
    if count > LONGEST_INTERVALS[interval]:
        raise Refusal("The maximum interval is 3 years.", param=f"{param}[interval_count]")
    return {
        "interval": interval,
        "interval_count": count,
        "meter": recurring.get("meter"),
        "usage_type": recurring.get("usage_type", "licensed"),
    }


def _custom(custom: Any) -> Object | None:
    if not custom or not custom.get("enabled"):
        return None
    return {name: custom.get(name) for name in ("maximum", "minimum", "preset")}


def _lookup_key(work: Work, id: str | None, params: Params) -> str | None:
    """The lookup key for the price `id`; another active price's key is taken only with `transfer_lookup_key`."""
    key = params["lookup_key"] or None
    holders = work.store.page(work.account, "price", links={"lookup_key": key}, limit=1) if key else []
    if holders:
        holder = orjson.loads(holders[0])
        if holder["id"] != id:
            if not params.get("transfer_lookup_key"):
                raise Refusal(f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key")
            work.update_and_emit(holder, "price.updated", lookup_key=None)
    return key


ROUTES: Routes = {
    "POST /v1/prices": create,
    "GET /v1/prices/{price}": retrieve,
    "POST /v1/prices/{price}": update,
    "GET /v1/prices": list_all,
}
