"""Invoices and their payments: the first, paid invoice of a subscription; retrieved and listed."""

from dataclasses import dataclass

from paygres.sandbox import ids
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object, complete
from paygres.sandbox.wire.lists import Page, answer_list, inline_page
from paygres.sandbox.world import Work


@dataclass(frozen=True, slots=True)
class Paid:
    invoice: Object
    payment: Object | None


def first(
    work: Work,
    id: str,
    subscription: Object,
    customer: Object,
    sold: list[Object],
    intent: Object | None,
    charge: Object | None,
) -> Paid:
    """The invoice that a checkout's payment has already paid. Not announced."""
    trial = subscription["status"] == "trialing"
    lines = [_line(work, id, subscription, one, trial) for one in sold]
    total = sum(line["amount"] for line in lines)
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    work.change(customer, next_invoice_sequence=customer["next_invoice_sequence"] + 1)
    page = f"{work.world.origin}/invoices/{id}"
    invoice = work.add(
        {
            "id": id,
            "object": "invoice",
            "account_country": "US",
            "account_name": "Paygres Sandbox",
            "amount_due": total,
            "amount_overpaid": 0,
            "amount_paid": total,
            "amount_paid_off_stripe": 0,
            "amount_remaining": 0,
            "amount_shipping": 0,
            "attempt_count": 1 if charge else 0,
            "attempted": True,
            "auto_advance": False,
            "automatic_tax": {"enabled": False},
            "billing_reason": "subscription_create",
            "collection_method": "charge_automatically",
            "created": work.now,
            "currency": subscription["currency"],
            "customer": customer["id"],
            "customer_email": customer["email"],
            "customer_name": customer["name"],
            "customer_tax_exempt": "none",
            "customer_tax_ids": [],
            "default_tax_rates": [],
            "discounts": [],
            "effective_at": work.now,
            "ending_balance": 0,
            "hosted_invoice_url": page,
            "invoice_pdf": f"{page}/pdf",
            "issuer": {"type": "self"},
            "lines": inline_page(lines, f"/v1/invoices/{id}/lines", {"limit": 100}),
            "livemode": False,
            "metadata": {},
            "number": number,
            "parent": {
                "subscription_details": {
                    "metadata": dict(subscription["metadata"]),
                    "subscription": subscription["id"],
                },
                "type": "subscription_details",
            },
            "payment_settings": {},
            "period_end": work.now,
            "period_start": work.now,
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "starting_balance": 0,
            "status": "paid",
            "status_transitions": {"finalized_at": work.now, "paid_at": work.now},
            "subtotal": total,
            "subtotal_excluding_tax": total,
            "total": total,
            "total_discount_amounts": [],
            "total_excluding_tax": total,
            "total_pretax_credit_amounts": [],
            "total_taxes": [],
            "webhooks_delivered_at": work.now,
        }
    )
    payment = _payment(work, invoice, intent) if intent and charge else None
    return Paid(invoice, payment)


def announce_paid(work: Work, invoice: Object) -> None:
    """The four events of an invoice that was paid at once, each with the invoice as it was then."""
    transitions: Object = invoice["status_transitions"]
    open_again: Object = {
        "amount_paid": 0,
        "amount_remaining": invoice["amount_due"],
        "attempt_count": 0,
        "attempted": False,
        "status": "open",
        "status_transitions": {**transitions, "paid_at": None},
    }
    draft: Object = {
        **open_again,
        "effective_at": None,
        "ending_balance": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "number": None,
        "status": "draft",
        "status_transitions": {**transitions, "paid_at": None, "finalized_at": None},
        "webhooks_delivered_at": None,
    }
    work.emit("invoice.created", {**invoice, **draft})
    work.emit("invoice.finalized", {**invoice, **open_again})
    work.emit("invoice.paid", invoice)
    work.emit("invoice.payment_succeeded", invoice)


def announce_payment(work: Work, id: str) -> None:
    """The timer: invoice_payment.paid comes seconds after the rest."""
    payment = work.get(id)
    if payment is not None:
        work.emit("invoice_payment.paid", payment, automatic=True)


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("invoice", id, "invoice", in_path=True)


def list_all(work: Work, params: Params) -> Page:
    links = {name: params.get(name) for name in ("customer", "status", "collection_method")}
    links["parent.subscription_details.subscription"] = params.get("subscription")
    return answer_list(work, "invoice", params, "/v1/invoices", links=links)


def retrieve_payment(work: Work, params: Params, id: str) -> Object:
    return work.find("invoice_payment", id, "invoice_payment", in_path=True)


def list_payments(work: Work, params: Params) -> Page:
    asked = params.get("payment", {})
    links = {
        "invoice": params.get("invoice"),
        "status": params.get("status"),
        "payment.type": asked.get("type"),
        "payment.payment_intent": asked.get("payment_intent"),
    }
    return answer_list(work, "invoice_payment", params, "/v1/invoice_payments", links=links)


def include_payments(work: Work, invoice: Object) -> Object:
    """What `expand[]=payments` adds."""
    page = list_payments(work, {"invoice": invoice["id"]})
    return page.as_object(f"/v1/invoice_payments?invoice={invoice['id']}")


def _payment(work: Work, invoice: Object, intent: Object) -> Object:
    return work.add(
        {
            "id": ids.new("invoice_payment"),
            "object": "invoice_payment",
            "amount_paid": invoice["amount_paid"],
            "amount_requested": invoice["amount_due"],
            "created": work.now,
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "paid",
            "status_transitions": {"paid_at": work.now},
        }
    )


def _line(work: Work, invoice: str, subscription: Object, sold: Object, trial: bool) -> Object:
    price = sold["price"]
    recurring = price["recurring"]
    item = next((one for one in subscription["items"]["data"] if one["price"]["id"] == price["id"]), None)
    amount = 0 if trial and recurring else sold["amount_total"]
    end = item["current_period_end"] if item else work.now
    of_item = {
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "subscription": subscription["id"],
            "subscription_item": item["id"] if item else "",
        },
        "type": "subscription_item_details",
    }
    return complete(
        {
            "id": ids.new("line_item"),
            "object": "line_item",
            "amount": amount,
            "currency": sold["currency"],
            "description": _description(sold, trial),
            "discount_amounts": [],
            "discountable": True,
            "discounts": [],
            "invoice": invoice,
            "livemode": False,
            "metadata": dict(subscription["metadata"]) if recurring else {},
            "parent": of_item if item else None,
            "period": {"end": end, "start": work.now},
            "pretax_credit_amounts": [],
            "pricing": {
                "price_details": {"price": price["id"], "product": price["product"]},
                "type": "price_details",
                "unit_amount_decimal": price["unit_amount_decimal"],
            },
            "quantity": sold["quantity"],
            "subtotal": amount,
            "subscription": subscription["id"] if item else None,
            "taxes": [],
        }
    )


def _description(sold: Object, trial: bool) -> str:
    recurring = sold["price"]["recurring"]
    if recurring is None:
        return sold["description"] or ""
    if trial:
        return f"Trial period for {sold['description']}"
    unit = f"${(sold['price']['unit_amount'] or 0) / 100:.2f}"
    return f"{sold['quantity']} × {sold['description']} (at {unit} / {recurring['interval']})"


ROUTES: Routes = {
    "GET /v1/invoices/{invoice}": retrieve,
    "GET /v1/invoices": list_all,
    "GET /v1/invoice_payments/{invoice_payment}": retrieve_payment,
    "GET /v1/invoice_payments": list_payments,
}
