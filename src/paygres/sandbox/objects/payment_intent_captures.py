"""Payment intents that authorize first: captured, whole, in part or in several steps, their authorization raised, or
expired."""

from typing import Any

from paygres.sandbox.objects import balance_transactions, charges, fields, payment_intent_checks, payment_intent_owners
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work

DESCRIPTORS = ("statement_descriptor", "statement_descriptor_suffix")


def capture(work: Work, params: Params, id: str) -> Object:
    """`final_capture` false: the rest stays authorized, where the card allows several captures."""
    intent = work.find("payment_intent", id, "intent", in_path=True)
    _can_capture(intent)
    charge = work.find("charge", intent["latest_charge"], "charge")
    capturable: int = intent["amount_capturable"]
    amount: int = params.get("amount_to_capture", capturable)
    _check(intent, amount, capturable)
    final = params.get("final_capture", True) or amount == capturable
    if not final and _status(charge, "multicapture") != "available":
        raise Refusal(
            "This PaymentIntent does not support several captures: confirm it with "
            "`payment_method_options[card][request_multicapture]` set to `if_available` first.",
            param="final_capture",
            payment_intent=intent,
        )
    changes: dict[str, Any] = fields.given(params, DESCRIPTORS)
    before = take(work, charge, amount, final=final)
    work.change(
        intent,
        amount_capturable=0 if final else capturable - amount,
        amount_received=intent["amount_received"] + amount,
        metadata=metadata.merged(intent["metadata"], params.get("metadata")),
        status="succeeded" if final else "requires_capture",
        **changes,
    )
    work.emit("charge.captured" if final else "charge.updated", charge, before)
    work.emit("payment_intent.succeeded" if final else "payment_intent.amount_capturable_updated", intent)
    if final:
        payment_intent_owners.captured(work, intent)
    return intent


def take(work: Work, charge: Object, amount: int, *, final: bool) -> Object:
    """Captures so much of an authorized charge; answers its `previous_attributes`."""
    taken = charge["amount_captured"] + amount
    transaction = balance_transactions.of_charge(work, {**charge, "amount": amount})
    return work.change(charge, amount_captured=taken, captured=final, balance_transaction=transaction["id"])


def increment(work: Work, params: Params, id: str) -> Object:
    """Authorizes more, up to the new whole `amount`."""
    intent = work.find("payment_intent", id, "intent", in_path=True)
    _can_capture(intent)
    charge = work.find("charge", intent["latest_charge"], "charge")
    if _status(charge, "incremental_authorization") != "available":
        raise Refusal(
            "This PaymentIntent is not eligible for incremental authorization: confirm it with "
            "`payment_method_options[card][request_incremental_authorization]` set to `if_available` first.",
            payment_intent=intent,
        )
    amount: int = params["amount"]
    if amount <= intent["amount"]:
        raise Refusal(
            "The amount of an incremental authorization must be greater than the currently authorized amount.",
            param="amount",
            payment_intent=intent,
        )
    more = fields.given(params, ("description", "statement_descriptor"))
    more["metadata"] = metadata.merged(intent["metadata"], params.get("metadata"))
    details = charge["payment_method_details"]
    card = {**details["card"], "amount_authorized": amount}
    previous = work.change(charge, amount=amount, payment_method_details={**details, "card": card})
    work.change(intent, amount=amount, amount_capturable=amount, **more)
    work.emit("charge.updated", charge, previous)
    work.emit("payment_intent.amount_capturable_updated", intent)
    return intent


def expire(work: Work, id: str) -> None:
    """The timer: the bank holds the money no longer."""
    intent = work.get(id)
    if intent is None or intent["status"] != "requires_capture":
        return
    charge = work.find("charge", intent["latest_charge"], "charge")
    work.change(intent, amount_capturable=0, canceled_at=work.now, cancellation_reason="automatic", status="canceled")
    charges.release(work, charge, "charge.expired", automatic=True)
    work.emit("payment_intent.canceled", intent, automatic=True)


def _can_capture(intent: Object) -> None:
    status: str = intent["status"]
    if status == "succeeded":
        raise payment_intent_checks.unexpected(
            intent,
            "The remaining amount on this PaymentIntent could not be captured because the remainder of the authorized "
            "amount has been released.",
        )
    if status != "requires_capture":
        raise payment_intent_checks.unexpected(
            intent,
            f"This PaymentIntent could not be captured because it has a status of {status}. Only a PaymentIntent with "
            f"one of the following statuses may be captured: requires_capture.",
        )


def _check(intent: Object, amount: int, capturable: int) -> None:
    if amount < 0:
        raise Refusal("Invalid non-negative integer", param="amount_to_capture", payment_intent=intent)
    if amount == 0:
        raise Refusal(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
            payment_intent=intent,
        )
    if amount > capturable:
        raise Refusal(
            "The payment could not be captured because the requested capture amount is greater than the amount you "
            "can capture for this charge.",
            code="amount_too_large",
            param="amount_to_capture",
            payment_intent=intent,
        )


def _status(charge: Object, feature: str) -> str:
    return charge["payment_method_details"].get("card", {}).get(feature, {}).get("status", "unavailable")


ROUTES: Routes = {
    "POST /v1/payment_intents/{intent}/capture": capture,
    "POST /v1/payment_intents/{intent}/increment_authorization": increment,
}
