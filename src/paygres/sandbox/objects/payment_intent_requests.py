"""What requests do with payment intents: create, update, confirm, cancel. Capturing is payment_intent_captures.py's
part."""

from typing import Any

from paygres.sandbox.objects import (
    bank_debits,
    charges,
    fields,
    payment_intent_charges,
    payment_intent_checks,
    payment_intent_owners,
    payment_intents,
    saved_methods,
)
from paygres.sandbox.objects.payment_intents import check_secret
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.spec.parameters import UNSET
from paygres.sandbox.wire import metadata
from paygres.sandbox.world import Work

NOUN = "PaymentIntent"
PLAIN = ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix", "transfer_group")
# On an intent that was confirmed already, what a second confirmation would still have to know.
KEPT = ("return_url", "error_on_requires_action")


def create(work: Work, params: Params) -> Object:
    payment_intent_checks.simulated(params)
    currency = fields.currency(params["currency"], "currency")
    amount = payment_intent_checks.amount(params["amount"], currency)
    confirms = params.get("confirm", False)
    if not confirms:
        payment_intent_checks.only_with_confirm(params, NOUN)
    customer = params.get("customer")
    if customer is not None:
        work.find_living("customer", customer, "customer")
    types, automatic = payment_intent_checks.method_types(params, currency)
    if params.get("receipt_email"):
        fields.email(params["receipt_email"], "receipt_email")
    given: dict[str, Any] = {
        **{name: params[name] for name in (*PLAIN, "shipping") if name in params},
        **{name: params[name] for name in ("capture_method", "confirmation_method") if name in params},
        "automatic_payment_methods": automatic,
        "metadata": metadata.from_params(params),
        "payment_method_options": payment_intent_checks.options(types, params.get("payment_method_options")),
        "payment_method_types": types,
        "excluded_payment_method_types": params.get("excluded_payment_method_types"),
        "setup_future_usage": params.get("setup_future_usage"),
    }
    intent = payment_intents.make(work, amount=amount, currency=currency, customer=customer, given=given)
    if (params.get("automatic_payment_methods") or {}).get("enabled"):
        payment_intents.remember(work, intent, automatic_payment_methods=params["automatic_payment_methods"])
    if confirms:
        return _confirm(work, intent, params, new=True)
    payment_method = _given_method(work, intent, params, known=False)
    if payment_method is not None:
        work.change(intent, payment_method=payment_method["id"], status="requires_confirmation")
    work.emit("payment_intent.created", intent)
    return intent


def update(work: Work, params: Params, id: str) -> Object:
    intent = work.find("payment_intent", id, "intent", in_path=True)
    payment_intent_checks.simulated(params)
    payment_intent_checks.can_change(intent, params)
    changes: dict[str, Any] = fields.given(params, (*PLAIN, "setup_future_usage", "capture_method"))
    changes["metadata"] = metadata.merged(intent["metadata"], params.get("metadata"))
    if "currency" in params:
        changes["currency"] = fields.currency(params["currency"], "currency")
    if "amount" in params:
        changes["amount"] = payment_intent_checks.amount(params["amount"], changes.get("currency", intent["currency"]))
    if "shipping" in params:
        changes["shipping"] = fields.shipping(params["shipping"])
    if "payment_method_types" in params:
        types, _ = payment_intent_checks.method_types(params, changes.get("currency", intent["currency"]))
        changes.update(payment_method_types=types, automatic_payment_methods=None)
    if "payment_method_options" in params:
        types = changes.get("payment_method_types", intent["payment_method_types"])
        changes["payment_method_options"] = payment_intent_checks.options(types, params["payment_method_options"])
    if "customer" in params:
        changes["customer"] = work.find_living("customer", params["customer"], "customer")["id"]
    changed = {**intent, **changes}
    payment_method = _given_method(work, changed, params)
    if payment_method is not None:
        changes.update(payment_method=payment_method["id"], status="requires_confirmation", next_action=None)
    elif params.get("payment_method") == UNSET:
        changes.update(payment_method=None, status="requires_payment_method", next_action=None)
    work.change(intent, **changes)
    return intent


def confirm(work: Work, params: Params, id: str) -> Object:
    intent = work.find("payment_intent", id, "intent", in_path=True)
    check_secret(intent, params, NOUN)
    payment_intent_checks.simulated(params)
    payment_intent_checks.can_confirm(intent, params)
    payment_intent_owners.refuse_checkouts(work, intent, "confirm")
    return _confirm(work, intent, params, new=False)


def cancel(work: Work, params: Params, id: str) -> Object:
    intent = work.find("payment_intent", id, "intent", in_path=True)
    payment_intent_checks.can_cancel(intent)
    payment_intent_owners.refuse_checkouts(work, intent, "cancel")
    payment_intent_owners.refuse_invoices(work, intent)
    charge = work.get(intent["latest_charge"]) if intent["latest_charge"] else None
    before = intent["status"]
    work.change(
        intent,
        amount_capturable=0,
        canceled_at=work.now,
        cancellation_reason=params.get("cancellation_reason"),
        next_action=None,
        status="canceled",
    )
    if charge is not None and before == "requires_capture":
        charges.release(work, charge, "charge.refunded", automatic=False)
    elif charge is not None and before == "processing":
        work.change(charge, amount_captured=0, captured=False, status="failed")
        work.emit("charge.failed", charge)
    work.emit("payment_intent.canceled", intent)
    return intent


def _confirm(work: Work, intent: Object, params: Params, *, new: bool) -> Object:
    payment_method = _given_method(work, intent, params) or _known_method(work, intent)
    if payment_method is None:
        raise payment_intent_checks.no_method(intent)
    hidden = work.hidden(intent["id"])
    told = {name: params[name] for name in KEPT if name in params}
    return_url = params.get("return_url") or hidden.get("return_url")
    payment_intent_checks.return_url(hidden.get("automatic_payment_methods"), return_url, NOUN)
    payment_intent_checks.mandate_told(work, intent, payment_method, params)
    if payment_method["type"] in bank_debits.CURRENCIES:
        acceptance = (params.get("mandate_data") or {}).get("customer_acceptance")
        bank_debits.mandate(work, payment_method, acceptance)
    changes = fields.given(params, ("receipt_email", "setup_future_usage", "capture_method"))
    if "shipping" in params:
        changes["shipping"] = fields.shipping(params["shipping"])
    if changes:
        work.change(intent, **changes)
    if told:
        payment_intents.remember(work, intent, **told)
    authenticated = hidden.get("authenticated") == payment_method["id"]
    charged = payment_intent_charges.charge_saved(
        work,
        intent,
        payment_method,
        off_session=bool(params.get("off_session")),
        answers=not (params.get("error_on_requires_action") or hidden.get("error_on_requires_action")),
        return_url=return_url,
        by_script=return_url is None or params.get("use_stripe_sdk", False),
        authenticated=authenticated,
        new=new,
    )
    if charged.outcome == "succeeded" and charged.charge is not None:
        payment_intent_charges.announce_paid(
            work, intent, charged.charge, payment_method, new=new, authenticated=authenticated
        )
    if not new:
        payment_intent_owners.follow(work, intent, charged.outcome)
    if charged.refusal is not None:
        raise charged.refusal
    return intent


def _given_method(work: Work, intent: Object, params: Params, *, known: bool = True) -> Object | None:
    """The payment method that the request names or describes. `known`: the intent is the caller's to show in errors,
    since it was there before."""
    found = saved_methods.told(work, params)
    if found is None:
        return None
    shown: dict[str, Any] = {"payment_intent": intent} if known else {}
    saved_methods.check_owner(found, intent["customer"], NOUN, **shown)
    if found["id"] != intent["payment_method"]:
        saved_methods.check_use(work, found)
    payment_intent_checks.takes(intent, found, NOUN)
    return found


def _known_method(work: Work, intent: Object) -> Object | None:
    """The intent's own, or what its customer is charged by default (recorded)."""
    if intent["payment_method"] is not None:
        return work.get(intent["payment_method"])
    customer = work.get(intent["customer"]) if intent["customer"] else None
    if customer is None or customer.get("deleted"):
        return None
    default = customer["invoice_settings"]["default_payment_method"]
    return work.get(default) if default else None


ROUTES: Routes = {
    "POST /v1/payment_intents": create,
    "POST /v1/payment_intents/{intent}": update,
    "POST /v1/payment_intents/{intent}/confirm": confirm,
    "POST /v1/payment_intents/{intent}/cancel": cancel,
}
