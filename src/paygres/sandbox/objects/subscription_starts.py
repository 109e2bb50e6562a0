"""How a subscription begins, in its first period: with a paid checkout session (after the payment, since basil). What a
request begins is subscription_requests.py's part."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import (
    invoice_lines,
    invoice_payments,
    invoices,
    periods,
    sold_items,
    subscription_discounts,
    subscription_terms,
)
from paygres.sandbox.objects.routes import Params
from paygres.sandbox.objects.sold_items import Planned
from paygres.sandbox.objects.subscription_discounts import Wanted
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.world import Work

FLEXIBLE: Object = {"flexible": {"proration_discounts": "included"}, "type": "flexible"}


@dataclass(frozen=True, slots=True)
class Started:
    subscription: Object
    invoice: Object
    invoice_payment: Object | None
    # They are announced before the subscription.
    discounts: Sequence[Object] = ()


def due_now(session: Object, hidden: Object) -> int:
    """What the buyer pays when the session completes: a trial postpones the recurring prices."""
    if session["mode"] != "subscription" or not _trial_of_session(hidden, 0):
        return session["amount_total"]
    return sum(item["amount_total"] for item in hidden["line_items"] if item["price"]["type"] == "one_time")


def from_session(
    work: Work,
    session: Object,
    customer: Object,
    payment_method: Object,
    intent: Object | None,
    charge: Object | None,
) -> Started:
    """The subscription of a checkout session and its first invoice, paid by the intent; not announced."""
    hidden = work.hidden(session["id"])
    given: Params = hidden.get("subscription_data", {})
    planned = [
        Planned(None, one["price"], one["quantity"], one["metadata"])
        for one in hidden["line_items"]
        if one["price"]["type"] == "recurring"
    ]
    invoice_id = ids.new("invoice")
    subscription = build(
        work,
        customer["id"],
        planned,
        currency=session["currency"],
        trial_end=_trial_of_session(hidden, work.now),
        latest_invoice=invoice_id,
        default_payment_method=payment_method["id"],
        description=given.get("description"),
        metadata=metadata.from_params(given),
        **({"trial_settings": given["trial_settings"]} if "trial_settings" in given else {}),
    )
    wanted: list[Wanted] = []
    for one in session["discounts"]:
        coupon = work.get(one["coupon"])
        if coupon is not None and not coupon.get("deleted"):
            wanted.append(Wanted(coupon, work.get(one["promotion_code"]) if one["promotion_code"] else None))
    discounts = give_discounts(work, subscription, wanted, session["id"])
    trial = subscription["status"] == "trialing"
    lines = [invoice_lines.of_sold(work, invoice_id, subscription, one, trial=trial) for one in hidden["line_items"]]
    # The session's own amount was paid; a balance of the customer's has no part in it.
    paid = invoices.paid_at_once(work, invoice_id, subscription, customer, lines, intent, charge, balance=0)
    return Started(subscription, paid.invoice, paid.payment, discounts)


def announce_first_invoice(work: Work, started: Started) -> None:
    invoices.announce_paid(work, started.invoice)
    if started.invoice_payment is not None and started.invoice["status"] == "paid":
        invoice_payments.announce_later(work, started.invoice_payment)


def give_discounts(
    work: Work, subscription: Object, wanted: Sequence[Wanted], session: str | None = None
) -> list[Object]:
    """The discounts of a new subscription; not announced."""
    if not wanted:
        return []
    made = subscription_discounts.made(
        work, wanted, customer=subscription["customer"], subscription=subscription["id"], session=session
    )
    work.change(subscription, discounts=subscription_discounts.ids_of(made))
    return made


def build(
    work: Work,
    customer: str,
    planned: Sequence[Planned],
    *,
    currency: str,
    trial_end: int | None,
    anchor: int | None = None,
    **fields: Any,
) -> Object:
    """A stored subscription in its first period (which a trial is); not announced. `anchor`: when its first whole
    period begins, if that is later. `fields`: those that differ from an ordinary one's."""
    id = ids.new("subscription")
    items: list[Object] = []
    for one in planned:
        assert one.price is not None
        end = trial_end or anchor or periods.around(work.now, work.now, one.price["recurring"])[1]
        items.append(sold_items.make(work, id, one, work.now, end))
    subscription = work.add(
        {
            "id": id,
            "object": "subscription",
            "automatic_tax": {"enabled": False},
            "billing_cycle_anchor": trial_end or anchor or work.now,
            "billing_mode": FLEXIBLE,
            "billing_schedules": [],
            "cancel_at_period_end": False,
            "cancellation_details": {},
            "collection_method": "charge_automatically",
            "created": work.now,
            "currency": currency,
            "customer": customer,
            "default_tax_rates": [],
            "discounts": [],
            "invoice_settings": {"issuer": {"type": "self"}},
            "items": sold_items.listed(id, items),
            "livemode": False,
            "metadata": {},
            "payment_settings": {
                "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
                "save_default_payment_method": "off",
            },
            "start_date": work.now,
            "status": "trialing" if trial_end else "active",
            "test_clock": work.clock,
            "trial_end": trial_end,
            "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
            "trial_start": work.now if trial_end else None,
            **fields,
        }
    )
    subscription_terms.schedule(work, subscription)
    if trial_end:
        subscription_terms.warn_of_trial(work, subscription)
    return subscription


def _trial_of_session(hidden: Object, now: int) -> int | None:
    given = hidden.get("subscription_data", {})
    if given.get("trial_period_days"):
        return now + given["trial_period_days"] * periods.DAY
    return given.get("trial_end")
