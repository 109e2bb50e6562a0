"""Invoice items: amounts that wait for the customer's next invoice; made by hand, or by a change of a subscription."""

from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import fields, invoice_lines, invoice_papers
from paygres.sandbox.objects.prorations import Proration
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.objects.sold_items import cost
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
    quantity: int = params.get("quantity", 1)
    pricing: Object | None = None
    if "price" in params.get("pricing", {}):
        price = work.find("price", params["pricing"]["price"], "pricing[price]")
        amount, currency, pricing = cost(price, quantity), price["currency"], invoice_lines.pricing(price)
    elif "amount" in params:
        amount = params["amount"]
        currency = fields.currency(params.get("currency", "usd"), "currency")
    else:
        raise missing_parameter("amount")
    parent: Object | None = None
    if "subscription" in params:
        subscription = work.find("subscription", params["subscription"], "subscription")
        parent = _parent(subscription["id"])
    draft = work.find_living("invoice", params["invoice"], "invoice") if "invoice" in params else None
    if draft is not None and draft["status"] != "draft":
        raise Refusal("You can only add invoice items to a draft invoice.", param="invoice")
    item = _make(
        work,
        customer["id"],
        amount=amount,
        currency=currency,
        description=params.get("description"),
        discountable=params.get("discountable", True),
        metadata=metadata.from_params(params),
        parent=parent,
        period=params.get("period") or {"end": work.now, "start": work.now},
        pricing=pricing,
        quantity=quantity,
    )
    if draft is not None:
        lines = [*draft["lines"]["data"], *take_up(work, [item], draft["id"])]
        work.change(draft, **invoice_papers.added_up(draft["id"], lines, draft["starting_balance"]))
    return item


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


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find_living("invoiceitem", id, "invoiceitem", in_path=True)


def delete(work: Work, params: Params, id: str) -> Object:
    item = work.find_living("invoiceitem", id, "invoiceitem", in_path=True)
    if item["invoice"] is not None:
        raise Refusal("You cannot delete an invoice item that is attached to an invoice.")
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
    "DELETE /v1/invoiceitems/{invoiceitem}": delete,
}
