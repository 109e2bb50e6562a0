"""Bodies about syncs."""

from typing import Annotated, Literal

from pydantic import Field

from paygres.server.flows.requests.fields import Body, NotNull

Name = Literal[
    "products",
    "prices",
    "customers",
    "subscriptions",
    "invoices",
    "invoice_payments",
    "checkout_sessions",
    "payment_intents",
    "charges",
    "refunds",
    "disputes",
]


class SyncRequest(Body):
    """POST /api/paygres/{environment}/sync: `only` these nouns (all when absent). `confirmMissing` marks the rows that
    are gone at Stripe deleted, however many they are."""

    only: Annotated[list[Name] | None, Field(min_length=1, max_length=20), NotNull("array")] = None
    confirm_missing: bool = False
