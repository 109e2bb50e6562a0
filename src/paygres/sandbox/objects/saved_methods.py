"""Payment methods that customers keep: attach, update, detach, and the customer's list; and the rules by which a
payment may use one."""

from typing import Any

from paygres.sandbox.objects import fields, payment_methods
from paygres.sandbox.objects.payment_methods import check_saving, find
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, no_such
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

USED = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a "
    "connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use "
    "a PaymentMethod multiple times, you must attach it to a Customer first."
)


def told(work: Work, params: Params) -> Object | None:
    """The payment method that a request about an intent names or describes."""
    if "payment_method_data" in params:
        return payment_methods.from_params(work, params["payment_method_data"], "payment_method_data")
    return find(work, params["payment_method"], "payment_method") if params.get("payment_method") else None


def attach(work: Work, params: Params, id: str) -> Object:
    if "customer" not in params:
        raise Refusal("Missing required param: customer.", code="parameter_missing", param="customer", stored=False)
    customer = work.find_living("customer", params["customer"], "customer")
    payment_method = find(work, id, "payment_method", in_path=True)
    if payment_method["customer"] not in (None, customer["id"]):
        raise Refusal("The payment method you provided has already been attached to a customer.")
    if payment_method["customer"] is None:
        check_use(work, payment_method)
    if payment_method["type"] == "card":
        check_saving(payment_methods.card_behind(work, payment_method))
    payment_methods.attach(work, payment_method, customer["id"])
    return payment_method


def detach(work: Work, params: Params, id: str) -> Object:
    """For good: it cannot be used again. The customer's default goes with it."""
    payment_method = work.find("payment_method", id, "payment_method", in_path=True)
    owner = payment_method["customer"]
    if owner is None:
        raise Refusal("The payment method you provided is not attached to a customer so detachment is impossible.")
    payment_methods.remember(work, payment_method, used=True)
    work.update_and_emit(payment_method, "payment_method.detached", customer=None)
    customer = work.get(owner)
    if customer is not None and not customer.get("deleted"):
        settings = customer["invoice_settings"]
        if settings["default_payment_method"] == id:
            changed = {**settings, "default_payment_method": None}
            work.update_and_emit(customer, "customer.updated", invoice_settings=changed)
    return payment_method


def update(work: Work, params: Params, id: str) -> Object:
    payment_method = work.find("payment_method", id, "payment_method", in_path=True)
    if payment_method["customer"] is None:
        raise Refusal("You must save this PaymentMethod to a customer before you can update it.")
    changes = fields.given(params, ("allow_redisplay",))
    changes["metadata"] = metadata.merged(payment_method["metadata"], params.get("metadata"))
    if "billing_details" in params:
        told: Params = params["billing_details"]
        present = payment_method["billing_details"]
        changes["billing_details"] = {**present, **fields.given(told, ("email", "name", "phone"))}
        if "address" in told:
            changes["billing_details"]["address"] = fields.address(told["address"] or {})
    kind: str = payment_method["type"]
    given: Params = params.get(kind, {})
    if kind == "card" and given:
        expiry = {name: given[name] for name in ("exp_month", "exp_year") if name in given}
        changes["card"] = {**payment_method["card"], **expiry}
    elif kind == "us_bank_account" and given:
        names = ("account_holder_type", "account_type")
        changes[kind] = {**payment_method[kind], **fields.given(given, names)}
    return work.update_and_emit(payment_method, "payment_method.updated", **changes)


def list_of_customer(work: Work, params: Params, customer: str) -> Page:
    work.find_living("customer", customer, "customer", in_path=True)
    links = {"customer": customer, "type": params.get("type"), "allow_redisplay": params.get("allow_redisplay")}
    return answer_list(work, "payment_method", params, f"/v1/customers/{customer}/payment_methods", links=links)


def retrieve_of_customer(work: Work, params: Params, customer: str, id: str) -> Object:
    found = work.find("payment_method", id, "payment_method", in_path=True)
    if found["customer"] != customer:
        raise no_such("PaymentMethod", id, "payment_method", status=404)
    return found


def check_use(work: Work, payment_method: Object) -> None:
    """Raises `Refusal` when nobody's payment method was used, or was detached, before."""
    if payment_method["customer"] is None and work.hidden(payment_method["id"]).get("used"):
        raise Refusal(USED)


def check_owner(payment_method: Object, customer: str | None, noun: str, **shown: Any) -> None:
    """Raises `Refusal` when the payment method is another customer's than the intent's. `noun`: the intent's, as
    texts write it; `shown`: the intent, as the error shows it."""
    owner = payment_method["customer"]
    if owner is None or owner == customer:
        return
    id = payment_method["id"]
    if customer is not None:
        raise Refusal(
            f"The PaymentMethod {id} does not belong to the Customer you supplied {customer}. Please use this "
            f"PaymentMethod with the Customer that it belongs to instead.",
            param="payment_method",
            **shown,
        )
    include = f"belongs to the Customer {owner}. Please include the Customer in the `customer` parameter on the {noun}."
    if noun == "PaymentIntent":
        told = f"The `payment_method` parameter supplied {id} {include}"
        raise Refusal(told, code="parameter_missing", param="source", **shown)
    raise Refusal(f"The payment method supplied ({id}) {include}", param="payment_method", **shown)


def keep(work: Work, payment_method: Object, customer: str | None, *, saves: bool) -> None:
    """After a payment: set up for those to come, where the customer wants that, else used up."""
    if saves and customer is not None:
        payment_methods.remember(work, payment_method, set_up=True)
    elif payment_method["customer"] is None:
        payment_methods.remember(work, payment_method, used=True)


def attach_kept(work: Work, payment_method: Object, intent: Object) -> None:
    """Saved for the intent's customer, when it says so; Stripe tells of it right after the charge."""
    if intent["setup_future_usage"] is not None and intent["customer"] and payment_method["customer"] is None:
        payment_methods.attach(work, payment_method, intent["customer"])


ROUTES: Routes = {
    "POST /v1/payment_methods/{payment_method}/attach": attach,
    "POST /v1/payment_methods/{payment_method}/detach": detach,
    "POST /v1/payment_methods/{payment_method}": update,
    "GET /v1/customers/{customer}/payment_methods": list_of_customer,
    "GET /v1/customers/{customer}/payment_methods/{payment_method}": retrieve_of_customer,
}
