"""Customers: create, retrieve, update, delete, list (by email)."""

from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.clock import TEST_CLOCK
from paygres.sandbox.objects import (
    customer_balance_transactions,
    fields,
    payment_methods,
    subscription_ends,
    subscription_terms,
)
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal
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
    if "test_clock" in params:
        work.enter_time(work.find_living(TEST_CLOCK, params["test_clock"], "test_clock"))
    changes = _changes(work, None, params)
    method = _method(work, params)
    made = make(work, announced=False, **changes, metadata=metadata.from_params(params), test_clock=work.clock)
    if method is not None:
        settings = made["invoice_settings"]
        if settings.get("default_payment_method") == params["payment_method"]:
            settings = {**settings, "default_payment_method": method["id"]}
        # The customer is created with what it brings along.
        work.change(made, invoice_settings=settings)
        work.change(method, customer=made["id"])
    work.emit("customer.created", made)
    if method is not None:
        work.emit("payment_method.attached", method)
    if made["balance"]:
        balance = made["balance"]
        work.change(made, balance=0)
        customer_balance_transactions.move(work, made, balance, "initial")
    return made


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
    changes = _changes(work, id, params)
    moved = changes.pop("balance", customer["balance"]) - customer["balance"]
    if moved:
        customer_balance_transactions.move(work, customer, moved, "adjustment")
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
    links = {"email": params.get("email"), "test_clock": params.get("test_clock")}
    conditions = [] if "test_clock" in params else fields.outside_test_clocks(work, "customer")
    return answer_list(work, "customer", params, "/v1/customers", links=links, conditions=conditions)


def _method(work: Work, params: Params) -> Object | None:
    """The payment method that a new customer brings along."""
    if "payment_method" not in params:
        return None
    method = payment_methods.find(work, params["payment_method"], "payment_method")
    if method["customer"] is not None:
        raise Refusal("The payment method you provided has already been attached to a customer.")
    if method["type"] == "card":
        payment_methods.check_saving(payment_methods.card_behind(work, method))
    return method


def _changes(work: Work, customer: str | None, params: Params) -> dict[str, Any]:
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
        named = changes["invoice_settings"].get("default_payment_method")
        if named and not (customer is None and named == params.get("payment_method")):
            owner = (work.get(named) or {}).get("customer")
            if customer is None or owner != customer:
                raise Refusal(
                    f"The customer does not have a payment method with the ID {named}. The payment method must be "
                    f"attached to the customer.",
                    code="resource_missing",
                    param="invoice_settings[default_payment_method]",
                )
    return changes


ROUTES: Routes = {
    "POST /v1/customers": create,
    "GET /v1/customers/{customer}": retrieve,
    "POST /v1/customers/{customer}": update,
    "DELETE /v1/customers/{customer}": delete,
    "GET /v1/customers": list_all,
}
