"""The invoice as a paper: drawn up from its lines, added up, numbered when it is finalized. Nothing here is paid."""

from collections.abc import Sequence
from typing import Any

from paygres.sandbox.objects import customer_balance_transactions, discount_amounts, fields, subscription_discounts
from paygres.sandbox.objects.discount_amounts import Reduction
from paygres.sandbox.objects.periods import DAY
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.lists import inline_page
from paygres.sandbox.world import Work

# What is less is not charged: it goes on the customer's balance, for the next invoice.
SMALLEST_CHARGE = 50


def draw_up(
    work: Work,
    id: str,
    customer: Object,
    lines: Sequence[Object],
    *,
    currency: str,
    reason: str,
    subscription: Object | None = None,
    period: tuple[int, int] | None = None,
    balance: int | None = None,
    discounts: Sequence[str] | None = None,
    reductions: Sequence[Reduction] | None = None,
    at: int | None = None,
    **more: Any,
) -> Object:
    """A draft that is not stored yet. `period`: default now; `balance`: default the customer's; `discounts`: default
    the subscription's, as far as they run at `at` (default now), or `reductions` that are no discounts yet; `more`:
    fields that differ from an ordinary draft's."""
    start, end = period or (work.now, work.now)
    given: Sequence[str] = (subscription or {}).get("discounts") or () if discounts is None else discounts
    if reductions is None:
        reductions = subscription_discounts.reductions_of(work, given, work.now if at is None else at)
    discount_amounts.reduce_lines(lines, reductions)
    collection = subscription["collection_method"] if subscription else "charge_automatically"
    due_date: int | None = None
    if subscription is not None and collection == "send_invoice":
        due_date = work.now + (subscription["days_until_due"] or 0) * DAY
    return {
        "id": id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Paygres Sandbox",
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": subscription is not None,
        "automatic_tax": {"enabled": False},
        "billing_reason": reason,
        "collection_method": collection,
        "created": work.now,
        "currency": currency,
        "customer": customer["id"],
        "customer_address": customer.get("address"),
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer.get("phone"),
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [one.id for one in reductions],
        "due_date": due_date,
        "issuer": {"type": "self"},
        "livemode": False,
        "metadata": {},
        "parent": _parent(subscription),
        "payment_settings": {},
        "period_end": end,
        "period_start": start,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "status": "draft",
        "status_transitions": {},
        "test_clock": work.clock,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        **added_up(id, lines, customer["balance"] if balance is None else balance),
        **more,
    }


def added_up(id: str, lines: Sequence[Object], balance: int) -> Object:
    """The lines and the amounts that follow from them and from the customer's balance (less than 0: a credit)."""
    subtotal = sum(line["amount"] for line in lines)
    total = sum(discount_amounts.left_of(line) for line in lines)
    due = max(0, total + balance)
    return {
        "amount_due": due,
        "amount_remaining": due,
        "lines": inline_page(list(lines), f"/v1/invoices/{id}/lines", {"limit": 100}),
        "starting_balance": balance,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_discount_amounts": discount_amounts.totals(lines),
        "total_excluding_tax": total,
    }


def relined(work: Work, invoice: Object, lines: Sequence[Object]) -> Object:
    """The fields of a draft that other lines change."""
    reductions = subscription_discounts.reductions_of(work, invoice["discounts"], invoice["created"])
    discount_amounts.reduce_lines(lines, reductions)
    return added_up(invoice["id"], lines, invoice["starting_balance"])


def finalized(work: Work, invoice: Object, customer: Object) -> Object:
    """The fields that finalizing changes. Takes the customer's next number and settles the balance, which is
    announced."""
    due = invoice["amount_due"]
    if 0 < due < SMALLEST_CHARGE and invoice["currency"] not in fields.ZERO_DECIMAL:
        due = 0
    moved = invoice["total"] - due
    page = f"{work.world.origin}/invoices/{invoice['id']}"
    number = customer["next_invoice_sequence"]
    work.change(customer, next_invoice_sequence=number + 1)
    if moved:
        kind = "applied_to_invoice" if due == invoice["amount_due"] else "invoice_too_small"
        customer_balance_transactions.move(work, customer, moved, kind, invoice=invoice["id"])
    subscription_discounts.use(work, invoice)
    return {
        "amount_due": due,
        "amount_remaining": due,
        "effective_at": work.now,
        "ending_balance": invoice["starting_balance"] + moved,
        "hosted_invoice_url": page,
        "invoice_pdf": f"{page}/pdf",
        "number": f"{customer['invoice_prefix']}-{number:04d}",
        "status": "open",
        "status_transitions": {**invoice["status_transitions"], "finalized_at": work.now},
        "webhooks_delivered_at": work.now,
    }


def _parent(subscription: Object | None) -> Object | None:
    if subscription is None:
        return None
    return {
        "subscription_details": {
            "metadata": dict(subscription["metadata"]),
            "subscription": subscription["id"],
        },
        "type": "subscription_details",
    }
