"""Does an update follow from what was known before it? When it does not, an event between the two is missing."""

from typing import Any

from paygres.server.projections.events import Event
from paygres.server.projections.renderings import canonical
from paygres.server.projections.snapshots import StripeObject


def follows(before: StripeObject, previous_attributes: StripeObject) -> bool:
    """True when `before` is what the update says it changed. Only what it changed is compared; null counts as absent.

    `before` need not hold more than the keys of `previous_attributes`.
    """
    return all(_fits(before.get(key), told) for key, told in previous_attributes.items())


def _fits(known: Any, told: Any) -> bool:
    if isinstance(told, dict) and (known is None or isinstance(known, dict)):
        inner = known or {}  # a nested object is told attribute by attribute, a list as a whole
        return all(_fits(inner.get(key), value) for key, value in told.items())
    return known == told or canonical(known) == canonical(told)


def gap_before(event: Event, before: StripeObject) -> StripeObject | None:
    """The row of payments.chain_gaps, when the update does not follow from `before` ({as_of, told})."""
    if follows(before["told"] or {}, event.previous_attributes or {}):
        return None
    return {
        "object_type": event.object_type,
        "object_id": event.object_id,
        "event_id": event.id,
        "as_of": event.created,
        "before_as_of": before["as_of"],
    }
