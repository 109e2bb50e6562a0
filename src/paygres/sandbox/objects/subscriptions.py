"""Subscriptions as a paid checkout session starts them (after the payment, since basil), with their first invoice;
retrieved and listed. Renewals and changes are not simulated yet."""

from dataclasses import dataclass

from paygres.sandbox import ids
from paygres.sandbox.objects import invoices, periods
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.lists import Page, answer_list, inline_page
from paygres.sandbox.world import Work

ENDED = ("canceled", "incomplete_expired")


@dataclass(frozen=True, slots=True)
class Started:
    subscription: Object
    invoice: Object
    invoice_payment: Object | None


def due_now(session: Object, hidden: Object) -> int:
    """What the buyer pays when the session completes: a trial postpones the recurring prices."""
    if session["mode"] != "subscription" or not _trial_end(hidden, 0):
        return session["amount_total"]
    return sum(item["amount_total"] for item in hidden["line_items"] if item["price"]["type"] == "one_time")


def start(
    work: Work,
    session: Object,
    customer: Object,
    payment_method: Object,
    intent: Object | None,
    charge: Object | None,
) -> Started:
    """The subscription and its first invoice, paid by the intent; not announced."""
    hidden = work.hidden(session["id"])
    given: Params = hidden.get("subscription_data", {})
    trial_end = _trial_end(hidden, work.now)
    sold = [item for item in hidden["line_items"] if item["price"]["type"] == "recurring"]
    id = ids.new("subscription")
    items = [_item(work, id, one, trial_end) for one in sold]
    invoice_id = ids.new("invoice")
    subscription = work.add(
        {
            "id": id,
            "object": "subscription",
            "automatic_tax": {"enabled": False},
            "billing_cycle_anchor": trial_end or work.now,
            "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
            "billing_schedules": [],
            "cancel_at_period_end": False,
            "cancellation_details": {},
            "collection_method": "charge_automatically",
            "created": work.now,
            "currency": session["currency"],
            "customer": customer["id"],
            "default_payment_method": payment_method["id"],
            "default_tax_rates": [],
            "description": given.get("description"),
            "discounts": [],
            "invoice_settings": {"issuer": {"type": "self"}},
            "items": inline_page(items, f"/v1/subscription_items?subscription={id}", {"limit": 100}),
            "latest_invoice": invoice_id,
            "livemode": False,
            "metadata": metadata.from_params(given),
            "payment_settings": {
                "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
                "save_default_payment_method": "off",
            },
            "start_date": work.now,
            "status": "trialing" if trial_end else "active",
            "trial_end": trial_end,
            "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
            "trial_start": work.now if trial_end else None,
        }
    )
    paid = invoices.first(work, invoice_id, subscription, customer, hidden["line_items"], intent, charge)
    return Started(subscription, paid.invoice, paid.payment)


def announce_first_invoice(work: Work, started: Started) -> None:
    invoices.announce_paid(work, started.invoice)
    if started.invoice_payment is not None:
        work.later(work.world.settings.settle_after, "announce_invoice_payment", started.invoice_payment["id"])


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("subscription", id, "id", in_path=True)


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


def retrieve_item(work: Work, params: Params, id: str) -> Object:
    return work.find("subscription_item", id, "item", in_path=True)


def list_items(work: Work, params: Params) -> Page:
    work.find("subscription", params["subscription"], "subscription")
    links = {"subscription": params["subscription"]}
    return answer_list(work, "subscription_item", params, "/v1/subscription_items", links=links)


def _item(work: Work, subscription: str, sold: Object, trial_end: int | None) -> Object:
    recurring = sold["price"]["recurring"]
    end = trial_end or periods.later(work.now, recurring["interval"], recurring["interval_count"])
    return work.add(
        {
            "id": ids.new("subscription_item"),
            "object": "subscription_item",
            "created": work.now,
            "current_period_end": end,
            "current_period_start": work.now,
            "discounts": [],
            "metadata": sold["metadata"],
            "price": sold["price"],
            "quantity": sold["quantity"],
            "subscription": subscription,
            "tax_rates": [],
        }
    )


def _trial_end(hidden: Object, now: int) -> int | None:
    given = hidden.get("subscription_data", {})
    if given.get("trial_period_days"):
        return now + given["trial_period_days"] * periods.DAY
    return given.get("trial_end")


ROUTES: Routes = {
    "GET /v1/subscriptions/{subscription_exposed_id}": retrieve,
    "GET /v1/subscriptions": list_all,
    "GET /v1/subscription_items/{item}": retrieve_item,
    "GET /v1/subscription_items": list_items,
}
