"""A subscription that begins without a payment may ask for a payment method all the same: its pending setup intent."""

import orjson

from paygres.sandbox.objects import setup_intents
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work


def begin(work: Work, customer: str) -> Object:
    """The intent by which the customer saves what later invoices are charged to; not announced."""
    return setup_intents.make(work, customer)


def follow(work: Work, intent: Object) -> None:
    """The intent has succeeded: the subscription waits for it no more, and charges what was saved if it was told to
    keep that."""
    links = {"pending_setup_intent": intent["id"]}
    for body in work.store.page(work.account, "subscription", links=links, limit=1):
        subscription = work.find("subscription", orjson.loads(body)["id"], "subscription")
        changes: Object = {"pending_setup_intent": None}
        if (subscription["payment_settings"] or {}).get("save_default_payment_method") == "on_subscription":
            changes["default_payment_method"] = intent["payment_method"]
        work.update_and_emit(subscription, "customer.subscription.updated", **changes)
