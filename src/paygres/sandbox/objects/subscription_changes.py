"""Changes of what a subscription sells, and when: read from a request, shown by a preview, carried out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import (
    invoice_collection,
    invoice_items,
    invoice_lines,
    invoice_papers,
    periods,
    prorations,
    sold_items,
    subscription_discounts,
    subscription_terms,
)
from paygres.sandbox.objects.prorations import Proration
from paygres.sandbox.objects.routes import Params
from paygres.sandbox.objects.sold_items import Planned
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, bad_parameter
from paygres.sandbox.world import Work

BILLED = ("active", "past_due", "unpaid")


@dataclass(frozen=True, slots=True)
class Change:
    """What a request asks for. `begins`: a new period begins now, and is billed now. `trial_end`: a trial runs from now
    until then. `prorations` are in minor units; they wait for the next invoice unless `bills`."""

    planned: Sequence[Planned]
    prorations: Sequence[Proration]
    begins: bool
    trial_end: int | None
    bills: bool

    @property
    def is_empty(self) -> bool:
        touched = any(one.is_billed_anew or _keeps_other_metadata(one) for one in self.planned)
        return not (touched or self.begins or self.trial_end)


def read(work: Work, subscription: Object, params: Params, place: str = "") -> Change:
    """What the parameters of an update, or of a preview, ask for; raises `Refusal`. `place`: the parameter that they
    lie in."""

    def inside(name: str) -> str:
        return f"{place}[{name}]" if place else name

    present = subscription["items"]["data"]
    given: Sequence[Params] = params.get("items") or ()
    planned = sold_items.plan(work, present, given, inside("items")) if given else sold_items.unchanged(present)
    trial_end = subscription_terms.read_trial_end(work, params, place)
    if trial_end == subscription["trial_end"]:
        trial_end = None
    trials = subscription["status"] == "trialing"
    other_rhythm = any(
        one.before and one.price and not periods.same_length(one.before["price"], one.price) for one in planned
    )
    begins = trial_end is None and (
        params.get("billing_cycle_anchor") == "now"
        or (trials and params.get("trial_end") == "now")
        or (other_rhythm and not trials)
    )
    behavior = params.get("proration_behavior", "create_prorations")
    found: list[Proration] = []
    if behavior != "none" and subscription["status"] in BILLED:
        at = _proration_date(work, subscription, params, inside("proration_date"))
        share = subscription_discounts.share_of(work, subscription)
        if begins or trial_end:
            found = prorations.of_end(work, present, at, share)
        else:
            found = prorations.of_change(work, planned, subscription_terms.period(subscription), at, share)
    return Change(planned, found, begins, trial_end, begins or (behavior == "always_invoice" and bool(found)))


def apply(
    work: Work,
    subscription: Object,
    change: Change,
    fields: dict[str, Any],
    *,
    payment_behavior: str = "allow_incomplete",
) -> Object:
    """Carries the change out together with other changed `fields`: one customer.subscription.updated, then the
    invoice, if there is one now."""
    if change.is_empty:
        work.update_and_emit(subscription, "customer.subscription.updated", **fields)
        return _rescheduled(work, subscription, fields)
    if change.bills and payment_behavior == "error_if_incomplete":
        refusal = not_payable(work, {**subscription, **fields}, change)
        if refusal is not None:
            raise refusal
    if not change.bills:
        for one in change.prorations:
            invoice_items.of_proration(work, subscription, one)
    items = [item for one in change.planned if (item := _carry_out(work, subscription, one, change)) is not None]
    fields = {**fields, "items": sold_items.listed(subscription["id"], items)}
    if change.begins:
        fields |= {"billing_cycle_anchor": work.now}
        if subscription["status"] == "trialing":
            fields |= {"status": "active", "trial_end": work.now}
    if change.trial_end:
        fields |= {"billing_cycle_anchor": change.trial_end, "status": "trialing", "trial_end": change.trial_end}
        if subscription["status"] != "trialing":
            fields |= {"trial_start": work.now}
    if fields.get("cancel_at_period_end", subscription["cancel_at_period_end"]):
        fields["cancel_at"] = min(item["current_period_end"] for item in items)
    changed = {**subscription, **fields}
    draft = draft_of(work, changed, change) if change.bills else None
    if draft is not None:
        fields["latest_invoice"] = draft["id"]
    work.update_and_emit(subscription, "customer.subscription.updated", **fields)
    if draft is not None:
        work.emit("invoice.created", work.add(draft))
        if payment_behavior == "default_incomplete":
            invoice_collection.open_up(work, draft)
            if draft["status"] == "open":
                work.update_and_emit(subscription, "customer.subscription.updated", status="past_due")
        else:
            invoice_collection.advance(work, draft)
        subscription = work.find("subscription", subscription["id"], "subscription")
    return _rescheduled(work, subscription, fields)


def lines_of(work: Work, invoice: str, subscription: Object, change: Change) -> list[Object]:
    """What the change itself puts on an invoice: its prorations, and the period that begins."""
    lines = [invoice_lines.of_proration(invoice, subscription, one) for one in change.prorations]
    if change.begins:
        items = subscription["items"]["data"]
        lines += [invoice_lines.of_period(work, invoice, subscription, item) for item in items]
    return lines


def period_of(work: Work, subscription: Object, one: Planned, change: Change) -> tuple[int, int]:
    """The period in which an item is after the change."""
    assert one.price is not None
    if change.trial_end:
        return work.now, change.trial_end
    if change.begins:
        return work.now, periods.around(work.now, work.now, one.price["recurring"])[1]
    if one.before is not None:
        return one.before["current_period_start"], one.before["current_period_end"]
    return subscription_terms.period(subscription)


def _carry_out(work: Work, subscription: Object, one: Planned, change: Change) -> Object | None:
    """The item after the change, None when it is gone."""
    if one.price is None:
        assert one.before is not None
        work.bury(one.before)
        return None
    start, end = period_of(work, subscription, one, change)
    if one.before is None:
        return sold_items.make(work, subscription["id"], one, start, end)
    fields: dict[str, Any] = {
        "current_period_end": end,
        "current_period_start": start,
        "metadata": one.metadata,
        "price": one.price,
    }
    if one.quantity is not None:
        fields["quantity"] = one.quantity
    stored = work.find("subscription_item", one.before["id"], "item")
    if one.quantity is None:
        stored.pop("quantity", None)
    work.change(stored, **fields)
    return stored


def draft_of(work: Work, subscription: Object, change: Change) -> Object:
    """The invoice of a change, not stored yet."""
    id = ids.new("invoice")
    customer = work.find("customer", subscription["customer"], "customer")
    pending = invoice_items.pending(work, customer["id"], subscription["id"])
    lines = [*invoice_items.take_up(work, pending, id), *lines_of(work, id, subscription, change)]
    return invoice_papers.draw_up(
        work,
        id,
        customer,
        lines,
        currency=subscription["currency"],
        reason="subscription_update",
        subscription=subscription,
    )


def not_payable(work: Work, subscription: Object, change: Change) -> Refusal | None:
    """What the charge would fail with, before anything is changed."""
    customer = work.find("customer", subscription["customer"], "customer")
    pending = invoice_items.pending(work, customer["id"], subscription["id"])
    owed = customer["balance"] + sum(one["amount"] for one in pending) + sum(one.amount for one in change.prorations)
    if change.begins:
        owed += sum(sold_items.cost(one.price, one.quantity) for one in change.planned if one.price)
    if owed <= 0 or subscription["collection_method"] == "send_invoice":
        return None
    method = invoice_collection.method_of(work, customer, subscription)
    if method is None:
        return invoice_collection.no_payment_method()
    return invoice_collection.will_pay(work, method, off_session=True)


def as_changed(work: Work, subscription: Object, change: Change) -> Object:
    """The subscription after the change, not stored."""
    if change.is_empty:
        return subscription
    items: list[Object] = []
    for one in change.planned:
        if one.price is not None:
            start, end = period_of(work, subscription, one, change)
            shown: Object = {
                "id": one.before["id"] if one.before else "",
                "price": one.price,
                "current_period_start": start,
                "current_period_end": end,
            }
            items.append(shown if one.quantity is None else {**shown, "quantity": one.quantity})
    anchor = change.trial_end or (work.now if change.begins else subscription["billing_cycle_anchor"])
    return {**subscription, "billing_cycle_anchor": anchor, "items": sold_items.listed(subscription["id"], items)}


def _proration_date(work: Work, subscription: Object, params: Params, param: str) -> int:
    start, end = subscription_terms.period(subscription)
    at = params.get("proration_date")
    if at is None:
        # A period that was forced to begin early has not run at all.
        return min(max(work.now, start), end)
    if not start <= at <= end:
        raise bad_parameter("Cannot specify proration date outside of current subscription period.", param)
    return at


def _rescheduled(work: Work, subscription: Object, fields: dict[str, Any]) -> Object:
    if fields.keys() & {"items", "cancel_at", "trial_end"}:
        subscription_terms.schedule(work, subscription)
    if fields.get("status") == "trialing":
        subscription_terms.warn_of_trial(work, subscription)
    return subscription


def _keeps_other_metadata(one: Planned) -> bool:
    return one.before is not None and one.before["metadata"] != one.metadata
