"""Products: create, retrieve, update, list, delete."""

from paygres.sandbox import ids
from paygres.sandbox.objects import prices
from paygres.sandbox.objects.fields import given
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

PLAIN = [
    "active",
    "description",
    "images",
    "marketing_features",
    "name",
    "package_dimensions",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "unit_label",
    "url",
]
LISTS = ("images", "marketing_features")


def create(work: Work, params: Params) -> Object:
    return make(work, params)


def make(work: Work, params: Params, *, announced: bool = True) -> Object:
    """A new product. `announced`: inline products of a checkout session send no product.created."""
    id = params.get("id") or ids.new("product")
    if work.get(id) is not None:
        raise Refusal("Product already exists.", code="resource_already_exists", param="id")
    product = work.add(
        {
            "id": id,
            "object": "product",
            "active": True,
            "created": work.now,
            "images": [],
            "livemode": False,
            "marketing_features": [],
            "updated": work.now,
            **_plain(params),
            "metadata": metadata.from_params(params),
        }
    )
    if announced:
        work.emit("product.created", product)
    if "default_price_data" in params:
        price = prices.make(work, {**params["default_price_data"], "product": id}, "default_price_data")
        work.change(product, default_price=price["id"])
    return product


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find_living("product", id, "id", in_path=True)


def update(work: Work, params: Params, id: str) -> Object:
    product = work.find_living("product", id, "id", in_path=True)
    fields = _plain(params)
    if "default_price" in params:
        price = work.find("price", params["default_price"], "default_price")
        if price["product"] != id:
            raise Refusal(f"The price {price['id']} does not belong to the product {id}.", param="default_price")
        fields["default_price"] = price["id"]
    fields["metadata"] = metadata.merged(product["metadata"], params.get("metadata"))
    if any(product[name] != value for name, value in fields.items()):
        work.update_and_emit(product, "product.updated", **fields, updated=work.now)
    return product


def list_all(work: Work, params: Params) -> Page:
    conditions: list[tuple[str, object]] = []
    if "ids" in params:
        conditions.append(("id IN (SELECT value FROM json_each(?))", _json(params["ids"])))
    links = {"active": params.get("active"), "url": params.get("url")}
    return answer_list(work, "product", params, "/v1/products", links=links, conditions=conditions)


def delete(work: Work, params: Params, id: str) -> Object:
    product = work.find_living("product", id, "id", in_path=True)
    if work.store.page(work.account, "price", links={"product": id}, limit=1):
        raise Refusal("This product cannot be deleted because it has one or more user-created prices.")
    tombstone = work.bury(product)
    work.emit("product.deleted", product)
    return tombstone


def _plain(params: Params) -> Object:
    fields = given(params, PLAIN)
    for name in LISTS:
        if name in fields and fields[name] is None:
            fields[name] = []
    return fields


def _json(values: list[str]) -> str:
    return "[" + ",".join(f'"{value}"' for value in values if value.isascii() and '"' not in value) + "]"


ROUTES: Routes = {
    "POST /v1/products": create,
    "GET /v1/products/{id}": retrieve,
    "POST /v1/products/{id}": update,
    "GET /v1/products": list_all,
    "DELETE /v1/products/{id}": delete,
}
