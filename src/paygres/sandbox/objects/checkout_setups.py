"""Checkout sessions in `setup` mode: nothing is sold, and the page saves a payment method through a setup intent."""

from paygres.sandbox.objects import fields, payment_intent_checks, setup_intents
from paygres.sandbox.objects.line_items import Bought
from paygres.sandbox.objects.routes import Params
from paygres.sandbox.objects.setup_intents import fail_authentication
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, missing_parameter
from paygres.sandbox.world import Work

__all__ = ["FIELDS", "fail_authentication", "make_intent", "nothing", "save"]

# What such a session shows instead of amounts.
FIELDS: Object = {"amount_subtotal": None, "amount_total": None, "payment_status": "no_payment_required"}


def nothing(params: Params) -> Bought:
    """What such a session sells; raises `Refusal` for a request that names something."""
    if "line_items" in params:
        raise Refusal("You can not pass `line_items` in `setup` mode.", param="line_items")
    if "currency" not in params and "payment_method_types" not in params:
        raise missing_parameter("currency")
    currency = fields.currency(params["currency"], "currency") if "currency" in params else ""
    return Bought([], currency, 0, recurring=False)


def make_intent(work: Work, params: Params, types: list[str], customer: str | None) -> str:
    """The id of the session's setup intent, which is there from the beginning."""
    given: Params = params.get("setup_intent_data", {})
    intent = setup_intents.make(
        work,
        customer,
        description=given.get("description"),
        metadata=metadata.from_params(given, "setup_intent_data[metadata]"),
        payment_method_options={
            kind: {"request_three_d_secure": "automatic"} if kind == "card" else {} for kind in types
        },
        payment_method_types=types,
    )
    work.emit("setup_intent.created", intent)
    return intent["id"]


def save(
    work: Work,
    session: Object,
    customer: Object | None,
    payment_method: Object,
    page: str,
    *,
    authenticated: bool,
) -> bool:
    """Saves the buyer's payment method for the customer, if there is one; False while the buyer must authenticate.
    Raises the 402 of a decline, after which the session stays open."""
    intent = work.find("setup_intent", session["setup_intent"], "setup_intent")
    payment_intent_checks.takes(intent, payment_method, "SetupIntent")
    if customer is not None and intent["customer"] != customer["id"]:
        work.change(intent, customer=customer["id"])
    return setup_intents.attempt(work, intent, payment_method, page=page, authenticated=authenticated)
