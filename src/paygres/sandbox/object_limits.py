"""Stripe's limits for one object, as it publishes them: updates of a payment intent, and new invoices and changes of
quantity of a subscription. Counted by request, within the last minute, hour or day."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from paygres.sandbox.wire.errors import rate_limited
from paygres.sandbox.wire.form import Form

MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class ObjectLimit:
    """So many in so many seconds, for the object that `of` names, if the request counts."""

    name: str
    most: int
    seconds: int
    of: Callable[[str, list[str], Form], str | None]


def _payment_intent(operation: str, path_ids: list[str], given: Form) -> str | None:
    return path_ids[0] if operation.startswith("POST /v1/payment_intents/{") else None


def _invoiced_subscription(operation: str, path_ids: list[str], given: Form) -> str | None:
    if operation == "POST /v1/invoices":
        subscription = given.get("subscription")
        return subscription if isinstance(subscription, str) else None
    invoices_now = given.get("proration_behavior") == "always_invoice"
    return path_ids[0] if invoices_now and operation.startswith("POST /v1/subscriptions/{") else None


def _changed_quantity(operation: str, path_ids: list[str], given: Form) -> str | None:
    if operation == "POST /v1/subscription_items/{item}":
        return path_ids[0] if "quantity" in given else None
    items = given.get("items")
    changes = isinstance(items, dict) and any(isinstance(one, dict) and "quantity" in one for one in items.values())
    return path_ids[0] if changes and operation == "POST /v1/subscriptions/{subscription_exposed_id}" else None


# https://docs.stripe.com/rate-limits
LIMITS = (
    ObjectLimit("updates of a payment intent in an hour", 1000, HOUR, _payment_intent),
    ObjectLimit("new invoices of a subscription in a minute", 10, MINUTE, _invoiced_subscription),
    ObjectLimit("new invoices of a subscription in a day", 20, DAY, _invoiced_subscription),
    ObjectLimit("changes of a subscription's quantity in an hour", 200, HOUR, _changed_quantity),
)


@dataclass(slots=True)
class ObjectLimits:
    """When the requests that count were admitted, by limit and object."""

    limits: Iterable[ObjectLimit] = LIMITS
    _admitted: dict[tuple[str, str], deque[float]] = field(default_factory=dict)

    def clear(self) -> None:
        self._admitted.clear()

    def admit(self, operation: str, path_ids: list[str], given: Form, now: float) -> None:
        """Counts the request where it counts, or raises the 429 and counts it nowhere."""
        counted: list[deque[float]] = []
        for limit in self.limits:
            id = limit.of(operation, path_ids, given)
            if id is None:
                continue
            admitted = self._admitted.setdefault((limit.name, id), deque())
            while admitted and admitted[0] <= now - limit.seconds:
                admitted.popleft()
            if len(admitted) >= limit.most:
                raise rate_limited("resource-specific")
            counted.append(admitted)
        for admitted in counted:
            admitted.append(now)
