"""Invoices: the ones that a first payment has paid at once, and those made by hand; retrieved, listed, changed and
deleted. How they are collected is invoice_collection.py's part."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import (
    fields,
    invoice_items,
    invoice_papers,
    invoice_payments,
    subscription_discounts,
)
from paygres.sandbox.objects.periods import DAY
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
    """The first invoice of a subscription, which the charge has paid already; one that its bank has not answered yet
    leaves it open. Not announced. `balance`: what it settles, default the customer's."""
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
    if charge is not None and intent is not None and not charge["paid"]:
        invoice = work.add({**draft, "attempt_count": 1, "attempted": True})
        return Paid(invoice, invoice_payments.make(work, invoice, intent, paid=False))
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
    """The four events of an invoice that was paid at once, each with the invoice as it was then; the first two of one
    that is still open."""
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
    if invoice["status"] == "paid":
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
    currency = fields.currency(params.get("currency") or customer["currency"] or "usd", "currency")
    discounts = _discounts(work, params, id, customer["id"], currency, ())
    if subscription is not None and not params.get("discounts"):
        discounts = subscription["discounts"]
    advances: bool = params.get("auto_advance", False)
    invoice = work.add(
        invoice_papers.draw_up(
            work,
            id,
            customer,
            invoice_items.take_up(work, pending, id),
            currency=currency,
            reason="manual",
            subscription=subscription,
            auto_advance=advances,
            automatically_finalizes_at=_finalizes_at(work, params, advances),
            discounts=discounts,
            **_collection(work, params),
            **fields.given(params, PLAIN),
            metadata=metadata.from_params(params),
        )
    )
    work.emit("invoice.created", invoice)
    _schedule(work, invoice)
    return invoice


PLAIN = ("custom_fields", "default_payment_method", "description", "footer", "number", "statement_descriptor")
# How long a draft waits that nobody finalizes.
DRAFT_FOR = 3600


def _collection(work: Work, params: Params) -> dict[str, Any]:
    """How the invoice is collected, and by when it is to be paid."""
    changes = fields.given(params, ("collection_method",))
    due = "due_date" in params or "days_until_due" in params
    if due and params.get("collection_method") == "charge_automatically":
        raise Refusal(
            "You can only set due_date or days_until_due if invoice billing is set to send_invoice.",
            param="days_until_due" if "days_until_due" in params else "due_date",
        )
    if params.get("collection_method") == "send_invoice" and not due:
        raise Refusal("You must pass either days_until_due or due_date if billing is set to send_invoice.")
    if "days_until_due" in params:
        changes["due_date"] = work.now + params["days_until_due"] * DAY
    elif "due_date" in params:
        changes["due_date"] = params["due_date"]
    return changes


def _finalizes_at(work: Work, params: Params, advances: bool) -> int | None:
    return params.get("automatically_finalizes_at", work.now + DRAFT_FOR) if advances else None


def _schedule(work: Work, invoice: Object) -> None:
    if invoice["automatically_finalizes_at"] is not None:
        work.at(invoice["automatically_finalizes_at"], "advance_invoice", invoice["id"])


def _discounts(
    work: Work, params: Params, id: str, customer: str, currency: str, present: Sequence[str]
) -> Sequence[str]:
    """The ids of the discounts that the parameters give to the invoice itself."""
    wanted = subscription_discounts.read(
        work, params.get("discounts") or (), customer=customer, currency=currency, subtotal=0, present=present
    )
    made = subscription_discounts.made(work, wanted, customer=customer, invoice=id)
    return subscription_discounts.ids_of(made)


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find_living("invoice", id, "invoice", in_path=True)


def update(work: Work, params: Params, id: str) -> Object:
    invoice = work.find_living("invoice", id, "invoice", in_path=True)
    changes = fields.given(params, ("auto_advance", *PLAIN))
    changes["metadata"] = metadata.merged(invoice["metadata"], params.get("metadata"))
    of_draft = params.keys() & {"collection_method", "days_until_due", "discounts", "due_date"}
    if of_draft and invoice["status"] != "draft":
        raise Refusal(
            "Finalized invoices can't be updated in this way.", code="invoice_not_editable", param=min(of_draft)
        )
    if invoice["status"] == "draft":
        changes |= _collection(work, params)
        if "auto_advance" in params or "automatically_finalizes_at" in params:
            advances = params.get("auto_advance", invoice["auto_advance"])
            changes["automatically_finalizes_at"] = _finalizes_at(work, params, advances)
    if "discounts" in params:
        present = invoice["discounts"]
        invoice_currency = invoice["currency"]
        changes["discounts"] = _discounts(work, params, id, invoice["customer"], invoice_currency, present)
        changes |= invoice_papers.relined(work, {**invoice, **changes}, invoice["lines"]["data"])
    changed = work.update_and_emit(invoice, "invoice.updated", **changes)
    if "automatically_finalizes_at" in changes:
        _schedule(work, changed)
    return changed


def delete(work: Work, params: Params, id: str) -> Object:
    invoice = work.find_living("invoice", id, "invoice", in_path=True)
    if invoice["status"] != "draft":
        raise Refusal("You can only delete draft invoices.", code="invoice_not_editable")
    invoice_items.release(work, invoice)
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
