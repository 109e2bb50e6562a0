"""A subscription whose time a test decides about."""

from typing import Any

from paygres.contrib.payments_sandbox.wire import Wire


class Subscription:
    """One subscription, by its id."""

    def __init__(self, wire: Wire, id: str) -> None:
        self._wire = wire
        self.id = id

    def renew(self, *, fail: bool = False) -> dict[str, Any]:
        """Its period (or its trial, or its planned end) is over now, without moving the clock; `fail` declines the
        payment, whatever the card. Answers the subscription."""
        return self._wire.post("/_sim/renew", subscription=self.id, fail=fail)

    def retry(self) -> dict[str, Any]:
        """The next try of its latest invoice's failed payment happens now; answers the invoice."""
        return self._wire.post("/_sim/retry", invoice=str(self.read()["latest_invoice"]))

    def read(self) -> dict[str, Any]:
        """The subscription as Stripe's API answers it."""
        return self._wire.stripe("GET", f"/v1/subscriptions/{self.id}", {})
