"""What the portal's pages show, as plain values for their templates."""

from typing import Any

from paygres.sandbox import portal_visits
from paygres.sandbox.objects import invoice_collection, subscription_terms
from paygres.sandbox.objects.sold_items import cost
from paygres.sandbox.objects.subscription_changes import Change
from paygres.sandbox.pages.checkout_views import card_text
from paygres.sandbox.pages.money import day, money, per
from paygres.sandbox.portal_visits import Visit
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work

NOTICES = {
    "canceled": "The cancellation is noted.",
    "resumed": "The subscription goes on.",
    "changed": "The plan is changed.",
    "card": "The card is saved; everything is charged to it from now on.",
    "details": "Your details are saved.",
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
# The words for a status, and whether it is good or bad news.
STATUSES = {
    "active": ("Active", "good"),
    "trialing": ("Trial", "good"),
    "past_due": ("Payment failed", "bad"),
    "unpaid": ("Unpaid", "bad"),
    "paused": ("Paused", ""),
}
OF_INVOICE = {
    "paid": ("Paid", "good"),
    "open": ("Open", "bad"),
    "void": ("Void", ""),
    "uncollectible": ("Uncollectible", "bad"),
}
TEST_CARDS = (
    ("4242 4242 4242 4242", "pays"),
    ("5555 5555 5555 4444", "pays (Mastercard)"),
    ("4000 0000 0000 0341", "is saved, later charges fail"),
    ("4000 0000 0000 0002", "is declined"),
)


def shown_home(work: Work, visit: Visit) -> dict[str, Any]:
    method = invoice_collection.method_of(work, visit.customer)
    subscriptions = portal_visits.subscriptions_of(work, visit)
    if method is None:
        method = next((one for sub in subscriptions if (one := _own_method(work, sub)) is not None), None)
    listed = portal_visits.invoices_of(work, visit) if visit.allows("invoice_history") else []
    return {
        "card": _card(method),
        "changes_card": visit.allows("payment_method_update"),
        "changes_details": bool(changeable(visit)),
        "customer": visit.customer["name"] or visit.customer["email"] or visit.customer["id"],
        "details": details_of(visit.customer),
        "invoices": [_invoice(one) for one in listed],
        "subscriptions": [shown_subscription(work, visit, one) for one in subscriptions],
    }


def shown_subscription(work: Work, visit: Visit, subscription: Object) -> dict[str, Any]:
    items = subscription["items"]["data"]
    ends = subscription["cancel_at"]
    status, mood = STATUSES.get(subscription["status"], (subscription["status"], ""))
    prices = portal_visits.prices_for(work, visit, subscription)
    return {
        "can_cancel": visit.allows("subscription_cancel") and ends is None,
        "can_change": bool(prices or portal_visits.quantities_for(visit, subscription)),
        "can_resume": visit.allows("subscription_cancel") and ends is not None,
        "cancels_now": visit.features["subscription_cancel"]["mode"] == "immediately",
        "ends": day(ends) if ends is not None else None,
        "id": subscription["id"],
        "items": [_item(work, one) for one in items],
        "mood": mood,
        "renews": day(subscription_terms.period_end(subscription)),
        "status": status,
        "trial": subscription["status"] == "trialing",
    }


def shown_plans(work: Work, visit: Visit, subscription: Object) -> dict[str, Any]:
    """The plans to choose from, each with what its choice costs now."""
    present = subscription["items"]["data"][0]
    quantity = present.get("quantity", 1)
    bounds = portal_visits.quantities_for(visit, subscription)
    plans: list[dict[str, Any]] = []
    for price in portal_visits.prices_for(work, visit, subscription):
        _, change = portal_visits.plan_change(work, visit, subscription["id"], price["id"])
        plans.append({**_plan(work, price, quantity), "effect": effect(change, price, quantity)})
    if bounds is not None:
        plans.insert(0, {**_plan(work, present["price"], quantity), "effect": "The present plan."})
    return {"plans": plans, "bounds": bounds, "quantity": quantity}


def shown_change(work: Work, visit: Visit, subscription: Object, price_id: str, quantity: int | None) -> dict[str, Any]:
    """What a change would do, line by line, before it is confirmed."""
    _, change = portal_visits.plan_change(work, visit, subscription["id"], price_id, quantity)
    planned = next(one for one in change.planned if one.price is not None)
    price, number = planned.price, planned.quantity
    assert price is not None
    currency = price["currency"]
    lines = [(one.description, money(one.amount, currency)) for one in change.prorations]
    if change.begins:
        lines.append((f"{_name(work, price)}, from today", money(cost(price, number), currency)))
    plan = _plan(work, price, number or 1)
    return {
        "effect": effect(change, price, number or 1),
        "is_empty": change.is_empty,
        "lines": lines,
        "now": change.bills,
        "plan": plan,
        "quantity": number,
        "sum": money(_due(change, price, number or 1), currency),
    }


def effect(change: Change, price: Object, quantity: int) -> str:
    """One sentence: what the change costs, and when."""
    due = _due(change, price, quantity)
    amount = money(abs(due), price["currency"])
    if due == 0:
        return "No charge for the change."
    if due < 0:
        return f"{amount} are credited to your {'balance' if change.bills else 'next invoice'}."
    return f"{amount} are charged now." if change.bills else f"{amount} are added to your next invoice."


def changeable(visit: Visit) -> list[str]:
    """Which of the customer's details it may change, among those that have a field here."""
    if not visit.allows("customer_update"):
        return []
    allowed: list[str] = visit.features["customer_update"]["allowed_updates"] or []
    return [name for name in ("name", "email", "phone", "address") if name in allowed]


def details_of(customer: Object) -> list[str]:
    address = customer["address"] or {}
    place = " ".join(filter(None, (address.get("postal_code"), address.get("city"))))
    shown = (
        customer["name"],
        customer["email"],
        customer["phone"],
        address.get("line1"),
        place,
        address.get("country"),
    )
    return [one for one in (*shown, address.get("country")) if one]


def _due(change: Change, price: Object, quantity: int) -> int:
    due = sum(one.amount for one in change.prorations)
    return due + cost(price, quantity) if change.begins else due


def _plan(work: Work, price: Object, quantity: int) -> dict[str, Any]:
    return {
        "amount": f"{money(cost(price, quantity), price['currency'])} {per(price)}",
        "id": price["id"],
        "name": _name(work, price),
    }


def _item(work: Work, item: Object) -> dict[str, Any]:
    price, quantity = item["price"], item.get("quantity")
    return {
        "amount": f"{money(cost(price, quantity), price['currency'])} {per(price)}",
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
    if method is None:
        return None
    if method["type"] != "card":
        return f"Bank account ending in {method[method['type']].get('last4') or '????'}"
    card = method["card"]
    return f"{card_text(method)}, expires {card['exp_month']:02d}/{card['exp_year'] % 100:02d}"


def _invoice(invoice: Object) -> dict[str, Any]:
    status, mood = OF_INVOICE.get(invoice["status"], (invoice["status"], ""))
    return {
        "amount": money(invoice["total"], invoice["currency"]),
        "date": day(invoice["created"]),
        "id": invoice["id"],
        "is_open": invoice["status"] == "open",
        "mood": mood,
        "number": invoice["number"] or invoice["id"],
        "pdf": invoice["invoice_pdf"],
        "status": status,
        "url": invoice["hosted_invoice_url"],
    }
