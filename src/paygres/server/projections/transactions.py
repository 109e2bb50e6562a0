"""One payment, one row: payments.transactions from every settled object about that payment (contract 6).

The row is computed from the whole family each time, so it does not matter which member came last.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from paygres.server.projections import payment_intents
from paygres.server.projections.checkout_sessions import subject
from paygres.server.projections.snapshots import StripeObject, as_id

_OBJECT_TYPES = (("pi_", "payment_intent"), ("cs_", "checkout_session"))


@dataclass(frozen=True, slots=True)
class Member:
    """One settled object about a payment; the marks are seconds, over all its snapshots."""

    object_type: str
    raw: StripeObject
    paid_at: int | None = None
    failed_at: int | None = None
    refunded_at: int | None = None


def transaction(key: str, members: Sequence[Member]) -> dict[str, object]:
    """The row of payment `key`; `gone: true` while nobody has tried to pay."""
    object_type = next((name for prefix, name in _OBJECT_TYPES if key.startswith(prefix)), "charge")
    identity = {"object_type": object_type, "object_id": key}
    sessions = [m.raw for m in members if m.object_type == "checkout.session"]
    intents = [m.raw for m in members if m.object_type == "payment_intent"]
    charges = sorted(
        (m.raw for m in members if m.object_type == "charge"),
        key=lambda c: (c.get("status") == "succeeded", c.get("created") or 0, c["id"]),
        reverse=True,
    )
    session, intent, charge = _first(sessions), _first(intents), _first(charges)
    if not sessions and not charges and not (intents and payment_intents.attempted(intent)):
        return {**identity, "gone": True}
    amount = _amount(session, intent, charge)
    refunded = sum(int(c.get("amount_refunded") or 0) for c in charges)
    given_up = any(m.failed_at is not None for m in members if m.object_type == "checkout.session")
    status = _status(session, intent, charges, amount, refunded, given_up=given_up)
    whose = next((found for raw in (session, intent, charge) if (found := subject(raw))), (None, None))
    return {
        **identity,
        "type": "failed_payment" if status == "failed" and not sessions else "one_time_payment",
        "status": status,
        "subject_type": whose[0],
        "subject_id": whose[1],
        "customer_id": _known(as_id(raw.get("customer")) for raw in (session, intent, charge)),
        "email": _email(session, intent, charge),
        "related": _related(session, intent, charge),
        "amount": amount,
        "amount_refunded": refunded,
        "currency": _known(raw.get("currency") for raw in (session, intent, charge)),
        "description": _known(raw.get("description") for raw in (intent, charge)),
        "paid_at": min((m.paid_at for m in members if m.paid_at is not None), default=None),
        "failed_at": max((m.failed_at for m in members if m.failed_at is not None), default=None),
        "refunded_at": max((m.refunded_at for m in members if m.refunded_at is not None), default=None),
        "created": _known(raw.get("created") for raw in (session, intent, charge)),
    }


def _status(
    session: StripeObject,
    intent: StripeObject,
    charges: Sequence[StripeObject],
    amount: int | None,
    refunded: int,
    *,
    given_up: bool,
) -> str:
    paid = (
        intent.get("status") == "succeeded"
        or session.get("payment_status") in ("paid", "no_payment_required")
        or any(c.get("status") == "succeeded" and c.get("captured") is not False for c in charges)
    )
    if paid and refunded > 0:
        return "refunded" if refunded >= (amount or 0) else "partially_refunded"
    if paid:
        return "succeeded"
    if given_up:  # a delayed payment that Stripe reported as failed, whatever its intent said before
        return "failed"
    if intent:
        return "failed" if payment_intents.failed(intent) else "pending"
    if charges and all(c.get("status") == "failed" for c in charges):
        return "failed"
    return "pending"


def _amount(session: StripeObject, intent: StripeObject, charge: StripeObject) -> int | None:
    if session.get("amount_total") is not None:
        return int(session["amount_total"])
    if intent:
        received = int(intent.get("amount_received") or 0)
        return received if intent.get("status") == "succeeded" and received else intent.get("amount")
    return charge.get("amount")


def _email(session: StripeObject, intent: StripeObject, charge: StripeObject) -> object:
    return _known(
        (
            (session.get("customer_details") or {}).get("email"),
            session.get("customer_email"),
            intent.get("receipt_email"),
            (charge.get("billing_details") or {}).get("email"),
            charge.get("receipt_email"),
        )
    )


def _related(session: StripeObject, intent: StripeObject, charge: StripeObject) -> dict[str, str]:
    found = {
        "payment_intent": intent.get("id")
        or as_id(session.get("payment_intent"))
        or as_id(charge.get("payment_intent")),
        "checkout_session": session.get("id"),
        "charge": charge.get("id") or as_id(intent.get("latest_charge")),
        "subscription": as_id(session.get("subscription")),
        "invoice": as_id(session.get("invoice")),
    }
    return {key: value for key, value in found.items() if value}


def _first(raws: Sequence[StripeObject]) -> StripeObject:
    return raws[0] if raws else {}


def _known(values: Iterable[object]) -> object:
    return next((value for value in values if value is not None), None)
