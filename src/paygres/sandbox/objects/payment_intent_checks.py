"""What Stripe refuses to do with a payment intent, in its words: amounts, payment method types, and requests that do
not fit the intent's state."""

from collections.abc import Sequence
from typing import Any

from paygres.sandbox.objects import bank_debits, fields, payment_methods
from paygres.sandbox.objects.routes import Params
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work

# The least that may be charged, as Stripe writes it, by currency.
SMALLEST = {"usd": (50, "$0.50 usd"), "eur": (50, "€0.50 eur"), "gbp": (30, "£0.30 gbp"), "jpy": (50, "¥50 jpy")}
CARD_OPTIONS = {"request_three_d_secure": "automatic"}
CONFIRMS = ("error_on_requires_action", "mandate_data", "off_session", "return_url")
CHANGEABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_reauthorization",
    "requires_confirmation",
    "requires_action",
    "processing",
)
ALWAYS_CHANGEABLE = ("description", "metadata", "transfer_group", "expand")
# What belongs to Connect or to parts of Stripe that are not simulated; to ignore it would be wrong.
NOT_SIMULATED = (
    "application_fee_amount",
    "confirmation_token",
    "customer_account",
    "mandate",
    "on_behalf_of",
    "payment_method_configuration",
    "transfer_data",
)
NO_METHOD = "You cannot confirm this {noun} because it's missing a payment method."


def unexpected(intent: Object, message: str, param: str | None = None) -> Refusal:
    """The intent, of either kind, is not in a state for that; the error shows it."""
    return Refusal(message, code=f"{intent['object']}_unexpected_state", param=param, **_shown(intent))


def amount(value: int, currency: str) -> int:
    if value < 1:
        raise Refusal(
            "The amount must be greater than or equal to the minimum charge amount allowed for your account and the "
            "currency set. If you want to save a Payment Method for future use without an immediate payment, use a "
            "Setup Intent instead: https://docs.stripe.com/payments/save-and-reuse",
            code="parameter_invalid_integer",
            param="amount",
        )
    smallest, shown = SMALLEST.get(currency, (1, ""))
    if value < smallest:
        raise Refusal(f"Amount must be at least {shown}", code="amount_too_small", param="amount")
    return fields.amount(value, "amount")


def simulated(params: Params) -> None:
    """Raises `Refusal` for a parameter that the sandbox would have to ignore."""
    for name in NOT_SIMULATED:
        if name in params:
            raise Refusal(f"The sandbox does not simulate `{name}`.", param=name)


def only_with_confirm(params: Params, noun: str) -> None:
    """Raises `Refusal` for a parameter that says how to confirm what is not confirmed."""
    for name in CONFIRMS:
        if name in params:
            raise Refusal(
                f"The parameter `{name}` cannot be passed when creating a {noun} unless `confirm` is set to true. You "
                f"may be able to set this parameter when confirming the {noun}.",
                param=name,
            )


def method_types(params: Params, currency: str | None) -> tuple[list[str], Object | None]:
    """(the payment method types, what `automatic_payment_methods` shows): those asked for, or what this account takes:
    cards, and the bank debit of the currency."""
    wanted: list[str] = params.get("payment_method_types") or []
    automatic: Params | None = params.get("automatic_payment_methods")
    if wanted and automatic and automatic.get("enabled"):
        raise Refusal(
            "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.",
            code="parameters_exclusive",
            param="automatic_payment_methods",
        )
    for place, kind in enumerate(wanted):
        if kind not in payment_methods.TYPES:
            raise Refusal(
                f"The sandbox does not simulate the payment method type `{kind}`.",
                param=f"payment_method_types[{place}]",
            )
        of_kind = bank_debits.CURRENCIES.get(kind, currency)
        if currency is not None and of_kind != currency:
            raise Refusal(
                f"The currency provided ({currency}) is invalid for one or more payment method types of this request: "
                f"`{kind}` takes {of_kind}.",
                param="currency",
            )
    left_out: list[str] = params.get("excluded_payment_method_types") or []
    if wanted:
        return wanted, None
    shown = {"allow_redirects": (automatic or {}).get("allow_redirects", "always"), "enabled": True}
    debits = [kind for kind in ("sepa_debit",) if bank_debits.CURRENCIES[kind] == currency]
    return [kind for kind in ("card", *debits) if kind not in left_out], shown


def return_url(asked: Params | None, given: str | None, noun: str) -> None:
    """A request that turned automatic payment methods on must be able to come back from a redirect."""
    if asked and asked.get("enabled") and asked.get("allow_redirects", "always") != "never" and given is None:
        raise Refusal(
            f"This {noun} is configured to accept payment methods enabled in your Dashboard. Because some of these "
            f"payment methods might redirect your customer off of your page, you must provide a `return_url`. If you "
            f"don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` "
            f"and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment "
            f"Intents.",
            param="return_url",
        )


def takes(intent: Object, payment_method: Object, noun: str) -> None:
    kind: str = payment_method["type"]
    types: Sequence[str] = intent["payment_method_types"]
    if kind not in types:
        raise Refusal(
            f"The PaymentMethod provided ({kind}) is not allowed for this {noun}. Please attach a PaymentMethod of "
            f"one of the following types: {', '.join(types)}. Alternatively update the allowed payment_method_types "
            f'for this {noun} to include "{kind}".',
            param="payment_method",
            **_shown(intent),
        )


def mandate_told(work: Work, intent: Object, payment_method: Object, params: Params) -> None:
    """A bank account may be debited only with its owner's permission."""
    if payment_method["type"] == "card" or params.get("mandate_data"):
        return
    if "mandate" not in work.hidden(payment_method["id"]):
        noun = "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
        raise Refusal(
            f"This {noun} requires a mandate, but no existing mandate was found. Collect mandate acceptance from the "
            f"customer and try again, providing acceptance data in the mandate_data parameter.",
            param="mandate_data",
            **_shown(intent),
        )


def _shown(intent: Object) -> dict[str, Any]:
    return {intent["object"]: intent}


def can_change(intent: Object, params: Params) -> None:
    if intent["status"] in CHANGEABLE:
        return
    for name in params:
        if name not in ALWAYS_CHANGEABLE:
            raise unexpected(
                intent,
                f"This PaymentIntent's {name} could not be updated because it has a status of {intent['status']}. You "
                f"may only update the {name} of a PaymentIntent with one of the following statuses: "
                f"{', '.join(CHANGEABLE)}.",
                name,
            )


def can_confirm(intent: Object, params: Params) -> None:
    status: str = intent["status"]
    if status in CHANGEABLE:
        return
    if status in ("succeeded", "requires_capture"):
        raise unexpected(
            intent,
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.",
        )
    can_change(intent, {name: None for name in params if name == "payment_method"})
    raise unexpected(
        intent,
        f"You cannot confirm this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one of "
        f"the following statuses may be confirmed: requires_confirmation, requires_action.",
    )


def no_method(intent: Object) -> Refusal:
    customer = intent["customer"]
    if customer is not None:
        return unexpected(
            intent,
            f"{NO_METHOD.format(noun='PaymentIntent')} To confirm the PaymentIntent with {customer}, specify a payment "
            f"method attached to this customer along with the customer ID.",
        )
    return unexpected(intent, missing_method("PaymentIntent"))


def missing_method(noun: str) -> str:
    return (
        f"{NO_METHOD.format(noun=noun)} You can either update the {noun} with a payment method and then confirm it "
        f"again, or confirm it again directly with a payment method or ConfirmationToken."
    )


def can_cancel(intent: Object) -> None:
    if intent["status"] not in CANCELABLE:
        raise unexpected(
            intent,
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent "
            f"with one of the following statuses may be canceled: {', '.join(CANCELABLE)}.",
        )


def options(types: Sequence[str], given: Params | None) -> Object:
    """What `payment_method_options` of an intent shows: something for each type."""
    shown: Object = {}
    for kind in types:
        asked: Params = {name: value for name, value in ((given or {}).get(kind) or {}).items() if value != ""}
        asked.pop("three_d_secure", None)
        asked.pop("cvc_token", None)
        shown[kind] = {**(CARD_OPTIONS if kind == "card" else {}), **asked}
    return shown
