"""What a customer does in the portal: cancel, go on, change the plan, change the card, pay an open invoice. The
configuration of the visit says what of it is allowed."""

from dataclasses import dataclass
from typing import Any

import orjson

from paygres.sandbox.objects import (
    billing_portal_configurations,
    invoice_collection,
    invoices,
    payment_methods,
    setup_intents,
    subscription_changes,
    subscription_ends,
    subscription_terms,
)
from paygres.sandbox.objects.cards import Card
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.objects.subscription_changes import Change
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, no_such
from paygres.sandbox.world import Work

MOST_INVOICES = 24
MOST_PRICES = 50


@dataclass(frozen=True, slots=True)
class Visit:
    """A customer in the portal, and what it may do there."""

    session: Object
    customer: Object
    features: Object

    def allows(self, feature: str) -> bool:
        return bool(self.features[feature]["enabled"])


def begin(work: Work, id: str) -> Visit:
    session = work.find("billing_portal.session", id, "session")
    customer = work.find_living("customer", session["customer"], "customer")
    configuration = billing_portal_configurations.find(work, session["configuration"])
    return Visit(session, customer, configuration["features"])


def subscriptions_of(work: Work, visit: Visit) -> list[Object]:
    living = subscription_terms.living_of(work, visit.customer["id"])
    return [one for one in living if one["status"] != "incomplete"]


def subscription_of(work: Work, visit: Visit, id: str) -> Object:
    """A living subscription of the visitor's; raises `Refusal` for any other."""
    for one in subscriptions_of(work, visit):
        if one["id"] == id:
            return one
    raise no_such("subscription", id, "subscription", status=404)


def invoices_of(work: Work, visit: Visit) -> list[Object]:
    """Newest first, drafts left out."""
    asked = {"customer": visit.customer["id"], "limit": MOST_INVOICES}
    found: list[Object] = invoices.list_all(work, asked).as_object()["data"]
    return [one for one in found if one["status"] != "draft"]


def prices_for(work: Work, visit: Visit, subscription: Object) -> list[Object]:
    """The plans to which a subscription of one item can change: those that the configuration names, else all active
    prices of the same product and currency."""
    items: list[Object] = subscription["items"]["data"]
    if len(items) != 1 or not visit.allows("subscription_update"):
        return []
    present = items[0]["price"]
    products: list[Object] = visit.features["subscription_update"].get("products") or []
    if products:
        named = [work.get(price) for product in products for price in product["prices"]]
        found = [one for one in named if one is not None]
    else:
        links = {"product": present["product"], "active": "true", "type": "recurring"}
        bodies = work.store.page(work.account, "price", links=links, limit=MOST_PRICES)
        found = [orjson.loads(body) for body in bodies]
    fitting = [one for one in found if one["active"] and one["currency"] == present["currency"]]
    return sorted((one for one in fitting if one["id"] != present["id"]), key=lambda one: one["unit_amount"] or 0)


def cancel(work: Work, visit: Visit, id: str, feedback: str | None = None) -> Object:
    """As the configuration says: now, or at the end of the period, which flexible billing says by `cancel_at` alone."""
    _must_allow(visit, "subscription_cancel")
    subscription = subscription_of(work, visit, id)
    rules = visit.features["subscription_cancel"]
    told: Object = {"feedback": feedback} if feedback else {}
    if rules["mode"] == "immediately":
        prorates = rules["proration_behavior"] != "none"
        now = rules["proration_behavior"] == "always_invoice"
        return subscription_ends.end(work, subscription, told=told, prorates=prorates, invoices_now=now)
    classic = subscription["billing_mode"]["type"] == "classic"
    at = subscription_terms.period_end(subscription)
    changes = subscription_terms.end_at(work, subscription, at, by_period_end=classic)
    changes["cancellation_details"] = {**changes["cancellation_details"], **told}
    work.update_and_emit(subscription, "customer.subscription.updated", **changes)
    subscription_terms.schedule(work, subscription)
    return subscription


def go_on(work: Work, visit: Visit, id: str) -> Object:
    """Takes a planned end back."""
    _must_allow(visit, "subscription_cancel")
    subscription = subscription_of(work, visit, id)
    changes = subscription_terms.end_at(work, subscription, None, by_period_end=False)
    return work.update_and_emit(subscription, "customer.subscription.updated", **changes)


def plan_change(work: Work, visit: Visit, id: str, price: str) -> tuple[Object, Change]:
    """(subscription, what the change of its plan would do)."""
    _must_allow(visit, "subscription_update")
    subscription = subscription_of(work, visit, id)
    if price not in [one["id"] for one in prices_for(work, visit, subscription)]:
        raise no_such("price", price, "price", status=404)
    rules = visit.features["subscription_update"]
    asked: dict[str, Any] = {
        "items": [{"id": subscription["items"]["data"][0]["id"], "price": price}],
        "proration_behavior": rules["proration_behavior"],
    }
    if subscription["status"] == "trialing" and rules["trial_update_behavior"] == "end_trial":
        asked["trial_end"] = "now"
    return subscription, subscription_changes.read(work, subscription, asked)


def change_plan(work: Work, visit: Visit, id: str, price: str) -> Object:
    """To another price, now; raises the 402 of a charge that would fail."""
    subscription, change = plan_change(work, visit, id, price)
    # A change of plan takes the planned end back, as it does in Stripe's portal.
    fields = subscription_terms.end_at(work, subscription, None, by_period_end=False)
    return subscription_changes.apply(work, subscription, change, fields, payment_behavior="error_if_incomplete")


def change_card(work: Work, visit: Visit, card: Card, buyer: Buyer) -> Object:
    """Saves the card and makes it what everything is charged to from now on; raises the 402 of a card that cannot be
    saved."""
    _must_allow(visit, "payment_method_update")
    payment_methods.check_saving(card)
    customer = visit.customer
    method = payment_methods.make(work, card, buyer)
    setup_intents.succeed_at_once(work, customer["id"], method)
    payment_methods.attach(work, method, customer["id"])
    settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
    work.update_and_emit(customer, "customer.updated", invoice_settings=settings)
    for subscription in subscriptions_of(work, visit):
        if subscription["default_payment_method"] is not None:
            work.update_and_emit(subscription, "customer.subscription.updated", default_payment_method=method["id"])
    return method


def pay_invoice(work: Work, visit: Visit, id: str) -> Object:
    """Charges an open invoice to the saved card; raises the 402 of a decline."""
    _must_allow(visit, "invoice_history")
    invoice = next((one for one in invoices_of(work, visit) if one["id"] == id), None)
    if invoice is None or invoice["status"] != "open":
        raise no_such("invoice", id, "invoice", status=404)
    subscription = invoice_collection.subscription_of(work, invoice)
    method = invoice_collection.method_of(work, visit.customer, subscription)
    if method is None:
        raise invoice_collection.no_payment_method()
    refusal = invoice_collection.charge(work, invoice, method, off_session=False)
    if refusal is not None:
        raise refusal
    return invoice


def _must_allow(visit: Visit, feature: str) -> None:
    if not visit.allows(feature):
        raise Refusal("The configuration of this portal does not allow that.", status=403)
