"""Orders of events as they were recorded from real Stripe (public logs of `stripe listen`, of the months given), for
the flows that the sandbox reproduces. "+" begins what came seconds later, in any order."""

from typing import NamedTuple


class Recording(NamedTuple):
    recorded: str
    types: str


PAYMENT = Recording(
    "October and December 2025, June 2026",
    "charge.succeeded payment_intent.succeeded payment_intent.created checkout.session.completed + charge.updated",
)
AUTHENTICATED = Recording(
    "January 2026",
    "payment_intent.requires_action payment_intent.created payment_intent.succeeded charge.succeeded "
    "checkout.session.completed + charge.updated",
)
SUBSCRIPTION = Recording(
    "September and October 2025",
    "charge.succeeded payment_method.attached customer.created customer.updated checkout.session.completed "
    "customer.subscription.created payment_intent.created payment_intent.succeeded invoice.created invoice.finalized "
    "invoice.paid invoice.payment_succeeded + charge.updated invoice_payment.paid",
)
SUBSCRIPTION_BY_REQUEST = Recording(
    "March 2026",
    "charge.succeeded customer.updated customer.subscription.created payment_intent.created payment_intent.succeeded "
    "invoice.created invoice.finalized invoice.paid invoice.payment_succeeded + charge.updated invoice_payment.paid",
)
# Documented, not recorded: docs.stripe.com/invoicing/integration/workflow-transitions.
RENEWAL = Recording(
    "documented",
    "customer.subscription.updated invoice.created invoice.finalized invoice.paid invoice.payment_succeeded",
)
REFUND = Recording("May 2025", "refund.created charge.refunded refund.updated charge.refund.updated")
