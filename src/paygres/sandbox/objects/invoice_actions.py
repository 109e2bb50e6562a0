"""What can be done to an invoice by request: finalize, pay, void, give up, send."""

from paygres.sandbox.objects import invoice_collection, payment_methods
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work

NOT_OPEN = "You can only pass in open invoices. This invoice isn't open."


def finalize(work: Work, params: Params, id: str) -> Object:
    invoice = _find(work, id)
    if invoice["status"] != "draft":
        raise Refusal(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.", code="invoice_not_editable"
        )
    work.change(
        invoice, auto_advance=params.get("auto_advance", invoice["auto_advance"]), automatically_finalizes_at=None
    )
    opened = invoice_collection.open_up(work, invoice)
    if opened["status"] == "open" and opened["auto_advance"] and opened["collection_method"] == "send_invoice":
        work.emit("invoice.sent", opened)
    return opened


def pay(work: Work, params: Params, id: str) -> Object:
    invoice = _find(work, id)
    if invoice["status"] == "draft" and invoice_collection.open_up(work, invoice)["status"] == "paid":
        return invoice
    if invoice["status"] == "paid":
        raise Refusal("Invoice is already paid")
    if invoice["status"] == "void":
        raise Refusal("Invoice is voided and cannot be paid.")
    if params.get("paid_out_of_band"):
        invoice_collection.mark_paid(work, invoice, out_of_band=True)
        return invoice
    customer = work.find("customer", invoice["customer"], "customer")
    if "payment_method" in params:
        method: Object | None = payment_methods.find(work, params["payment_method"], "payment_method")
    else:
        subscription = invoice_collection.subscription_of(work, invoice)
        named = invoice["default_payment_method"]
        method = work.get(named) if named else invoice_collection.method_of(work, customer, subscription)
    if method is None:
        raise invoice_collection.no_payment_method()
    refusal = invoice_collection.charge(work, invoice, method, off_session=params.get("off_session", True))
    if refusal is not None:
        raise refusal
    return invoice


def void(work: Work, params: Params, id: str) -> Object:
    invoice = _find(work, id)
    if invoice["status"] not in ("open", "uncollectible"):
        raise Refusal(NOT_OPEN)
    return invoice_collection.void_open(work, invoice)


def mark_uncollectible(work: Work, params: Params, id: str) -> Object:
    invoice = _find(work, id)
    if invoice["status"] != "open":
        raise Refusal(NOT_OPEN)
    return invoice_collection.give_up(work, invoice)


def send(work: Work, params: Params, id: str) -> Object:
    invoice = _find(work, id)
    if invoice["status"] == "draft":
        invoice_collection.open_up(work, invoice)
    work.emit("invoice.sent", invoice)
    return invoice


def _find(work: Work, id: str) -> Object:
    return work.find_living("invoice", id, "invoice", in_path=True)


ROUTES: Routes = {
    "POST /v1/invoices/{invoice}/finalize": finalize,
    "POST /v1/invoices/{invoice}/pay": pay,
    "POST /v1/invoices/{invoice}/void": void,
    "POST /v1/invoices/{invoice}/mark_uncollectible": mark_uncollectible,
    "POST /v1/invoices/{invoice}/send": send,
}
