"""The lines of an invoice: a period of a subscription's item, a proration, a pending invoice item, or what a checkout
session sold."""

from paygres.sandbox import ids
from paygres.sandbox.objects.prorations import Proration
from paygres.sandbox.objects.sold_items import cost
from paygres.sandbox.spec.complete import Object, complete
from paygres.sandbox.world import Work


def of_sold(work: Work, invoice: str, subscription: Object, sold: Object, *, trial: bool) -> Object:
    """What a checkout session sold: an item of the new subscription, or something beside it."""
    price = sold["price"]
    item = next((one for one in subscription["items"]["data"] if one["price"]["id"] == price["id"]), None)
    if item is not None:
        return of_period(work, invoice, subscription, item, trial=trial, amount=sold["amount_subtotal"])
    return of_once(work, invoice, price, sold["quantity"], sold["amount_subtotal"])


def of_once(work: Work, invoice: str, price: Object, quantity: int, amount: int | None = None) -> Object:
    """A one-time price. `amount`: minor units, where the price alone does not say them."""
    line = _line(invoice, cost(price, quantity) if amount is None else amount, price["currency"], (work.now, work.now))
    product = work.get(price["product"]) or {}
    line.update(description=product.get("name") or price["nickname"] or "", pricing=pricing(price), quantity=quantity)
    return complete(line)


def of_period(
    work: Work,
    invoice: str,
    subscription: Object,
    item: Object,
    *,
    trial: bool = False,
    amount: int | None = None,
) -> Object:
    """The current period of an item, which a trial makes free. `amount`: minor units, where the price alone does
    not say them."""
    price = item["price"]
    quantity = item.get("quantity") or 0
    if trial:
        amount = 0
    elif amount is None:
        amount = cost(price, quantity)
    period = item["current_period_start"], item["current_period_end"]
    line = _line(invoice, amount, price["currency"], period)
    line.update(
        description=_description(work, price, quantity, trial),
        metadata=dict(subscription["metadata"]),
        parent=_item_parent(subscription["id"], item["id"], proration=False),
        pricing=pricing(price),
        quantity=quantity,
        subscription=subscription["id"],
    )
    return complete(line)


def of_proration(invoice: str, subscription: Object, proration: Proration) -> Object:
    """A proration that is billed at once."""
    price = proration.price
    line = _line(invoice, proration.amount, price["currency"], (proration.start, proration.end))
    line.update(
        description=proration.description,
        discountable=False,
        metadata=dict(subscription["metadata"]),
        parent=_item_parent(subscription["id"], proration.item, proration=True),
        pricing=pricing(price),
        quantity=proration.quantity,
        subscription=subscription["id"],
    )
    return complete(line)


def of_invoice_item(invoice: str, pending: Object) -> Object:
    """A pending invoice item on the invoice that takes it up."""
    parent: Object = (pending["parent"] or {}).get("subscription_details") or {}
    subscription = parent.get("subscription")
    period = pending["period"]
    line = _line(invoice, pending["amount"], pending["currency"], (period["start"], period["end"]))
    line.update(
        description=pending["description"],
        discountable=pending["discountable"],
        metadata=dict(pending["metadata"] or {}),
        parent={
            "invoice_item_details": {
                "invoice_item": pending["id"],
                "proration": pending["proration"],
                "proration_details": {"credited_items": None},
                "subscription": subscription,
            },
            "type": "invoice_item_details",
        },
        pricing=pending["pricing"],
        quantity=pending["quantity"],
        subscription=subscription,
    )
    return complete(line)


def pricing(price: Object) -> Object:
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def _line(invoice: str, amount: int, currency: str, period: tuple[int, int]) -> Object:
    return {
        "id": ids.new("line_item"),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"end": period[1], "start": period[0]},
        "pretax_credit_amounts": [],
        "subtotal": amount,
        "taxes": [],
    }


def _item_parent(subscription: str, item: str, *, proration: bool) -> Object:
    return {
        "subscription_item_details": {
            "invoice_item": None,
            "proration": proration,
            "proration_details": {"credited_items": None},
            "subscription": subscription,
            "subscription_item": item,
        },
        "type": "subscription_item_details",
    }


def _description(work: Work, price: Object, quantity: int, trial: bool) -> str:
    product = work.get(price["product"]) or {}
    name = product.get("name") or price["nickname"] or ""
    if trial:
        return f"Trial period for {name}"
    unit = f"${(price['unit_amount'] or 0) / 100:.2f}"
    every = price["recurring"]
    rhythm = (
        every["interval"] if every["interval_count"] == 1 else f"every {every['interval_count']} {every['interval']}s"
    )
    return f"{quantity} × {name} (at {unit} / {rhythm})"
