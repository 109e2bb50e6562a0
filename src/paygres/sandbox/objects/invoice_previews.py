"""`POST /v1/invoices/create_preview`: the next invoice of a subscription as it is, or as a change would make it; or the
first of a new one. Nothing is stored."""

from collections.abc import Sequence

from paygres.sandbox import ids
from paygres.sandbox.objects import (
    invoice_items,
    invoice_lines,
    invoice_papers,
    periods,
    prorations,
    sold_items,
    subscription_changes,
    subscription_discounts,
    subscription_terms,
)
from paygres.sandbox.objects.discount_amounts import Reduction
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.objects.sold_items import Planned
from paygres.sandbox.spec.complete import Object, complete
from paygres.sandbox.wire.errors import Refusal, missing_parameter
from paygres.sandbox.world import Work

PLACE = "subscription_details"


def create_preview(work: Work, params: Params) -> Object:
    for name in ("invoice_items", "schedule", "schedule_details"):
        if params.get(name):
            raise Refusal(f"The sandbox does not simulate `{name}` of previews.", param=name)
    given: Params = params.get(PLACE, {})
    if "subscription" in params:
        subscription = work.find("subscription", params["subscription"], "subscription")
        if params.get("customer", subscription["customer"]) != subscription["customer"]:
            raise Refusal(
                f"The subscription {subscription['id']} does not belong to the customer {params['customer']}.",
                param="subscription",
            )
        return _of_subscription(work, subscription, given, _discounts(work, params, subscription))
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = work.find_living("customer", params["customer"], "customer")
    if given.get("items"):
        return _of_new(work, customer, given, params)
    found = _next_of_customer(work, customer["id"])
    if found is None:
        raise _none_upcoming(customer["id"])
    return _of_subscription(work, found, {}, _discounts(work, params, found))


def _discounts(work: Work, params: Params, subscription: Object) -> Sequence[Reduction] | None:
    """What the preview is to take off, None for what the subscription's own discounts do."""
    if "discounts" not in params:
        return None
    wanted = subscription_discounts.read(
        work,
        params["discounts"] or (),
        customer=subscription["customer"],
        currency=subscription["currency"],
        subtotal=sum(sold_items.cost(one["price"], one.get("quantity")) for one in subscription["items"]["data"]),
        present=subscription.get("discounts") or (),
    )
    return subscription_discounts.as_reductions(work, wanted)


def _of_subscription(work: Work, subscription: Object, given: Params, reductions: Sequence[Reduction] | None) -> Object:
    if subscription["status"] in (*subscription_terms.ENDED, "paused"):
        raise _none_upcoming(subscription["customer"])
    id = f"upcoming_{ids.new('invoice')}"
    pending = invoice_items.pending(work, subscription["customer"], subscription["id"])
    lines = [invoice_lines.of_invoice_item(id, one) for one in pending]
    if given.get("cancel_now"):
        found: list[prorations.Proration] = []
        if given.get("proration_behavior", "create_prorations") != "none":
            at = given.get("proration_date", work.now)
            share = subscription_discounts.share_of(work, subscription)
            found = prorations.of_end(work, subscription["items"]["data"], at, share)
        lines += [invoice_lines.of_proration(id, subscription, one) for one in found]
        return _paper(work, id, subscription, lines, work.now, reductions, found, reason="subscription_update")
    change = subscription_changes.read(work, subscription, given, PLACE)
    changed = subscription_changes.as_changed(work, subscription, change)
    lines += subscription_changes.lines_of(work, id, changed, change)
    if change.bills:
        at = work.now
        return _paper(work, id, changed, lines, at, reductions, change.prorations, reason="subscription_update")
    ends = {**subscription, **subscription_terms.ending(work, subscription, _ending(given))}["cancel_at"]
    end = subscription_terms.period_end(changed)
    if ends is None or ends > end:
        lines += [invoice_lines.of_period(work, id, changed, _following(changed, item)) for item in _due(changed, end)]
    elif not lines:
        raise _none_upcoming(subscription["customer"])
    return _paper(work, id, changed, lines, end, reductions, change.prorations, reason="upcoming")


def _of_new(work: Work, customer: Object, given: Params, params: Params) -> Object:
    """The first invoice of a subscription that does not exist yet."""
    planned = sold_items.plan(work, [], given["items"], f"{PLACE}[items]")
    trial_end = subscription_terms.read_trial_end(work, given, PLACE)
    items = [_item(work, one, work.now, trial_end) for one in planned]
    prices = [one.price for one in planned if one.price is not None]
    subscription: Object = {
        "id": ids.new("subscription").replace("sub_1", "sub_upcoming_", 1),
        "collection_method": "charge_automatically",
        "currency": prices[0]["currency"],
        "customer": customer["id"],
        "items": {"data": items},
        "metadata": {},
    }
    id = f"upcoming_{ids.new('invoice')}"
    lines = [invoice_lines.of_period(work, id, subscription, item, trial=trial_end is not None) for item in items]
    reductions = _discounts(work, params, subscription)
    return _paper(work, id, subscription, lines, work.now, reductions, (), reason="upcoming")


def _paper(
    work: Work,
    id: str,
    subscription: Object,
    lines: Sequence[Object],
    at: int,
    reductions: Sequence[Reduction] | None,
    found: Sequence[prorations.Proration],
    *,
    reason: str,
) -> Object:
    customer = work.find("customer", subscription["customer"], "customer")
    start = min((line["period"]["start"] for line in lines), default=at)
    paper = invoice_papers.draw_up(
        work,
        id,
        customer,
        lines,
        currency=subscription["currency"],
        reason=reason,
        subscription=subscription,
        period=(min(start, at), at),
        created=at,
        at=at,
        reductions=reductions,
        next_payment_attempt=at + 3600,
    )
    if found and paper["parent"]:
        paper["parent"]["subscription_details"]["subscription_proration_date"] = found[0].start
    return complete(paper)


def _item(work: Work, one: Planned, start: int, end: int | None) -> Object:
    assert one.price is not None
    until = end or periods.around(start, start, one.price["recurring"])[1]
    item: Object = {"id": "", "price": one.price, "current_period_start": start, "current_period_end": until}
    return item if one.quantity is None else {**item, "quantity": one.quantity}


def _due(subscription: Object, end: int) -> list[Object]:
    return [item for item in subscription["items"]["data"] if item["current_period_end"] <= end]


def _following(subscription: Object, item: Object) -> Object:
    """The item in its next period."""
    start = item["current_period_end"]
    _, end = periods.around(subscription["billing_cycle_anchor"], start, item["price"]["recurring"])
    return {**item, "current_period_start": start, "current_period_end": end}


def _ending(given: Params) -> Params:
    return {name: given[name] for name in ("cancel_at", "cancel_at_period_end") if name in given}


def _next_of_customer(work: Work, customer: str) -> Object | None:
    """The customer's subscription that is due first."""
    found = subscription_terms.living_of(work, customer)
    found = [one for one in found if one["status"] not in ("paused", "incomplete")]
    return min(found, key=subscription_terms.period_end, default=None)


def _none_upcoming(customer: str) -> Refusal:
    return Refusal(f"No upcoming invoices for customer: {customer}", status=404, code="invoice_upcoming_none")


ROUTES: Routes = {"POST /v1/invoices/create_preview": create_preview}
