"""The kinds of Stripe objects we project: how each ages, which payment it is about, what it says happened."""

from collections.abc import Callable
from dataclasses import dataclass, field

from paygres.server.projections import (
    charges,
    checkout_sessions,
    customers,
    payment_intents,
    prices,
    products,
)
from paygres.server.projections.snapshots import Snapshot, StripeObject, Unreadable

Row = dict[str, object]


def _no_payment(_: StripeObject) -> str | None:
    return None


def _no_marks(_: Snapshot) -> dict[str, int]:
    return {}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object.

    `required`: fields without which the object is not readable. `lifecycle`: how far along it is, compared
    field by field. `payment_key`: pi_…, else cs_… or ch_…, of the payment it is about. `marks`: seconds at
    which this snapshot says the payment was paid, failed or refunded. `rows`: (table, row) for the object itself.
    """

    name: str
    required: tuple[str, ...]
    lifecycle: Callable[[StripeObject], tuple[int, ...]]
    rows: Callable[[StripeObject, bool], tuple[str, Row] | None]
    payment_key: Callable[[StripeObject], str | None] = _no_payment
    marks: Callable[[Snapshot], dict[str, int]] = field(default=_no_marks)

    def check(self, raw: StripeObject) -> None:
        """Raise Unreadable when the object is not of a shape this version reads."""
        missing = [name for name in self.required if name not in raw]
        if missing:
            raise Unreadable(f"{self.name} without {', '.join(missing)}: not a shape this version reads")


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "checkout.session",
            ("id", "mode", "status", "payment_status"),
            checkout_sessions.lifecycle,
            checkout_sessions.row,
            checkout_sessions.payment_key,
            checkout_sessions.marks,
        ),
        Kind(
            "payment_intent",
            ("id", "status", "amount", "currency"),
            payment_intents.lifecycle,
            payment_intents.row,
            payment_intents.payment_key,
            payment_intents.marks,
        ),
        Kind(
            "charge",
            ("id", "amount", "currency"),
            charges.lifecycle,
            charges.row,
            charges.payment_key,
            charges.marks,
        ),
        Kind("customer", ("id",), customers.lifecycle, customers.row),
        Kind("product", ("id", "name", "active"), products.lifecycle, products.row),
        Kind("price", ("id", "active", "currency", "type"), prices.lifecycle, prices.row),
    )
}
