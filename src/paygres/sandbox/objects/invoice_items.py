"""Invoice items: amounts that wait for the customer's next invoice; made by hand, or by a change of a subscription."""

from fractions import Fraction
from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import fields, invoice_lines, invoice_papers, prices
from paygres.sandbox.objects.prorations import Proration
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.objects.sold_items import cost, rounded
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, missing_parameter
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

PENDING = "seq NOT IN (SELECT seq FROM links WHERE name = ?)"
TAKEN = "seq IN (SELECT seq FROM links WHERE name = ?)"


def create(work: Work, params: Params) -> Object:
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = work.find_living("customer", params["customer"], "customer")
    parent: Object | None = None
    if "subscription" in params:
        subscription = work.find("subscription", params["subscription"], "subscription")
        parent = _parent(subscription["id"])
    draft = _draft(work, params["invoice"]) if "invoice" in params else None
    if params.get("discounts"):
        raise Refusal("The sandbox gives discounts to whole invoices only.", param="discounts")
    unpriced: Object = {"currency": (draft or customer)["currency"] or "usd", "pricing": None, "quantity": 1}
    item = _make(
        work,
        customer["id"],
        **{**unpriced, **_priced(work, params)},
        description=params.get("description"),
        discountable=params.get("discountable", True),
        metadata=metadata.from_params(params),
        parent=parent,
        period=params.get("period") or {"end": work.now, "start": work.now},
    )
    if draft is not None:
        lines = [*draft["lines"]["data"], *take_up(work, [item], draft["id"])]
        work.change(draft, **invoice_papers.relined(work, draft, lines))
    return item


def update(work: Work, params: Params, id: str) -> Object:
    """Until the invoice that took it up is finalized, whose line changes with it."""
    item = work.find_living("invoiceitem", id, "invoiceitem", in_path=True)
    draft = _draft(work, item["invoice"]) if item["invoice"] else None
    changes = fields.given(params, ("description", "discountable", "period"))
    if params.keys() & {"amount", "pricing", "price_data", "quantity", "unit_amount_decimal"}:
        unit = {} if "amount" in params or "pricing" in params or "price_data" in params else _unit(item)
        changes |= _priced(work, {"quantity": item["quantity"], **unit, **params})
        changes |= {"net_amount": changes["amount"], "quantity_decimal": str(changes["quantity"])}
        changes.pop("currency", None)
    changes["metadata"] = metadata.merged(item["metadata"], params.get("metadata"))
    work.change(item, **changes)
    if draft is not None:
        lines = [
            {**invoice_lines.of_invoice_item(draft["id"], item), "id": line["id"]} if _is_of(line, id) else line
            for line in draft["lines"]["data"]
        ]
        work.change(draft, **invoice_papers.relined(work, draft, lines))
    return item


def _priced(work: Work, params: Params) -> Object:
    """amount, currency, pricing and quantity, as far as the parameters say them."""
    quantity: int = params.get("quantity", 1)
    if "price" in params.get("pricing", {}):
        price = work.find("price", params["pricing"]["price"], "pricing[price]")
        return _of_price(price, quantity)
    if "price_data" in params:
        work.find_living("product", params["price_data"]["product"], "price_data[product]")
        price = prices.make(work, params["price_data"], "price_data", active=False, announced=False)
        return _of_price(price, quantity)
    priced: Object = {"quantity": quantity}
    if "currency" in params:
        priced["currency"] = fields.currency(params["currency"], "currency")
    if "amount" in params:
        return {**priced, "amount": params["amount"], "quantity": 1}
    if "unit_amount_decimal" in params:
        return {**priced, "amount": rounded(Fraction(params["unit_amount_decimal"]) * quantity)}
    raise missing_parameter("amount")


def _of_price(price: Object, quantity: int) -> Object:
    amount = cost(price, quantity)
    pricing = invoice_lines.pricing(price)
    return {"amount": amount, "currency": price["currency"], "pricing": pricing, "quantity": quantity}


def _unit(item: Object) -> Params:
    """What one of it costs, for a change of the quantity alone."""
    return {"unit_amount_decimal": str(item["amount"] / (item["quantity"] or 1))}


def _draft(work: Work, id: str) -> Object:
    draft = work.find_living("invoice", id, "invoice")
    if draft["status"] != "draft":
        raise Refusal("You can only add invoice items to a draft invoice.", param="invoice")
    return draft


def _is_of(line: Object, item: str) -> bool:
    return ((line["parent"] or {}).get("invoice_item_details") or {}).get("invoice_item") == item


def of_proration(work: Work, subscription: Object, proration: Proration) -> Object:
    """A proration that waits for the subscription's next invoice."""
    return _make(
        work,
        subscription["customer"],
        amount=proration.amount,
        currency=proration.price["currency"],
        description=proration.description,
        discountable=False,
        metadata=dict(subscription["metadata"]),
        parent=_parent(subscription["id"], proration.item),
        period={"end": proration.end, "start": proration.start},
        pricing=invoice_lines.pricing(proration.price),
        quantity=proration.quantity,
        proration=True,
    )


def pending(work: Work, customer: str, subscription: str | None) -> list[Object]:
    """What the next invoice takes up, oldest first: the subscription's own items and those of none."""
    rows = list_all(work, {"customer": customer, "pending": True, "limit": 100}).as_object()["data"]
    return [one for one in reversed(rows) if _subscription_of(one) in (None, subscription)]


def take_up(work: Work, items: list[Object], invoice: str) -> list[Object]:
    """The lines of the invoice for these items, which are pending no more."""
    for item in items:
        work.change(item, invoice=invoice)
    return [invoice_lines.of_invoice_item(invoice, item) for item in items]


def release(work: Work, draft: Object) -> None:
    """The draft is deleted: its items wait for another invoice."""
    for item in list_all(work, {"invoice": draft["id"], "limit": 100}).as_object()["data"]:
        work.change(item, invoice=None)


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find_living("invoiceitem", id, "invoiceitem", in_path=True)


def delete(work: Work, params: Params, id: str) -> Object:
    item = work.find_living("invoiceitem", id, "invoiceitem", in_path=True)
    if item["invoice"] is not None:
        draft = work.find("invoice", item["invoice"], "invoice")
        if draft["status"] != "draft":
            raise Refusal("You cannot delete an invoice item that is attached to an invoice.")
        lines = [line for line in draft["lines"]["data"] if not _is_of(line, id)]
        work.change(draft, **invoice_papers.relined(work, draft, lines))
    tombstone = work.bury(item)
    work.emit("invoiceitem.deleted", item)
    return tombstone


def list_all(work: Work, params: Params) -> Page:
    links = {"customer": params.get("customer"), "invoice": params.get("invoice")}
    conditions: list[tuple[str, Any]] = []
    if "pending" in params:
        conditions.append((PENDING if params["pending"] else TAKEN, "invoiceitem.invoice"))
    return answer_list(work, "invoiceitem", params, "/v1/invoiceitems", links=links, conditions=conditions)


def _make(work: Work, customer: str, *, quantity: int, proration: bool = False, **given: Any) -> Object:
    item = work.add(
        {
            "id": ids.new("invoiceitem"),
            "object": "invoiceitem",
            "customer": customer,
            "date": work.now,
            "discounts": [],
            "livemode": False,
            "net_amount": given["amount"],
            "proration": proration,
            "quantity": quantity,
            "quantity_decimal": str(quantity),
            "tax_rates": [],
            "test_clock": work.clock,
            **given,
        }
    )
    work.emit("invoiceitem.created", item)
    return item


def _parent(subscription: str, item: str = "") -> Object:
    details: Object = {"subscription": subscription}
    if item:
        details["subscription_item"] = item
    return {"subscription_details": details, "type": "subscription_details"}


def _subscription_of(item: Object) -> str | None:
    return ((item["parent"] or {}).get("subscription_details") or {}).get("subscription")


ROUTES: Routes = {
    "POST /v1/invoiceitems": create,
    "GET /v1/invoiceitems": list_all,
    "GET /v1/invoiceitems/{invoiceitem}": retrieve,
    "POST /v1/invoiceitems/{invoiceitem}": update,
    "DELETE /v1/invoiceitems/{invoiceitem}": delete,
}
