"""Customers: create, retrieve, update, delete, list (by email)."""

from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import fields, subscription_ends, subscription_terms
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

PLAIN = [
    "balance",
    "description",
    "invoice_prefix",
    "name",
    "next_invoice_sequence",
    "phone",
    "preferred_locales",
    "tax_exempt",
]


def create(work: Work, params: Params) -> Object:
    return make(work, **_changes(params), metadata=metadata.from_params(params))


def make(work: Work, *, announced: bool = True, **given: Any) -> Object:
    """A new customer with the given fields. `announced`: send customer.created now."""
    customer = work.add(
        {
            "id": ids.new("customer"),
            "object": "customer",
            "balance": 0,
            "created": work.now,
            "delinquent": False,
            "invoice_prefix": ids.letters(8).upper(),
            "invoice_settings": {},
            "livemode": False,
            "metadata": {},
            "next_invoice_sequence": 1,
            "preferred_locales": [],
            "tax_exempt": "none",
            **{name: value for name, value in given.items() if value is not None},
        }
    )
    if announced:
        work.emit("customer.created", customer)
    return customer


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("customer", id, "id", in_path=True)


def update(work: Work, params: Params, id: str) -> Object:
    customer = work.find_living("customer", id, "id", in_path=True)
    changes = _changes(params)
    if "invoice_settings" in changes:
        changes["invoice_settings"] = {**customer["invoice_settings"], **changes["invoice_settings"]}
    changes["metadata"] = metadata.merged(customer["metadata"], params.get("metadata"))
    return work.update_and_emit(customer, "customer.updated", **changes)


def delete(work: Work, params: Params, id: str) -> Object:
    customer = work.find_living("customer", id, "id", in_path=True)
    for subscription in subscription_terms.living_of(work, id):
        subscription_ends.end(work, subscription)
    tombstone = work.bury(customer)
    work.emit("customer.deleted", customer)
    return tombstone


def list_all(work: Work, params: Params) -> Page:
    return answer_list(work, "customer", params, "/v1/customers", links={"email": params.get("email")})


def _changes(params: Params) -> dict[str, Any]:
    changes = fields.given(params, PLAIN)
    if changes.get("preferred_locales", ()) is None:
        changes["preferred_locales"] = []
    if "email" in params:
        changes["email"] = fields.email(params["email"], "email") if params["email"] else None
    if "address" in params:
        changes["address"] = fields.address(params["address"]) if params["address"] else None
    if "shipping" in params:
        shipping = params["shipping"]
        changes["shipping"] = (shipping and {**shipping, "address": fields.address(shipping["address"])}) or None
    settings = params.get("invoice_settings")
    if settings:
        names = ("custom_fields", "default_payment_method", "footer", "rendering_options")
        changes["invoice_settings"] = fields.given(settings, names)
    return changes


ROUTES: Routes = {
    "POST /v1/customers": create,
    "GET /v1/customers/{customer}": retrieve,
    "POST /v1/customers/{customer}": update,
    "DELETE /v1/customers/{customer}": delete,
    "GET /v1/customers": list_all,
}
