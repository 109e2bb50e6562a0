"""The hosted page's own backend as Stripe's CLI uses it (undocumented, so not in the published API):
`GET /v1/payment_pages/{cs}` and `POST /v1/payment_pages/{cs}/confirm`."""

from paygres.sandbox import confirm, delayed_payments
from paygres.sandbox.objects import bank_debits, payment_methods
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, missing_parameter
from paygres.sandbox.world import Work


def retrieve(work: Work, params: Params, id: str) -> Object:
    session = work.find("checkout.session", id, "session", in_path=True)
    return _page(session)


def confirm_page(work: Work, params: Params, id: str) -> Object:
    session = confirm.open_session(work, id)
    expected = params.get("expected_amount")
    if expected is not None and str(session["amount_total"]) != expected:
        raise Refusal(
            f"The expected amount {expected} does not match the session's amount {session['amount_total']}.",
            code="checkout_amount_mismatch",
            param="expected_amount",
        )
    if "payment_method" not in params:
        raise missing_parameter("payment_method")
    payment_method = _method(work, params["payment_method"])
    told = payment_method["billing_details"]
    email = told["email"] or (session["customer_details"] or {}).get("email") or "stripe@example.com"
    buyer = Buyer(email, told["name"], told["phone"], told["address"])
    if payment_method["type"] == bank_debits.TYPE:
        debit = bank_debits.debit_behind(work, payment_method)
        return _page(delayed_payments.pay(work, session, debit, buyer, payment_method).session)
    card = payment_methods.card_behind(work, payment_method)
    return _page(confirm.confirm(work, session, card, buyer, payment_method).session)


def _method(work: Work, id: str) -> Object:
    """A stored payment method, or a new one from a name: `pm_card_visa`, `pm_success_at`."""
    debit = bank_debits.debit_of(id) if id in bank_debits.NAMED else None
    if debit is not None:
        return bank_debits.make_method(work, debit, Buyer("stripe@example.com", "Test Buyer"))
    return payment_methods.find(work, id, "payment_method")


def _page(session: Object) -> Object:
    return {
        "id": f"ppage_1{session['id'][-23:]}",
        "object": "checkout.session",
        "session_id": session["id"],
        "currency": session["currency"],
        "customer_email": session["customer_email"],
        "livemode": False,
        "mode": session["mode"],
        "payment_intent": session["payment_intent"],
        "payment_status": session["payment_status"],
        "return_url": session["success_url"],
        "state": "succeeded" if session["status"] == "complete" else "active",
        "status": session["status"],
        "success_url": session["success_url"],
        "total_summary": {"due": session["amount_total"], "subtotal": session["amount_subtotal"]},
        "url": session["url"],
    }


ROUTES: Routes = {
    "GET /v1/payment_pages/{session}": retrieve,
    "POST /v1/payment_pages/{session}/confirm": confirm_page,
}
