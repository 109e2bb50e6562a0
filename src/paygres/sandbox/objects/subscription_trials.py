"""What becomes of a subscription whose trial ends while its customer has saved no payment method."""

from typing import Any

from paygres.sandbox.objects import invoice_collection, subscription_ends, subscription_pauses
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work


def stop(work: Work, subscription: Object, *, automatic: bool, **fields: Any) -> bool:
    """Cancels or pauses it, as its `trial_settings` say, and answers whether they do; `fields` change with that.
    `automatic`: no request ends the trial."""
    behavior = (subscription["trial_settings"] or {})["end_behavior"]["missing_payment_method"]
    customer = work.find("customer", subscription["customer"], "customer")
    found = invoice_collection.method_of(work, customer, {**subscription, **fields})
    if behavior == "create_invoice" or found is not None:
        return False
    if behavior == "cancel":
        work.change(subscription, **fields)
        subscription_ends.end(work, subscription, reason=None)
    else:
        subscription_pauses.pause(work, subscription, automatic=automatic, **fields)
    return True
