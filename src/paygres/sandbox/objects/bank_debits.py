"""Bank debits (SEPA): a payment method whose charge stays pending for days and then succeeds or fails. Stripe's test
IBANs, and the objects that a debit makes."""

from dataclasses import dataclass

from paygres.sandbox import ids
from paygres.sandbox.objects import fields, payment_methods
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work

TYPE = "sepa_debit"
CURRENCY = "eur"
FAILURE_CODE = "insufficient_funds"
FAILURE_MESSAGE = "The customer's account has insufficient funds to cover this payment."


@dataclass(frozen=True, slots=True)
class Debit:
    """A bank account that can be debited. `fails`: its bank returns the debit in the end."""

    iban: str
    fails: bool = False


DEBITS = {
    debit.iban: debit
    for debit in (
        Debit("AT611904300234573201"),
        Debit("AT861904300235473202", fails=True),
        Debit("DE89370400440532013000"),
        Debit("DE62370400440532013001", fails=True),
    )
}
NAMED = {
    "pm_success_at": "AT611904300234573201",
    "pm_failed_at": "AT861904300235473202",
    "pm_success_de": "DE89370400440532013000",
    "pm_failed_de": "DE62370400440532013001",
}


def debit_of(iban_or_name: str) -> Debit | None:
    """The account of a test IBAN, however it is spaced, or of a name such as `pm_success_at`; None for any other."""
    iban = NAMED.get(iban_or_name) or "".join(iban_or_name.split()).upper()
    return DEBITS.get(iban)


def invalid_iban(param: str) -> Refusal:
    return Refusal(
        "The IBAN you provided is not one of Stripe's test IBANs.", code="invalid_bank_account_iban", param=param
    )


def make_method(
    work: Work, debit: Debit, buyer: "payment_methods.Buyer", given_metadata: dict[str, str] | None = None
) -> Object:
    return work.add(
        {
            "id": ids.new("payment_method"),
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": payment_methods.billing_details(buyer),
            "created": work.now,
            "livemode": False,
            "metadata": given_metadata or {},
            TYPE: {**_details(debit), "generated_from": {"charge": None, "setup_attempt": None}},
            "type": TYPE,
        },
        hidden={"iban": debit.iban},
    )


def create_method(work: Work, params: Object) -> Object:
    """`POST /v1/payment_methods` with `type=sepa_debit`. Stripe wants the owner's name and email for the mandate."""
    debit = debit_of(params.get(TYPE, {}).get("iban") or "")
    if debit is None:
        raise invalid_iban(f"{TYPE}[iban]")
    told = params.get("billing_details", {})
    for name in ("name", "email"):
        if not told.get(name):
            raise Refusal(
                f"Missing required param: billing_details[{name}].",
                code="parameter_missing",
                param=f"billing_details[{name}]",
                stored=False,
            )
    buyer = payment_methods.Buyer(
        fields.email(told["email"], "billing_details[email]"), told["name"], told.get("phone") or None
    )
    return make_method(work, debit, buyer, metadata.from_params(params))


def debit_behind(work: Work, payment_method: Object) -> Debit:
    return DEBITS[work.hidden(payment_method["id"])["iban"]]


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
            "payment_method_details": {TYPE: _details(debit), "type": TYPE},
            "radar_options": {},
            "receipt_email": intent["receipt_email"],
            "refunded": False,
            "shipping": intent["shipping"],
            "statement_descriptor": intent["statement_descriptor"],
            "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
            "status": "pending",
        }
    )


def _details(debit: Debit) -> Object:
    return {
        "bank_code": debit.iban[4:9],
        "branch_code": "",
        "country": debit.iban[:2],
        "fingerprint": f"sandbox{debit.iban[-9:]}",
        "last4": debit.iban[-4:],
    }
