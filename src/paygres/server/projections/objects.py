"""The kinds of Stripe objects we project: how each ages, which payment it is about, what it says happened."""

from collections.abc import Callable
from dataclasses import dataclass

from paygres.server.projections import (
    charges,
    checkout_sessions,
    customers,
    disputes,
    invoice_payments,
    invoices,
    payment_intents,
    prices,
    products,
    refunds,
    subjects,
    subscriptions,
)
from paygres.server.projections.snapshots import Snapshot, StripeObject, Unreadable, says_only_gone

Row = dict[str, object]


def _no_payment(_: StripeObject) -> tuple[str, ...]:
    return ()


def _no_marks(_: Snapshot) -> dict[str, int]:
    return {}


def _no_links(_: StripeObject) -> list[Row]:
    return []


def _none(_: StripeObject) -> Row | None:
    return None


def _complete(_: StripeObject) -> bool:
    return False


def _no_completion(_newest: StripeObject, _other: StripeObject) -> bool:
    return False


def _any_shape(_: StripeObject) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object.

    `required`: fields without which the object is not readable; `shape` raises Unreadable for subtler reasons.
    `lifecycle`: how far along it is, compared field by field. `rows`: (table, row) for the object itself.
    `payment_keys`: the payments it is about (pi_, cs_, ch_ or in_), its own first. `marks`: seconds at which this
    snapshot says the payment was paid, failed or refunded. `links`: payment intents that pay an invoice, and
    sessions that cost nothing and have one.
    `evidence`: that a subject pays as a customer. Both are gathered from every snapshot, not only the newest.
    `truncated`: it holds less than Stripe has, and must be read. `completes`: a stale telling has something that the
    newest one only names, so the rows are written anew (they look it up in the ledger). `attention`: what an operator
    should know.
    """

    name: str
    required: tuple[str, ...]
    lifecycle: Callable[[StripeObject], tuple[int, ...]]
    rows: Callable[[StripeObject, bool], tuple[str, Row] | None]
    payment_keys: Callable[[StripeObject], tuple[str, ...]] = _no_payment
    marks: Callable[[Snapshot], dict[str, int]] = _no_marks
    links: Callable[[StripeObject], list[Row]] = _no_links
    evidence: Callable[[StripeObject], Row | None] = _none
    attention: Callable[[StripeObject], Row | None] = _none
    truncated: Callable[[StripeObject], bool] = _complete
    completes: Callable[[StripeObject, StripeObject], bool] = _no_completion
    shape: Callable[[StripeObject], None] = _any_shape

    @property
    def about_no_payment(self) -> bool:
        """Its objects are translated without knowing any other."""
        return self.payment_keys is _no_payment

    @property
    def tells_links(self) -> bool:
        """Its objects say which payments belong together."""
        return self.links is not _no_links

    def reads(self, raw: StripeObject) -> bool:
        """Is the object of a shape this version reads?"""
        try:
            self.check(raw)
        except Unreadable:
            return False
        return True

    def check(self, raw: StripeObject) -> None:
        """Raise Unreadable when the object is not of a shape this version reads; that it is gone needs none."""
        missing = [name for name in self.required if name not in raw]
        if missing:
            if says_only_gone(raw):
                return
            raise Unreadable(f"{self.name} without {', '.join(missing)}: not a shape this version reads")
        self.shape(raw)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "checkout.session",
            ("id", "mode", "status", "payment_status"),
            checkout_sessions.lifecycle,
            checkout_sessions.row,
            payment_keys=checkout_sessions.payment_keys,
            marks=checkout_sessions.marks,
            links=checkout_sessions.links,
            evidence=subjects.of_session,
        ),
        Kind(
            "payment_intent",
            ("id", "status", "amount", "currency"),
            payment_intents.lifecycle,
            payment_intents.row,
            payment_keys=payment_intents.payment_keys,
            marks=payment_intents.marks,
        ),
        Kind(
            "charge",
            ("id", "amount", "currency"),
            charges.lifecycle,
            charges.row,
            payment_keys=charges.payment_keys,
            marks=charges.marks,
        ),
        Kind(
            "refund",
            ("id", "amount", "currency", "status"),
            refunds.lifecycle,
            refunds.row,
            payment_keys=refunds.payment_keys,
            marks=refunds.marks,
        ),
        Kind(
            "dispute",
            ("id", "amount", "currency", "status"),
            disputes.lifecycle,
            disputes.row,
            payment_keys=disputes.payment_keys,
            attention=disputes.attention,
        ),
        Kind(
            "invoice",
            ("id", "status", "amount_due", "amount_paid", "currency"),
            invoices.lifecycle,
            invoices.row,
            payment_keys=invoices.payment_keys,
            marks=invoices.marks,
            links=invoices.links,
            evidence=subjects.of_invoice,
            shape=invoices.check,
        ),
        Kind(
            "invoice_payment",
            ("id", "invoice", "payment"),
            invoice_payments.lifecycle,
            invoice_payments.row,
            payment_keys=invoice_payments.payment_keys,
            marks=invoice_payments.marks,
            links=invoice_payments.links,
        ),
        Kind(
            "subscription",
            ("id", "status", "customer", "items"),
            subscriptions.lifecycle,
            subscriptions.row,
            evidence=subjects.of_subscription,
            truncated=subscriptions.truncated,
            completes=subscriptions.completes,
            shape=subscriptions.check,
        ),
        Kind("customer", ("id",), customers.lifecycle, customers.row, completes=customers.completes),
        Kind("product", ("id", "name", "active"), products.lifecycle, products.row),
        Kind("price", ("id", "active", "currency", "type"), prices.lifecycle, prices.row),
    )
}
