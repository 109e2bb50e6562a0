"""A local Stripe in the hands of a test: started as a process, paid at, moved in time, asked what it told whom.

with Sandbox.start(seed="shop.yaml", clock="2026-01-31") as sandbox:
    ...
    sandbox.checkout(url).pay("4242424242424242")
    sandbox.clock.advance(days=31)
    sandbox.events.wait("invoice.paid", count=2)
"""

from paygres.contrib.payments_sandbox.checkouts import Checkout, Paid
from paygres.contrib.payments_sandbox.clock import Clock
from paygres.contrib.payments_sandbox.deliveries import Deliveries, Delivery
from paygres.contrib.payments_sandbox.errors import Declined, SandboxError, TooLate
from paygres.contrib.payments_sandbox.events import Event, Events
from paygres.contrib.payments_sandbox.faults import Faults
from paygres.contrib.payments_sandbox.sandbox import Sandbox, Webhook
from paygres.contrib.payments_sandbox.subscriptions import Subscription

__all__ = [
    "Checkout",
    "Clock",
    "Declined",
    "Deliveries",
    "Delivery",
    "Event",
    "Events",
    "Faults",
    "Paid",
    "Sandbox",
    "SandboxError",
    "Subscription",
    "TooLate",
    "Webhook",
]
