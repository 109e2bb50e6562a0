"""What the portal's pages show, as plain values for their templates."""

from datetime import UTC, datetime
from typing import Any

from paygres.sandbox import portal_visits
from paygres.sandbox.objects import fields, invoice_collection, subscription_terms
from paygres.sandbox.objects.cards import BRANDS
from paygres.sandbox.objects.sold_items import cost
from paygres.sandbox.portal_visits import Visit
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work

NOTICES = {
    "canceled": "The cancellation is noted.",
    "resumed": "The subscription goes on.",
    "changed": "The plan is changed.",
    "card": "The card is saved; everything is charged to it from now on.",
    "paid": "Thank you, the payment was made.",
}
REASONS = {
    "too_expensive": "It is too expensive",
    "missing_features": "I need more features",
    "switched_service": "I found an alternative",
    "unused": "I no longer need it",
    "customer_service": "Customer service was less than expected",
    "too_complex": "Ease of use was less than expected",
    "low_quality": "Quality was less than expected",
    "other": "Other reason",
}
STATUSES = {
    "active": "Active",
    "trialing": "Trial",
    "past_due": "Payment failed",
    "unpaid": "Unpaid",
    "paused": "Paused",
}
OF_INVOICE = {"paid": "Paid", "open": "Open", "void": "Void", "uncollectible": "Uncollectible"}


def shown_home(work: Work, visit: Visit) -> dict[str, Any]:
    method = invoice_collection.method_of(work, visit.customer)
    subscriptions = portal_visits.subscriptions_of(work, visit)
    if method is None:
        method = next((one for sub in subscriptions if (one := _own_method(work, sub)) is not None), None)
    listed = portal_visits.invoices_of(work, visit) if visit.allows("invoice_history") else []
    return {
        "card": _card(method),
        "changes_card": visit.allows("payment_method_update"),
        "customer": visit.customer["name"] or visit.customer["email"] or visit.customer["id"],
        "invoices": [_invoice(one) for one in listed],
        "subscriptions": [shown_subscription(work, visit, one) for one in subscriptions],
    }


def shown_subscription(work: Work, visit: Visit, subscription: Object) -> dict[str, Any]:
    items = subscription["items"]["data"]
    ends = subscription["cancel_at"]
    return {
        "can_cancel": visit.allows("subscription_cancel") and ends is None,
        "can_change": bool(portal_visits.prices_for(work, visit, subscription)),
        "can_resume": visit.allows("subscription_cancel") and ends is not None,
        "cancels_now": visit.features["subscription_cancel"]["mode"] == "immediately",
        "ends": day(ends) if ends is not None else None,
        "id": subscription["id"],
        "items": [_item(work, one) for one in items],
        "renews": day(subscription_terms.period_end(subscription)),
        "status": STATUSES.get(subscription["status"], subscription["status"]),
        "trial": subscription["status"] == "trialing",
    }


def shown_plans(work: Work, visit: Visit, subscription: Object) -> dict[str, Any]:
    """The plans to choose from, each with what its choice costs now."""
    quantity = subscription["items"]["data"][0].get("quantity", 1)
    plans: list[dict[str, Any]] = []
    for price in portal_visits.prices_for(work, visit, subscription):
        _, change = portal_visits.plan_change(work, visit, subscription["id"], price["id"])
        due = sum(one.amount for one in change.prorations)
        if change.begins:
            due += cost(price, quantity)
        plans.append(
            {
                "amount": f"{fields.money(cost(price, quantity), price['currency'])} {every(price)}",
                "due": fields.money(abs(due), price["currency"]),
                "is_credit": due < 0,
                "id": price["id"],
                "name": _name(work, price),
                "now": change.bills,
                "none": due == 0,
            }
        )
    return {"plans": plans}


def day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d %B %Y}".lstrip("0")


def every(price: Object) -> str:
    interval, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    return f"per {interval}" if count == 1 else f"every {count} {interval}s"


def _item(work: Work, item: Object) -> dict[str, Any]:
    price, quantity = item["price"], item.get("quantity")
    return {
        "amount": f"{fields.money(cost(price, quantity), price['currency'])} {every(price)}",
        "name": _name(work, price),
        "quantity": quantity if quantity is not None else 1,
    }


def _name(work: Work, price: Object) -> str:
    product = work.get(price["product"]) or {}
    name: str = product.get("name") or price["product"]
    return f"{name} ({price['nickname']})" if price["nickname"] else name


def _own_method(work: Work, subscription: Object) -> Object | None:
    id = subscription["default_payment_method"]
    return work.get(id) if id else None


def _card(method: Object | None) -> str | None:
    if method is None or method["type"] != "card":
        return None
    card = method["card"]
    brand = BRANDS.get(card["brand"], card["brand"])
    return f"{brand} ending in {card['last4']}, expires {card['exp_month']:02d}/{card['exp_year'] % 100:02d}"


def _invoice(invoice: Object) -> dict[str, Any]:
    return {
        "amount": fields.money(invoice["total"], invoice["currency"]),
        "date": day(invoice["created"]),
        "id": invoice["id"],
        "is_open": invoice["status"] == "open",
        "number": invoice["number"] or invoice["id"],
        "status": OF_INVOICE.get(invoice["status"], invoice["status"]),
        "url": invoice["hosted_invoice_url"],
    }
