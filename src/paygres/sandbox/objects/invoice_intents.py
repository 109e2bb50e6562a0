"""What becomes of an invoice whose payment intent is confirmed elsewhere: by the buyer's browser, on the invoice's own
page, or by a bank that took its time."""

from paygres.sandbox.objects import invoice_collection, payment_intents
from paygres.sandbox.objects.routes import Params
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.wire.lists import answer_list
from paygres.sandbox.world import Work


def invoice_of(work: Work, intent: Object) -> Object | None:
    """The invoice that the intent pays."""
    payment = _payment(work, intent)
    return work.find("invoice", payment["invoice"], "invoice") if payment else None


def follow(work: Work, intent: Object, outcome: str) -> bool:
    """Carries the outcome of a try over to the invoice, after the intent's own events: `succeeded`, `processing`,
    `requires_action` or `declined`. False when the intent pays no invoice."""
    payment = _payment(work, intent)
    if payment is None:
        return False
    invoice = work.find("invoice", payment["invoice"], "invoice")
    if invoice["status"] not in ("open", "uncollectible"):
        return True
    if outcome == "succeeded":
        invoice_collection.mark_paid(work, invoice, payment=payment)
    elif outcome == "processing":
        invoice_collection.processing(work, invoice)
    elif outcome == "requires_action":
        work.emit("invoice.payment_action_required", invoice)
    else:
        invoice_collection.failed(work, invoice, automatic=False)
    return True


def authenticate(work: Work, id: str, *, passed: bool) -> Object:
    """The buyer answers the bank's question on the invoice's page; answers the invoice. Raises the 402 of a card that
    is declined afterwards, or of a challenge that was not passed."""
    invoice = work.find("invoice", id, "invoice")
    intent, _ = invoice_collection.payment_of(work, invoice)
    if invoice["status"] != "open" or intent["status"] != "requires_action":
        raise Refusal("This invoice does not wait for an authentication.", param="invoice")
    method = work.find("payment_method", intent["payment_method"], "payment_method")
    if passed:
        refusal = invoice_collection.charge(work, invoice, method, off_session=False, authenticated=True)
        if refusal is not None:
            raise refusal
        return invoice
    error: Params = payment_intents.fail_authentication(work, intent)
    invoice_collection.failed(work, invoice, automatic=False)
    raise Refusal(error["message"], status=402, type="card_error", code=error["code"])


def _payment(work: Work, intent: Object) -> Object | None:
    links = {"payment.payment_intent": intent["id"]}
    found = answer_list(work, "invoice_payment", {"limit": 1}, "", links=links).as_object()["data"]
    return found[0] if found else None
