"""Subscriptions: create, retrieve, update, cancel, resume, list. How they begin, change and end has its own rooms;
renewals happen by themselves (renewals.py)."""

from typing import Any

from paygres.sandbox.objects import (
    fields,
    payment_methods,
    sold_items,
    subscription_changes,
    subscription_ends,
    subscription_pauses,
    subscription_requests,
    subscription_terms,
)
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.objects.subscription_terms import ENDED
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, missing_parameter, no_such
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

# Parameters that would change amounts or dates in ways that nothing here follows.
UNSIMULATED = (
    "add_invoice_items",
    "application_fee_percent",
    "backdate_start_date",
    "billing_cycle_anchor_config",
    "billing_schedules",
    "billing_thresholds",
    "discounts",
    "on_behalf_of",
    "pending_invoice_item_interval",
    "transfer_data",
)
PLAIN = ("collection_method", "days_until_due", "default_payment_method", "description")
OF_ENDED = frozenset(("cancellation_details", "metadata"))


def create(work: Work, params: Params) -> Object:
    if "customer" not in params:
        raise missing_parameter("customer")
    if "items" not in params:
        raise missing_parameter("items")
    _refuse_unsimulated(params, "billing_cycle_anchor")
    customer = work.find_living("customer", params["customer"], "customer")
    planned = sold_items.plan(work, [], params["items"])
    _match_currency(customer, planned[0].price, params)
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior == "pending_if_incomplete":
        raise Refusal("`pending_if_incomplete` cannot be used when creating a Subscription.", param="payment_behavior")
    return subscription_requests.start(
        work,
        customer,
        planned,
        trial_end=subscription_terms.read_trial_end(work, params),
        behavior=behavior,
        ending=params,
        off_session=params.get("off_session", False),
        fields={**_fields(work, customer["id"], params), "metadata": metadata.from_params(params), **_mode(params)},
    )


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("subscription", id, "id", in_path=True)


def update(work: Work, params: Params, id: str) -> Object:
    subscription = work.find("subscription", id, "id", in_path=True)
    _refuse_unsimulated(params)
    if subscription["status"] in ENDED and params.keys() - OF_ENDED:
        raise Refusal("A canceled subscription can only update its cancellation_details and metadata.")
    change = subscription_changes.read(work, subscription, params)
    changes = _fields(work, subscription["customer"], params)
    for name in ("payment_settings", "trial_settings"):
        if name in changes:
            changes[name] = {**(subscription[name] or {}), **changes[name]}
    changes["metadata"] = metadata.merged(subscription["metadata"], params.get("metadata"))
    changes |= subscription_terms.ending(work, subscription, params)
    behavior = params.get("payment_behavior", "allow_incomplete")
    return subscription_changes.apply(work, subscription, change, changes, payment_behavior=behavior)


def cancel(work: Work, params: Params, id: str) -> Object:
    subscription = work.find("subscription", id, "id", in_path=True)
    if subscription["status"] in ENDED:
        raise no_such("subscription", id, "id", status=404)
    return subscription_ends.end(
        work,
        subscription,
        told=params.get("cancellation_details"),
        prorates=params.get("prorate", False),
        invoices_now=params.get("invoice_now", False),
    )


def resume(work: Work, params: Params, id: str) -> Object:
    subscription = work.find("subscription", id, "id", in_path=True)
    if subscription["status"] != "paused":
        raise Refusal("You can only resume subscriptions with a status of `paused`.")
    anew = params.get("billing_cycle_anchor", "now") == "now"
    return subscription_pauses.resume(work, subscription, begins_anew=anew)


def list_all(work: Work, params: Params) -> Page:
    links = {"customer": params.get("customer"), "collection_method": params.get("collection_method")}
    links["items.data.*.price.id"] = params.get("price")
    conditions: list[tuple[str, object]] = []
    status = params.get("status")
    if status == "ended":
        links["status"] = list(ENDED)
    elif status is None:
        conditions.append((f"seq NOT IN ({OF_STATUS})", "canceled"))
    elif status != "all":
        links["status"] = status
    return answer_list(work, "subscription", params, "/v1/subscriptions", links=links, conditions=conditions)


OF_STATUS = "SELECT seq FROM links WHERE name = 'subscription.status' AND value = ?"


def include_subscriptions(work: Work, customer: Object) -> Object:
    """What `expand[]=subscriptions` adds to a customer."""
    return list_all(work, {"customer": customer["id"]}).as_object(f"/v1/customers/{customer['id']}/subscriptions")


def _fields(work: Work, customer: str, params: Params) -> dict[str, Any]:
    """The fields that the parameters set as they are."""
    changes = fields.given(params, PLAIN)
    if changes.get("default_payment_method"):
        method = payment_methods.find(work, changes["default_payment_method"], "default_payment_method")
        if method["customer"] != customer:
            raise Refusal(
                f"The customer does not have a payment method with the ID {method['id']}. The payment method must be "
                f"attached to the customer.",
                code="resource_missing",
                param="default_payment_method",
            )
    if changes.get("collection_method") == "send_invoice" and not changes.get("days_until_due"):
        raise Refusal(
            "If collection_method is set to send_invoice, then days_until_due must be set.", param="days_until_due"
        )
    if "pause_collection" in params:
        paused = params["pause_collection"]
        changes["pause_collection"] = paused and {
            "behavior": paused["behavior"],
            "resumes_at": paused.get("resumes_at"),
        }
        changes["pause_collection"] = changes["pause_collection"] or None
    for name in ("payment_settings", "trial_settings"):
        if name in params:
            changes[name] = params[name]
    return changes


def _mode(params: Params) -> dict[str, Any]:
    given = params.get("billing_mode")
    if not given or given["type"] == "flexible":
        return {}
    return {"billing_mode": {"type": "classic"}}


def _match_currency(customer: Object, price: Object | None, params: Params) -> None:
    assert price is not None
    asked = params.get("currency", price["currency"]).lower()
    if asked != price["currency"]:
        raise Refusal(
            f"The price specified only supports `{price['currency']}`. This doesn't match the expected currency: "
            f"`{asked}`.",
            param="items[0][price]",
        )
    if customer["currency"] not in (None, asked):
        raise Refusal(
            f"You cannot combine currencies on a single customer. This customer has an active subscription, "
            f"subscription schedule, discount, quote, or invoice item with currency {customer['currency']}."
        )


def _refuse_unsimulated(params: Params, *more: str) -> None:
    for name in (*UNSIMULATED, *more):
        if params.get(name):
            raise Refusal(f"The sandbox does not simulate `{name}` of Subscriptions.", param=name)


ROUTES: Routes = {
    "POST /v1/subscriptions": create,
    "GET /v1/subscriptions": list_all,
    "GET /v1/subscriptions/{subscription_exposed_id}": retrieve,
    "POST /v1/subscriptions/{subscription_exposed_id}": update,
    "DELETE /v1/subscriptions/{subscription_exposed_id}": cancel,
    "POST /v1/subscriptions/{subscription}/resume": resume,
}
