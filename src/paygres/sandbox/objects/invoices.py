"""Invoices: the ones that a first payment has paid at once, and those made by hand; retrieved, listed, changed and
deleted. How they are collected is invoice_collection.py's part."""

from collections.abc import Sequence
from dataclasses import dataclass

from paygres.sandbox import ids
from paygres.sandbox.objects import fields, invoice_items, invoice_papers, invoice_payments
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, missing_parameter
from paygres.sandbox.wire.lists import Page, answer_list, inline_page
from paygres.sandbox.world import Work


@dataclass(frozen=True, slots=True)
class Paid:
    invoice: Object
    payment: Object | None


def paid_at_once(
    work: Work,
    id: str,
    subscription: Object,
    customer: Object,
    lines: Sequence[Object],
    intent: Object | None,
    charge: Object | None,
    balance: int | None = None,
) -> Paid:
    """The first invoice of a subscription, which the charge has paid already. Not announced. `balance`: what it
    settles, default the customer's."""
    draft = invoice_papers.draw_up(
        work,
        id,
        customer,
        lines,
        currency=subscription["currency"],
        reason="subscription_create",
        subscription=subscription,
        balance=balance,
        auto_advance=False,
    )
    draft.update(invoice_papers.finalized(work, draft, customer))
    invoice = work.add(
        {
            **draft,
            "amount_paid": draft["amount_due"],
            "amount_remaining": 0,
            "attempt_count": 1 if charge else 0,
            "attempted": True,
            "status": "paid",
            "status_transitions": {"finalized_at": work.now, "paid_at": work.now},
        }
    )
    payment = invoice_payments.make(work, invoice, intent, paid=True) if intent and charge else None
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


def create(work: Work, params: Params) -> Object:
    """A draft by hand: of the customer's pending items only when it is asked to include them, or of a subscription."""
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = work.find_living("customer", params["customer"], "customer")
    subscription: Object | None = None
    if "subscription" in params:
        subscription = work.find("subscription", params["subscription"], "subscription")
    id = ids.new("invoice")
    takes = subscription is not None or params.get("pending_invoice_items_behavior") == "include"
    pending = invoice_items.pending(work, customer["id"], params.get("subscription")) if takes else []
    given = fields.given(params, ("collection_method", "default_payment_method", "description", "footer", "due_date"))
    invoice = work.add(
        invoice_papers.draw_up(
            work,
            id,
            customer,
            invoice_items.take_up(work, pending, id),
            currency=fields.currency(params.get("currency") or customer["currency"] or "usd", "currency"),
            reason="manual",
            subscription=subscription,
            auto_advance=params.get("auto_advance", False),
            **given,
            metadata=metadata.from_params(params),
        )
    )
    work.emit("invoice.created", invoice)
    return invoice


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find_living("invoice", id, "invoice", in_path=True)


def update(work: Work, params: Params, id: str) -> Object:
    invoice = work.find_living("invoice", id, "invoice", in_path=True)
    changes = fields.given(params, ("auto_advance", "default_payment_method", "description", "footer"))
    changes["metadata"] = metadata.merged(invoice["metadata"], params.get("metadata"))
    return work.update_and_emit(invoice, "invoice.updated", **changes)


def delete(work: Work, params: Params, id: str) -> Object:
    invoice = work.find_living("invoice", id, "invoice", in_path=True)
    if invoice["status"] != "draft":
        raise Refusal("You can only delete draft invoices.", code="invoice_not_editable")
    tombstone = work.bury(invoice)
    work.emit("invoice.deleted", invoice)
    return tombstone


def list_all(work: Work, params: Params) -> Page:
    links = {name: params.get(name) for name in ("customer", "status", "collection_method")}
    links["parent.subscription_details.subscription"] = params.get("subscription")
    return answer_list(work, "invoice", params, "/v1/invoices", links=links)


def list_lines(work: Work, params: Params, id: str) -> Object:
    invoice = work.find_living("invoice", id, "invoice", in_path=True)
    return inline_page(invoice["lines"]["data"], f"/v1/invoices/{id}/lines", params)


ROUTES: Routes = {
    "POST /v1/invoices": create,
    "GET /v1/invoices": list_all,
    "GET /v1/invoices/{invoice}": retrieve,
    "POST /v1/invoices/{invoice}": update,
    "DELETE /v1/invoices/{invoice}": delete,
    "GET /v1/invoices/{invoice}/lines": list_lines,
}
