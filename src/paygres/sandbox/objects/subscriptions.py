"""Subscriptions: create, retrieve, update, cancel, resume, list. How they begin, change and end has its own rooms;
renewals happen by themselves (renewals.py)."""

from typing import Any

from paygres.sandbox.objects import (
    fields,
    payment_methods,
    sold_items,
    subscription_changes,
    subscription_discounts,
    subscription_ends,
    subscription_pauses,
    subscription_pending,
    subscription_requests,
    subscription_terms,
    subscription_trials,
)
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.objects.subscription_terms import ENDED
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, bad_parameter, missing_parameter, no_such
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

# Parameters that would change amounts or dates in ways that nothing here follows.
UNSIMULATED = (
    "application_fee_percent",
    "backdate_start_date",
    "billing_cycle_anchor_config",
    "billing_schedules",
    "billing_thresholds",
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
    _refuse_unsimulated(params)
    customer = work.find_living("customer", params["customer"], "customer")
    planned = sold_items.plan(work, [], params["items"])
    _match_currency(customer, planned[0].price, params)
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior == "pending_if_incomplete":
        raise Refusal("`pending_if_incomplete` cannot be used when creating a Subscription.", param="payment_behavior")
    fields = {**_fields(work, customer["id"], params), "metadata": metadata.from_params(params), **_mode(params)}
    terms = subscription_requests.read_terms(work, customer, planned, params)
    made = subscription_requests.start(
        work,
        customer,
        planned,
        terms,
        behavior=behavior,
        off_session=params.get("off_session", False),
        fields=fields,
    )
    subscription_pauses.schedule_resumption(work, made)
    return made


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("subscription", id, "id", in_path=True)


def update(work: Work, params: Params, id: str) -> Object:
    subscription = work.find("subscription", id, "id", in_path=True)
    _refuse_unsimulated(params, "add_invoice_items")
    if subscription["status"] in ENDED and params.keys() - OF_ENDED:
        raise Refusal("A canceled subscription can only update its cancellation_details and metadata.")
    change = subscription_changes.read(work, subscription, params)
    changes = _fields(work, subscription["customer"], params)
    for name in ("payment_settings", "trial_settings"):
        if name in changes:
            changes[name] = _merged(subscription[name], changes[name])
    changes["metadata"] = metadata.merged(subscription["metadata"], params.get("metadata"))
    changes |= subscription_terms.ending(work, subscription, params)
    added, gone = _discounts(work, subscription, params)
    if added or gone or "discounts" in params:
        kept = [id for id in subscription["discounts"] if id not in subscription_discounts.ids_of(gone)]
        changes["discounts"] = [*kept, *subscription_discounts.ids_of(added)]
    subscription_discounts.announce_end(work, gone)
    subscription_discounts.announce(work, added)
    ends_trial = subscription["status"] == "trialing" and params.get("trial_end") == "now"
    if ends_trial and subscription_trials.stop(work, subscription, automatic=False, **changes, trial_end=work.now):
        return subscription
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior == "pending_if_incomplete":
        return subscription_pending.update(work, subscription, change, changes, params)
    changed = subscription_changes.apply(work, subscription, change, changes, payment_behavior=behavior)
    if "pause_collection" in params:
        subscription_pauses.schedule_resumption(work, changed)
    return changed


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
    links["test_clock"] = params.get("test_clock")
    if "test_clock" not in params and "customer" not in params:
        conditions += fields.outside_test_clocks(work, "subscription")
    return answer_list(work, "subscription", params, "/v1/subscriptions", links=links, conditions=conditions)


OF_STATUS = "SELECT seq FROM links WHERE name = 'subscription.status' AND value = ?"


def include_subscriptions(work: Work, customer: Object) -> Object:
    """What `expand[]=subscriptions` adds to a customer."""
    return list_all(work, {"customer": customer["id"]}).as_object(f"/v1/customers/{customer['id']}/subscriptions")


def _discounts(work: Work, subscription: Object, params: Params) -> tuple[list[Object], list[Object]]:
    """(the discounts that a change gives, those that it takes). What it does not name is taken."""
    if "discounts" not in params:
        return [], []
    present: list[str] = subscription["discounts"]
    wanted = subscription_discounts.read(
        work,
        params["discounts"] or (),
        customer=subscription["customer"],
        currency=subscription["currency"],
        subtotal=sum(sold_items.cost(one["price"], one.get("quantity")) for one in subscription["items"]["data"]),
        present=present,
    )
    kept = [one.present for one in wanted if one.present]
    gone = [work.find("discount", id, "discount") for id in present if id not in kept]
    added = [one for one in wanted if not one.present]
    made = subscription_discounts.made(work, added, customer=subscription["customer"], subscription=subscription["id"])
    return made, gone


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
        if paused and paused.get("resumes_at", work.now + 1) <= work.now:
            raise bad_parameter(
                "Invalid timestamp: must be an integer Unix timestamp in the future.", "pause_collection[resumes_at]"
            )
        changes["pause_collection"] = paused and {
            "behavior": paused["behavior"],
            "resumes_at": paused.get("resumes_at"),
        }
        changes["pause_collection"] = changes["pause_collection"] or None
    for name in ("payment_settings", "trial_settings"):
        if name in params:
            changes[name] = _merged(None, params[name])
    return changes


def _merged(known: Object | None, given: dict[str, Any]) -> Object:
    """Settings within settings: what is not named stays, what is empty goes."""
    told = dict(known or {})
    for name, value in given.items():
        told[name] = _merged(told.get(name), value) if isinstance(value, dict) else None if value == "" else value
    return told


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
