"""What became of a payment's money: paid, pending, failed, given back, and when (contract 6)."""

from paygres.server.projections import payment_intents, refunds
from paygres.server.projections.payment_family import Family, Member, first
from paygres.server.projections.snapshots import StripeObject, as_id


def status_of(family: Family, amount: int | None, refunded: int) -> str | None:
    """None while nobody has tried to pay."""
    paid = is_paid(family)
    if paid and refunded > 0:
        return "refunded" if refunded >= (amount or 0) else "partially_refunded"
    if paid:
        return "succeeded"
    session, invoice, intent = family.session, family.invoice, first(family.intents)
    if invoice:
        return _unpaid_invoice(family)
    if not session and not family.charges and not (intent and payment_intents.attempted(intent)):
        return None
    if any(m.failed_at is not None for m in family.members if m.object_type == "checkout.session"):
        return "failed"  # a delayed payment that Stripe reported as failed, whatever its intent said before
    if intent:
        return "failed" if payment_intents.failed(intent) else "pending"
    if family.charges and all(c.get("status") == "failed" for c in family.charges):
        return "failed"
    return "pending"


def is_paid(family: Family) -> bool:
    if family.invoice:
        return family.invoice.get("status") == "paid"
    return (
        any(i.get("status") == "succeeded" for i in family.intents)
        or family.session.get("payment_status") in ("paid", "no_payment_required")
        or any(c.get("status") == "succeeded" and c.get("captured") is not False for c in family.charges)
    )


def _unpaid_invoice(family: Family) -> str | None:
    """failed after a failed attempt, pending while one is under way, None before the first."""
    if family.invoice.get("status") == "draft":
        return None
    under_way = ("processing", "succeeded", "requires_action", "requires_capture")
    if any(i.get("status") in under_way for i in family.intents):
        return "pending"
    if any(m.failed_at is not None for m in attempts(family)):
        return "failed"
    if not family.invoice.get("attempted"):
        return None
    return "failed" if family.invoice.get("status") in ("uncollectible", "void") else "pending"


def refunded(family: Family) -> dict[str | None, int]:
    """What went back of each charge, in minor units: its own count, without refunds that came to nothing since (F5), or
    the refunds that are known to have succeeded, when the charge has not told yet.

    A failed refund that is told again later looks as if it came to nothing since: the charge's count stands as far as
    refunds that are still alive make it up.
    """
    charges = {m.raw["id"]: m for m in family.members if m.object_type == "charge"}
    by_charge: dict[str | None, list[Member]] = {charge: [] for charge in charges}
    for member in family.members:
        if member.object_type == "refund":
            by_charge.setdefault(_charge_of(member.raw, family), []).append(member)
    total: dict[str | None, int] = {}
    for charge_id, made in by_charge.items():
        succeeded = sum(int(r.raw["amount"]) for r in made if r.raw.get("status") == refunds.GIVEN_BACK)
        charge = charges.get(charge_id or "")
        told = 0
        if charge is not None:
            counted = int(charge.raw.get("amount_refunded") or 0)
            nothing = [r for r in made if r.raw.get("status") in refunds.CAME_TO_NOTHING]
            undone = sum(int(r.raw["amount"]) for r in nothing if r.as_of >= charge.as_of)
            alive = sum(int(r.raw["amount"]) for r in made) - sum(int(r.raw["amount"]) for r in nothing)
            told = max(counted - undone, min(counted, alive))
        total[charge_id] = max(succeeded, told)
    return total


def _charge_of(refund: StripeObject, family: Family) -> str | None:
    """The charge that is given back. A refund may name its intent alone: one charge of that succeeded, and it counts
    the refund."""
    paid = (
        charge["id"]
        for charge in family.charges
        if charge.get("status") == "succeeded"
        and as_id(charge.get("payment_intent")) == as_id(refund.get("payment_intent"))
    )
    return as_id(refund.get("charge")) or next(paid, None)


def captured(family: Family) -> int:
    """What was received, by the intents that succeeded and the charges of those that are not known."""
    intents = {raw["id"] for raw in family.intents}
    told = [raw.get("amount_received") for raw in family.intents if raw.get("status") == "succeeded"]
    told += [
        captured_of(raw)
        for raw in family.charges
        if raw.get("status") == "succeeded" and as_id(raw.get("payment_intent")) not in intents
    ]
    return sum(int(amount or 0) for amount in told)


def captured_of(charge: StripeObject) -> int:
    """What of a charge was not only authorized."""
    if charge.get("captured") is False:
        return 0
    return int(charge["amount_captured"] if charge.get("amount_captured") is not None else charge.get("amount") or 0)


def refunded_at(family: Family) -> int | None:
    made = [r.get("created") for r in family.raws("refund") if r.get("status") == refunds.GIVEN_BACK]
    told = [m.refunded_at for m in family.members if m.refunded_at is not None]
    return max((at for at in made if at is not None), default=None) or max(told, default=None)


def paid_at(family: Family) -> int | None:
    """An invoice knows it best: its intent may have succeeded a moment before."""
    own = [m.paid_at for m in family.members if m.object_type == "invoice" and m.paid_at is not None]
    return min(own or [m.paid_at for m in family.members if m.paid_at is not None], default=None)


def attempts(family: Family) -> list[Member]:
    """Members that tell of paying; a refund's failure is not the payment's."""
    return [m for m in family.members if m.object_type not in ("refund", "dispute")]
