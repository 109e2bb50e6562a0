"""The hosted page's own backend as Stripe's CLI uses it (undocumented, so not in the published API):
`GET /v1/payment_pages/{cs}` and `POST /v1/payment_pages/{cs}/confirm`."""

from paygres.sandbox import confirm, delayed_payments
from paygres.sandbox.objects import bank_debits, payment_methods, saved_methods, subscription_starts
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, missing_parameter
from paygres.sandbox.world import Work


def retrieve(work: Work, params: Params, id: str) -> Object:
    session = work.find("checkout.session", id, "session", in_path=True)
    return _page(work, session)


def confirm_page(work: Work, params: Params, id: str) -> Object:
    session = confirm.open_session(work, id)
    expected, due = params.get("expected_amount"), _due(work, session)
    if expected is not None and str(due) != expected:
        raise Refusal(
            f"The expected amount {expected} does not match the session's amount {due}.",
            code="checkout_amount_mismatch",
            param="expected_amount",
        )
    free = session["mode"] == "payment" and session["payment_status"] == "no_payment_required"
    if free:
        return _page(work, confirm.confirm(work, session, None, Buyer(_email(session, None))).session)
    if "payment_method" not in params:
        raise missing_parameter("payment_method")
    payment_method = payment_methods.find(work, params["payment_method"], "payment_method")
    saved_methods.check_owner(payment_method, session["customer"], "PaymentIntent")
    saved_methods.check_use(work, payment_method)
    if payment_method["type"] not in session["payment_method_types"]:
        raise Refusal(
            f"This Checkout Session does not accept payment methods of the type `{payment_method['type']}`.",
            param="payment_method",
        )
    told = payment_method["billing_details"]
    buyer = Buyer(_email(session, told["email"]), told["name"], told["phone"], told["address"])
    if payment_method["type"] in bank_debits.CURRENCIES:
        debit = bank_debits.debit_behind(work, payment_method)
        return _page(work, delayed_payments.pay(work, session, debit, buyer, payment_method).session)
    card = payment_methods.card_behind(work, payment_method)
    return _page(work, confirm.confirm(work, session, card, buyer, payment_method).session)


def _due(work: Work, session: Object) -> int:
    """What the buyer pays now."""
    if session["mode"] == "setup":
        return 0
    return subscription_starts.due_now(session, work.hidden(session["id"]))


def _email(session: Object, typed: str | None) -> str:
    return typed or (session["customer_details"] or {}).get("email") or "stripe@example.com"


def _page(work: Work, session: Object) -> Object:
    # A page that asks for authentication tells what is to be done, as a payment intent does.
    intent = confirm.intent_of(work, session) if session["status"] == "open" else None
    return {
        "id": f"ppage_1{session['id'][-23:]}",
        "object": "checkout.session",
        "session_id": session["id"],
        "currency": session["currency"],
        "customer_email": session["customer_email"],
        "livemode": False,
        "mode": session["mode"],
        "next_action": intent["next_action"] if intent else None,
        "payment_intent": session["payment_intent"],
        "payment_method_types": session["payment_method_types"],
        "payment_status": session["payment_status"],
        "return_url": session["success_url"],
        "setup_intent": session["setup_intent"],
        "state": "succeeded" if session["status"] == "complete" else "active",
        "status": session["status"],
        "success_url": session["success_url"],
        "total_summary": {"due": _due(work, session), "subtotal": session["amount_subtotal"] or 0},
        "url": session["url"],
    }


ROUTES: Routes = {
    "GET /v1/payment_pages/{session}": retrieve,
    "POST /v1/payment_pages/{session}/confirm": confirm_page,
}
