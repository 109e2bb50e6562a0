"""Bank debits (SEPA and ACH): a payment method whose charge stays pending for days and then succeeds or fails. Stripe's
test accounts, and the objects that a debit makes."""

from dataclasses import dataclass

from paygres.sandbox import ids
from paygres.sandbox.objects import fields, payment_methods
from paygres.sandbox.objects.bank_debit_accounts import ACCOUNTS, CURRENCIES, NAMED, ROUTING_NUMBER, Debit
from paygres.sandbox.objects.routes import Params
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work

__all__ = ["CURRENCIES", "NAMED", "Debit"]

# What a checkout in euros offers besides cards, and the only currency of it.
TYPE = "sepa_debit"
CURRENCY = "eur"


@dataclass(frozen=True, slots=True)
class Failure:
    code: str
    message: str


MESSAGES = {
    "account_closed": "The customer's bank account has been closed.",
    "charge_exceeds_source_limit": "This payment exceeds the weekly volume that the customer's account allows.",
    "charge_exceeds_weekly_limit": "This payment exceeds the weekly number of payments that the account allows.",
    "debit_not_authorized": "The customer has notified their bank that this payment was unauthorized.",
    "insufficient_funds": "The customer's account has insufficient funds to cover this payment.",
    "no_account": "The customer's bank account could not be located.",
}


def failure_of(debit: Debit) -> Failure | None:
    """Why the bank returns the debit in the end, None when it pays."""
    return Failure(debit.failure, MESSAGES[debit.failure]) if debit.failure else None


def debit_of(iban_or_name: str) -> Debit | None:
    """The account of a test IBAN or account number, however it is spaced, or of a name such as `pm_success_at`; None
    for any other."""
    number = NAMED.get(iban_or_name) or "".join(iban_or_name.split()).upper()
    return ACCOUNTS.get(number)


def invalid_iban(param: str) -> Refusal:
    return Refusal(
        "The IBAN you provided is not one of Stripe's test IBANs.", code="invalid_bank_account_iban", param=param
    )


def make_method(
    work: Work, debit: Debit, buyer: "payment_methods.Buyer", given_metadata: dict[str, str] | None = None
) -> Object:
    more: Object = {"generated_from": {"charge": None, "setup_attempt": None}}
    if debit.kind == "us_bank_account":
        more = {"networks": {"preferred": "ach", "supported": ["ach"]}, "financial_connections_account": None}
    return work.add(
        {
            "id": ids.new("payment_method"),
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": payment_methods.billing_details(buyer),
            "created": work.now,
            "livemode": False,
            "metadata": given_metadata or {},
            debit.kind: {**details(debit), **more},
            "type": debit.kind,
        },
        hidden={"iban": debit.number},
    )


def create_method(work: Work, params: Params, prefix: str = "") -> Object:
    """A payment method of `type` `sepa_debit` or `us_bank_account`. Stripe wants the owner's name (and for SEPA the
    email) for the mandate. `prefix`: where the parameters lie in the request."""
    kind: str = params["type"]
    given: Params = params.get(kind, {})
    sepa = kind == TYPE
    debit = debit_of(given.get("iban" if sepa else "account_number") or "")
    if debit is None or debit.kind != kind:
        raise invalid_iban(_inside(prefix, f"{kind}[iban]")) if sepa else _invalid_account(prefix)
    if not sepa and given.get("routing_number") != ROUTING_NUMBER:
        raise Refusal(
            f"Invalid routing number. In test mode, use {ROUTING_NUMBER}.",
            code="routing_number_invalid",
            param=_inside(prefix, f"{kind}[routing_number]"),
        )
    told = params.get("billing_details", {})
    for name in ("name", "email") if sepa else ("name",):
        if not told.get(name):
            param = _inside(prefix, f"billing_details[{name}]")
            raise Refusal(f"Missing required param: {param}.", code="parameter_missing", param=param, stored=False)
    email = told.get("email") or None
    if email is not None:
        fields.email(email, _inside(prefix, "billing_details[email]"))
    address = {"country": None, **(told.get("address") or {})}
    buyer = payment_methods.Buyer(email, told["name"], told.get("phone") or None, address)
    return make_method(work, debit, buyer, metadata.from_params(params))


def debit_behind(work: Work, payment_method: Object) -> Debit:
    return ACCOUNTS[work.hidden(payment_method["id"])["iban"]]


def make_charge(
    work: Work, intent: Object, debit: Debit, buyer: "payment_methods.Buyer", payment_method: Object
) -> Object:
    """The pending charge. Charges of other methods than cards are called payments: `py_…`."""
    return work.add(
        {
            "id": ids.new("payment"),
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": intent["amount"],
            "amount_refunded": 0,
            "billing_details": payment_methods.billing_details(buyer),
            "captured": True,
            "created": work.now,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "outcome": {
                "network_status": "approved_by_network",
                "risk_level": "not_assessed",
                "seller_message": "Payment complete.",
                "type": "authorized",
            },
            "paid": False,
            "payment_intent": intent["id"],
            "payment_method": payment_method["id"],
            "payment_method_details": {
                debit.kind: {**details(debit), "mandate": _mandate_of(work, payment_method)},
                "type": debit.kind,
            },
            "radar_options": {},
            "receipt_email": intent["receipt_email"],
            "refunded": False,
            "shipping": intent["shipping"],
            "statement_descriptor": intent["statement_descriptor"],
            "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
            "status": "pending",
            "transfer_group": intent["transfer_group"],
        }
    )


def details(debit: Debit) -> Object:
    """What a payment method and a charge tell about an account alike."""
    told: Object = {"fingerprint": f"sandbox{debit.number[-9:]}", "last4": debit.number[-4:]}
    if debit.kind == TYPE:
        return {"bank_code": debit.number[4:9], "branch_code": "", "country": debit.number[:2], **told}
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "routing_number": ROUTING_NUMBER,
        **told,
    }


def mandate(work: Work, payment_method: Object, acceptance: Params | None = None) -> str:
    """The id of the buyer's permission to debit the account: the one they gave before, or a new one. `acceptance`:
    the request's `customer_acceptance`."""
    known = _mandate_of(work, payment_method)
    if known is not None:
        return known
    kind: str = payment_method["type"]
    accepted: Object = {"accepted_at": work.now, "type": "offline", "offline": {}}
    if acceptance:
        accepted = {"accepted_at": work.now, acceptance["type"]: {}, **acceptance}
    id = ids.new("mandate")
    reference = ids.letters(16).upper()
    url = f"{work.world.origin}/mandates/{id}"
    work.add(
        {
            "id": id,
            "object": "mandate",
            "customer_acceptance": accepted,
            "livemode": False,
            "multi_use": {},
            "payment_method": payment_method["id"],
            "payment_method_details": {
                kind: {"reference": reference, "url": url} if kind == TYPE else {},
                "type": kind,
            },
            "status": "active",
            "type": "multi_use",
        }
    )
    payment_methods.remember(work, payment_method, mandate=id)
    return id


def _mandate_of(work: Work, payment_method: Object) -> str | None:
    return work.hidden(payment_method["id"]).get("mandate")


def _invalid_account(prefix: str) -> Refusal:
    return Refusal(
        "The account number you provided is not one of Stripe's test account numbers.",
        code="account_number_invalid",
        param=_inside(prefix, "us_bank_account[account_number]"),
    )


def _inside(prefix: str, name: str) -> str:
    if not prefix:
        return name
    head, bracket, rest = name.partition("[")
    return f"{prefix}[{head}]{bracket}{rest}"
