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
MOST_OF_ONE = 999


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
    if len(items) != 1 or not _may_change(visit, "price"):
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


def quantities_for(visit: Visit, subscription: Object) -> tuple[int, int] | None:
    """The least and the most that a customer may choose of a subscription's one item; None when it may not."""
    items: list[Object] = subscription["items"]["data"]
    if len(items) != 1 or not _may_change(visit, "quantity") or items[0].get("quantity") is None:
        return None
    products: list[Object] = visit.features["subscription_update"].get("products") or []
    product = next((one for one in products if one["product"] == items[0]["price"]["product"]), None)
    if product is None:
        return 1, MOST_OF_ONE
    rules = product["adjustable_quantity"]
    return (rules["minimum"], rules.get("maximum") or MOST_OF_ONE) if rules["enabled"] else None


def reasons_of(visit: Visit) -> list[str]:
    """The reasons for a cancellation that the customer is asked to choose from."""
    asked = visit.features["subscription_cancel"]["cancellation_reason"]
    return list(asked["options"]) if asked["enabled"] else []


def cancel(work: Work, visit: Visit, id: str, feedback: str | None = None, comment: str | None = None) -> Object:
    """As the configuration says: now, or at the end of the period, which flexible billing says by `cancel_at` alone."""
    _must_allow(visit, "subscription_cancel")
    subscription = subscription_of(work, visit, id)
    rules = visit.features["subscription_cancel"]
    told: Object = {"feedback": feedback} if feedback else {}
    if comment:
        told["comment"] = comment
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


def plan_change(work: Work, visit: Visit, id: str, price: str, quantity: int | None = None) -> tuple[Object, Change]:
    """(subscription, what the change of its plan, of its quantity, or of both would do)."""
    _must_allow(visit, "subscription_update")
    subscription = subscription_of(work, visit, id)
    present = subscription["items"]["data"][0]
    bounds = quantities_for(visit, subscription)
    if quantity == present.get("quantity"):
        quantity = None
    if quantity is not None and not (bounds and bounds[0] <= quantity <= bounds[1]):
        raise Refusal("This quantity cannot be chosen.", param="quantity")
    stays = price == present["price"]["id"] and bounds is not None
    if not stays and price not in [one["id"] for one in prices_for(work, visit, subscription)]:
        raise no_such("price", price, "price", status=404)
    rules = visit.features["subscription_update"]
    item: dict[str, Any] = {"id": present["id"], "price": price}
    if quantity is not None:
        item["quantity"] = quantity
    asked: dict[str, Any] = {"items": [item], "proration_behavior": rules["proration_behavior"]}
    if subscription["status"] == "trialing" and rules["trial_update_behavior"] == "end_trial":
        asked["trial_end"] = "now"
    return subscription, subscription_changes.read(work, subscription, asked)


def change_plan(work: Work, visit: Visit, id: str, price: str, quantity: int | None = None) -> Object:
    """To another price or quantity, now; raises the 402 of a charge that would fail."""
    subscription, change = plan_change(work, visit, id, price, quantity)
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


def change_details(work: Work, visit: Visit, given: Object) -> Object:
    """Those of the customer's details that its configuration lets it change."""
    _must_allow(visit, "customer_update")
    allowed = visit.features["customer_update"]["allowed_updates"]
    changes = {name: value for name, value in given.items() if name in allowed}
    return work.update_and_emit(visit.customer, "customer.updated", **changes)


def pay_invoice(work: Work, visit: Visit, id: str) -> Object:
    """Charges an open invoice to the saved card; raises the 402 of a decline. A card that asks for an authentication
    leaves it open."""
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


def _may_change(visit: Visit, what: str) -> bool:
    rules = visit.features["subscription_update"]
    return visit.allows("subscription_update") and what in rules["default_allowed_updates"]


def _must_allow(visit: Visit, feature: str) -> None:
    if not visit.allows(feature):
        raise Refusal("The configuration of this portal does not allow that.", status=403)
