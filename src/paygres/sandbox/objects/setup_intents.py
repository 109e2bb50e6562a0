"""Setup intents: how a card was saved without a payment; retrieved and listed."""

from paygres.sandbox import ids
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work


def succeed_at_once(work: Work, customer: str, payment_method: Object) -> Object:
    """The intent by which the customer saves this payment method, with its two events."""
    id = ids.new("setup_intent")
    intent = work.add(
        {
            "id": id,
            "object": "setup_intent",
            "automatic_payment_methods": None,
            "client_secret": f"{id}_secret_{ids.letters(25)}",
            "created": work.now,
            "customer": customer,
            "livemode": False,
            "metadata": {},
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
            "usage": "off_session",
        }
    )
    work.emit("setup_intent.created", intent)
    work.change(intent, status="succeeded", payment_method=payment_method["id"])
    work.emit("setup_intent.succeeded", intent)
    return intent


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("setup_intent", id, "intent", in_path=True)


def list_all(work: Work, params: Params) -> Page:
    links = {"customer": params.get("customer"), "payment_method": params.get("payment_method")}
    return answer_list(work, "setup_intent", params, "/v1/setup_intents", links=links)


ROUTES: Routes = {
    "GET /v1/setup_intents": list_all,
    "GET /v1/setup_intents/{intent}": retrieve,
}
