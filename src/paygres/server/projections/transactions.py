"""One payment, one row: payments.transactions from every settled object about that payment (contract 6), and a
row for each of its refunds.

The rows are computed from the whole family each time, so it does not matter which member came last.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from paygres.server.projections import checkout_sessions, disputes, invoices, refunds
from paygres.server.projections.payment_family import Family, Row, first
from paygres.server.projections.payment_status import (
    attempts,
    captured,
    captured_of,
    paid_at,
    refunded,
    refunded_at,
    status_of,
)
from paygres.server.projections.snapshots import StripeObject, as_id, within
from paygres.server.projections.subjects import subject, subject_of_invoice

_OBJECT_TYPES = {"pi_": "payment_intent", "cs_": "checkout_session", "in_": "invoice"}
# Stripe tells which invoice an intent pays up to 21 s after the payment; then we ask.
_LINK_PATIENCE = 30


@dataclass(frozen=True, slots=True)
class Payment:
    """What becomes of a payment: its rows, and what must be read at Stripe first."""

    rows: list[Row]
    refetches: list[Row]


def project_payment(family: Family) -> Payment:
    """The payment's row and its refunds'; the row is `gone` while nobody has tried to pay, or while an intent may
    still turn out to pay an invoice that has a row of its own."""
    refetches: list[Row] = []
    if _may_pay_an_invoice(family):
        refetches.append(
            {
                "object_type": "payment_intent.invoice",
                "object_id": family.key,
                "reason": "it may pay an invoice",
                "delay": _LINK_PATIENCE,
                "only_if_unknown": True,
            }
        )
        payment: Row = {**_identity(family), "gone": True}
    else:
        payment = _payment(family)
    refetches += _missing(family)
    of_refunds = [
        refunds.transaction_of(m.raw, m.failed_at, payment) for m in family.members if m.object_type == "refund"
    ]
    return Payment([payment, *of_refunds], refetches)


def _payment(family: Family) -> Row:
    session, invoice = family.session, family.invoice
    intent, charge = first(family.intents), first(family.charges)
    identity = _identity(family)
    amount = _amount(session, invoice, intent, charge)
    known = [raw for raw in (session, invoice, intent, charge) if raw]
    currency = _known(raw.get("currency") for raw in known)
    back = refunded(family)
    # Of an invoice that two intents paid, what was received twice goes first: that takes nothing from the invoice.
    surplus = max(0, captured(family) - (amount or 0)) if len(family.intent_ids) > 1 else 0
    given_back = max(0, sum(back.values()) - surplus)
    lost = _disputed(family, disputes.lost, currency, amount, back)
    status = status_of(family, amount, given_back)
    if status is None:
        return {**identity, "gone": True}
    whose, by_customer = _subject(family)
    subscription = (invoices.subscription_of(invoice) if invoice else None) or as_id(session.get("subscription"))
    return {
        **identity,
        "type": _type(family, status, subscription),
        "status": status,
        "subject_type": whose[0],
        "subject_id": whose[1],
        "subject_by_customer": by_customer,
        "customer_id": _known(as_id(raw.get("customer")) for raw in known),
        "email": _email(session, invoice, intent, charge),
        "related": _related(family, subscription),
        "amount": amount,
        "amount_refunded": given_back,
        "amount_disputed": _disputed(family, disputes.taken, currency, amount, back),
        "amount_lost": max(0, lost - max(0, surplus - sum(back.values()))),
        "currency": currency,
        "description": _known(
            (invoice.get("description"), invoice.get("number"), intent.get("description"), charge.get("description"))
        ),
        "paid_at": paid_at(family),
        "failed_at": max((m.failed_at for m in attempts(family) if m.failed_at is not None), default=None),
        "refunded_at": refunded_at(family) if given_back else None,
        "created": _known(raw.get("created") for raw in known),
    }


def _identity(family: Family) -> Row:
    """An invoice paid by one intent is known by the intent, as the reference has it; else by its own id, also where a
    session that cost nothing was known before it.
    `replaces`: the names the row may have had before that was known."""
    key, known_by = family.key, family.key
    former = set[str]()
    if key.startswith("in_"):
        if len(family.intent_ids) == 1:
            known_by = family.intent_ids[0]
        own = {family.session["id"]} if checkout_sessions.cost_nothing(family.session) else set[str]()
        former = {key, *family.intent_ids, *own} - {known_by}
    raw_id = family.invoice.get("id") or known_by
    identity: Row = {
        "object_type": _object_type(known_by),
        "object_id": known_by,
        "raw_type": "checkout.session" if raw_id.startswith("cs_") else _object_type(raw_id),
        "raw_id": raw_id,
    }
    if former:
        identity["replaces"] = [{"object_type": _object_type(name), "object_id": name} for name in sorted(former)]
    return identity


def _object_type(ident: str) -> str:
    return _OBJECT_TYPES.get(ident[:3], "charge")


def _type(family: Family, status: str, subscription: str | None) -> str:
    if family.invoice:
        return "subscription_invoice" if subscription else "one_time_payment"
    return "failed_payment" if status == "failed" and not family.session else "one_time_payment"


def _amount(session: StripeObject, invoice: StripeObject, intent: StripeObject, charge: StripeObject) -> int | None:
    if invoice:
        return int(invoice["amount_paid"] if invoice.get("status") == "paid" else invoice["amount_due"])
    received = int(intent.get("amount_received") or 0) if intent.get("status") == "succeeded" else 0
    if session.get("amount_total") is not None:
        total = int(session["amount_total"])
        # less was captured than authorized
        less = 0 < received < total and intent.get("currency") == session.get("currency")
        return received if less else total
    if intent:
        return received or intent.get("amount")
    return charge.get("amount")


def _disputed(
    family: Family,
    counts: Callable[[StripeObject], int],
    currency: object,
    amount: int | None,
    back: dict[str | None, int],
) -> int:
    """What disputes took, where `counts` says so. The minor units of another currency say nothing of the payment's: all
    that was left of the disputed charge is counted then."""
    charges = {raw["id"]: raw for raw in family.charges}
    total = 0
    for raw in family.raws("dispute"):
        taken = counts(raw)
        if taken and raw.get("currency") is not None and currency is not None and raw["currency"] != currency:
            of = as_id(raw.get("charge"))
            charge = charges.get(of or "")
            whole = captured_of(charge) if charge and charge.get("currency") == currency else amount or 0
            taken = max(0, whole - (back.get(of, 0) if charge else sum(back.values())))
        total += taken
    return total


def _subject(family: Family) -> tuple[tuple[str, str] | tuple[None, None], bool]:
    """(type, id), and whether the customer has to tell: session, invoice, intent, charge, else an invoice's customer
    (contract 6.2 to 6.4)."""
    found = (
        subject(family.session)
        or (subject_of_invoice(family.invoice) if family.invoice else None)
        or next((whose for raw in (*family.intents, *family.charges) if (whose := subject(raw))), None)
    )
    return (found, False) if found else ((None, None), family.key.startswith("in_"))


def _email(session: StripeObject, invoice: StripeObject, intent: StripeObject, charge: StripeObject) -> object:
    return _known(
        (
            (session.get("customer_details") or {}).get("email"),
            session.get("customer_email"),
            invoice.get("customer_email"),
            intent.get("receipt_email"),
            (charge.get("billing_details") or {}).get("email"),
            charge.get("receipt_email"),
        )
    )


def _related(family: Family, subscription: str | None) -> dict[str, object]:
    session, invoice = family.session, family.invoice
    intent, charge = first(family.intents), first(family.charges)
    intents = family.intent_ids
    bought = invoices.prices_of(invoice) if invoice else []
    found: dict[str, object] = {
        "payment_intent": intent.get("id")
        or _first_id(intents)
        or as_id(session.get("payment_intent"))
        or as_id(charge.get("payment_intent")),
        "checkout_session": session.get("id"),
        "charge": charge.get("id") or as_id(intent.get("latest_charge")),
        "subscription": subscription,
        "invoice": family.key if family.key.startswith("in_") else as_id(session.get("invoice")),
        "product": bought[0][0] if bought else None,
        "price": bought[0][1] if bought else None,
        # The contract has room for one of each; these tell of all when there are more (F10).
        "prices": [price for _, price in bought] if len(bought) > 1 else None,
        "payment_intents": intents if len(intents) > 1 else None,
    }
    return {key: value for key, value in found.items() if value}


def _may_pay_an_invoice(family: Family) -> bool:
    """An intent of a customer that nobody stamped and no session claims: Stripe makes those for renewals. Until it is
    known which invoice it pays, a row would count the money twice (contract F7). payments.may_pay_an_invoice asks the
    same before something is given."""
    if not family.key.startswith("pi_") or family.stands_alone or family.session:
        return False
    raws = [*family.intents, *family.charges]
    stamped = any(name.startswith("insforge_") for raw in raws for name in within(raw, "metadata"))
    return bool(raws) and not stamped and any(as_id(raw.get("customer")) for raw in raws)


def _missing(family: Family) -> list[Row]:
    """Members we heard of but have not seen: the invoice of a payment, the payment of a refund (contract 6.6, F8)."""
    key = family.key
    wanted: list[tuple[str, str]] = []
    if key.startswith("in_") and not family.invoice:
        wanted.append(("invoice", key))
    if family.raws("refund") or family.raws("dispute"):
        if key.startswith("pi_") and not family.intents and not family.charges:
            wanted.append(("payment_intent", key))
        if key.startswith(("ch_", "py_")) and not family.charges:
            wanted.append(("charge", key))
    return [
        {
            "object_type": object_type,
            "object_id": ident,
            "reason": "others speak of it, and it is not known",
            "delay": _LINK_PATIENCE if object_type == "invoice" else 2,
            "only_if_unknown": True,
        }
        for object_type, ident in wanted
    ]


def _first_id(ids: Sequence[str]) -> str | None:
    return ids[0] if ids else None


def _known(values: Iterable[object]) -> object:
    return next((value for value in values if value is not None), None)
