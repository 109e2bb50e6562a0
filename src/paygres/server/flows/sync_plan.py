"""What a sync reads, in which order, and what it means when an object is missing from a list. No I/O."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

_CARD_OF_CUSTOMER = ["data.invoice_settings.default_payment_method", "data.default_source"]


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of Stripe's. `name` is the noun in counts and progress; two listings may share it.

    Listings of one `stage` are read side by side, and a stage begins when the one before has ended: which invoice a
    payment intent pays must be known before the intents come, or each would be asked about by itself.
    """

    key: str
    name: str
    path: str
    stage: int
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Vanishing:
    """A kind whose objects can disappear, so that one that is not listed may be gone.

    Customers and products are deleted (products only without prices); prices only in Stripe's own pages, before they
    are used; subscriptions stay in the list when they end and go only with all test data, or with a test clock.
    What else we list never disappears, but for draft invoices, which are no payment.
    """

    object_type: str
    path: str


LISTINGS = (
    Listing("products", "products", "/v1/products", 1),
    # Archived products come with the others; archived prices have to be asked for.
    Listing("prices", "prices", "/v1/prices", 1, {"active": "true"}),
    Listing("archived_prices", "prices", "/v1/prices", 1, {"active": "false"}),
    Listing("customers", "customers", "/v1/customers", 1, {"expand": _CARD_OF_CUSTOMER}),
    Listing("subscriptions", "subscriptions", "/v1/subscriptions", 2, {"status": "all"}),
    Listing("invoices", "invoices", "/v1/invoices", 2, {"expand": ["data.payments"]}),
    Listing("invoice_payments", "invoice_payments", "/v1/invoice_payments", 2),
    Listing("checkout_sessions", "checkout_sessions", "/v1/checkout/sessions", 2),
    Listing("payment_intents", "payment_intents", "/v1/payment_intents", 3),
    Listing("charges", "charges", "/v1/charges", 3),
    Listing("refunds", "refunds", "/v1/refunds", 3),
    Listing("disputes", "disputes", "/v1/disputes", 3),
)
BY_KEY = {listing.key: listing for listing in LISTINGS}
NAMES = tuple(dict.fromkeys(listing.name for listing in LISTINGS))
STAGES = tuple(sorted({listing.stage for listing in LISTINGS}))

VANISHING = {
    "products": Vanishing("product", "/v1/products/"),
    "prices": Vanishing("price", "/v1/prices/"),
    "customers": Vanishing("customer", "/v1/customers/"),
    "subscriptions": Vanishing("subscription", "/v1/subscriptions/"),
}

# Unasked, a sync marks at most so many rows of a kind deleted: 1 % of them, but a few always, and never more than
# twenty (each was confirmed at Stripe). Beyond that somebody may have emptied the wrong account.
FEW, MANY = 5, 20


def listings(names: Collection[str]) -> list[Listing]:
    """The listings of these names, in the plan's order."""
    return [listing for listing in LISTINGS if listing.name in names]


def may_vanish_unasked(kept: int) -> int:
    """How many of `kept` rows may be missing without an operator being asked (decision 12)."""
    return min(MANY, max(FEW, kept // 100))
