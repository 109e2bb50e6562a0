"""Invoice payments: which payment intent pays which invoice; retrieved and listed from either side."""

from paygres.sandbox import ids
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work


def make(work: Work, invoice: Object, intent: Object, *, paid: bool) -> Object:
    """The link between the two; `paid`: the intent has succeeded already."""
    return work.add(
        {
            "id": ids.new("invoice_payment"),
            "object": "invoice_payment",
            "amount_paid": invoice["amount_due"] if paid else None,
            "amount_requested": invoice["amount_due"],
            "created": work.now,
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "paid" if paid else "open",
            "status_transitions": {"paid_at": work.now if paid else None},
        }
    )


def settle(work: Work, payment: Object) -> None:
    """Its intent has succeeded; invoice_payment.paid comes seconds later."""
    transitions = {**payment["status_transitions"], "paid_at": work.now}
    work.change(payment, status="paid", amount_paid=payment["amount_requested"], status_transitions=transitions)
    announce_later(work, payment)


def cancel(work: Work, payment: Object) -> None:
    transitions = {**payment["status_transitions"], "canceled_at": work.now}
    work.change(payment, status="canceled", status_transitions=transitions)


def announce_later(work: Work, payment: Object) -> None:
    work.later(work.world.settings.settle_after, "announce_invoice_payment", payment["id"])


def announce(work: Work, id: str) -> None:
    """The timer: invoice_payment.paid comes seconds after the rest."""
    payment = work.get(id)
    if payment is not None:
        work.emit("invoice_payment.paid", payment, automatic=True)


def of_invoice(work: Work, invoice: Object) -> Object | None:
    """The payment by which the invoice is, or is to be, paid."""
    found = list_all(work, {"invoice": invoice["id"], "limit": 1}).as_object()["data"]
    return found[0] if found else None


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("invoice_payment", id, "invoice_payment", in_path=True)


def list_all(work: Work, params: Params) -> Page:
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
    page = list_all(work, {"invoice": invoice["id"]})
    return page.as_object(f"/v1/invoice_payments?invoice={invoice['id']}")


ROUTES: Routes = {
    "GET /v1/invoice_payments/{invoice_payment}": retrieve,
    "GET /v1/invoice_payments": list_all,
}
