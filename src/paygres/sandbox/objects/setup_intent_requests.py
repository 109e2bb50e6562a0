"""What requests do with setup intents: create, update, confirm, cancel."""

from typing import Any

from paygres.sandbox.objects import (
    bank_debits,
    fields,
    payment_intent_checks,
    saved_methods,
    setup_intents,
)
from paygres.sandbox.objects.payment_intent_checks import unexpected
from paygres.sandbox.objects.payment_intents import check_secret
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.world import Work

NOUN = "SetupIntent"
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
ENDED = {
    "succeeded": "You cannot confirm this SetupIntent because it has already succeeded.",
    "canceled": "You cannot confirm this SetupIntent because it has been canceled.",
}


def create(work: Work, params: Params) -> Object:
    payment_intent_checks.simulated(params)
    confirms = params.get("confirm", False)
    if not confirms:
        payment_intent_checks.only_with_confirm(params, NOUN)
    customer = params.get("customer")
    if customer is not None:
        work.find_living("customer", customer, "customer")
    types, automatic = payment_intent_checks.method_types(params, None)
    given = {
        "automatic_payment_methods": automatic,
        "description": params.get("description"),
        "metadata": metadata.from_params(params),
        "payment_method_options": payment_intent_checks.options(types, params.get("payment_method_options")),
        "payment_method_types": types,
        "excluded_payment_method_types": params.get("excluded_payment_method_types"),
        "usage": params.get("usage", "off_session"),
    }
    if "flow_directions" in params:
        given["flow_directions"] = params["flow_directions"]
    intent = setup_intents.make(work, customer, **given)
    asked = params.get("automatic_payment_methods")
    if asked and asked.get("enabled"):
        work.store.set_hidden(intent["id"], {"automatic_payment_methods": asked})
    payment_method = _given_method(work, intent, params, known=False)
    if payment_method is not None:
        work.change(intent, payment_method=payment_method["id"], status="requires_confirmation")
    # The event shows the intent before it is confirmed.
    work.emit("setup_intent.created", intent)
    return _confirm(work, intent, params, payment_method) if confirms else intent


def update(work: Work, params: Params, id: str) -> Object:
    intent = work.find("setup_intent", id, "intent", in_path=True)
    for name in params if intent["status"] not in OPEN else ():
        if name not in ("description", "metadata"):
            raise unexpected(
                intent,
                f"This SetupIntent's {name} could not be updated because it has a status of {intent['status']}. You "
                f"may only update the {name} of a SetupIntent with one of the following statuses: {', '.join(OPEN)}.",
                name,
            )
    changes: dict[str, Any] = fields.given(params, ("description",))
    changes["metadata"] = metadata.merged(intent["metadata"] or {}, params.get("metadata"))
    if "payment_method_types" in params:
        types, _ = payment_intent_checks.method_types(params, None)
        changes.update(payment_method_types=types, automatic_payment_methods=None)
    if "payment_method_options" in params:
        types = changes.get("payment_method_types", intent["payment_method_types"])
        changes["payment_method_options"] = payment_intent_checks.options(types, params["payment_method_options"])
    if "customer" in params:
        changes["customer"] = work.find_living("customer", params["customer"], "customer")["id"]
    payment_method = _given_method(work, {**intent, **changes}, params)
    if payment_method is not None:
        changes.update(payment_method=payment_method["id"], status="requires_confirmation", next_action=None)
    work.change(intent, **changes)
    return intent


def confirm(work: Work, params: Params, id: str) -> Object:
    intent = work.find("setup_intent", id, "intent", in_path=True)
    check_secret(intent, params, NOUN)
    payment_intent_checks.simulated(params)
    payment_method = _given_method(work, intent, params)
    if payment_method is None and intent["payment_method"] is not None:
        payment_method = work.get(intent["payment_method"])
    return _confirm(work, intent, params, payment_method)


def cancel(work: Work, params: Params, id: str) -> Object:
    intent = work.find("setup_intent", id, "intent", in_path=True)
    if intent["status"] == "canceled":
        raise unexpected(intent, "You cannot cancel this SetupIntent because it is already canceled.")
    if intent["status"] not in OPEN:
        raise unexpected(
            intent,
            f"You cannot cancel this SetupIntent because it has a status of {intent['status']}. Only a SetupIntent "
            f"with one of the following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, "
            f"or `requires_action`.",
        )
    work.change(intent, cancellation_reason=params.get("cancellation_reason"), next_action=None, status="canceled")
    work.emit("setup_intent.canceled", intent)
    return intent


def _confirm(work: Work, intent: Object, params: Params, payment_method: Object | None) -> Object:
    # Recorded: that something is missing outranks the state; a customer's default is not asked for.
    if payment_method is None:
        raise unexpected(intent, payment_intent_checks.missing_method(NOUN))
    if intent["status"] in ENDED:
        raise unexpected(intent, ENDED[intent["status"]])
    hidden = work.hidden(intent["id"])
    return_url = params.get("return_url") or hidden.get("return_url")
    payment_intent_checks.return_url(hidden.get("automatic_payment_methods"), return_url, NOUN)
    payment_intent_checks.mandate_told(work, intent, payment_method, params)
    if payment_method["type"] in bank_debits.CURRENCIES:
        acceptance = (params.get("mandate_data") or {}).get("customer_acceptance")
        bank_debits.mandate(work, payment_method, acceptance)
    if return_url is not None:
        work.store.set_hidden(intent["id"], {**hidden, "return_url": return_url})
    by_script = return_url is None or params.get("use_stripe_sdk", False)
    setup_intents.attempt(work, intent, payment_method, return_url=return_url, by_script=by_script)
    return intent


def _given_method(work: Work, intent: Object, params: Params, *, known: bool = True) -> Object | None:
    found = saved_methods.told(work, params)
    if found is None:
        return None
    shown: dict[str, Any] = {"setup_intent": intent} if known else {}
    saved_methods.check_owner(found, intent["customer"], NOUN, **shown)
    saved_methods.check_use(work, found)
    payment_intent_checks.takes(intent, found, NOUN)
    return found


ROUTES: Routes = {
    "POST /v1/setup_intents": create,
    "POST /v1/setup_intents/{intent}": update,
    "POST /v1/setup_intents/{intent}/confirm": confirm,
    "POST /v1/setup_intents/{intent}/cancel": cancel,
}
