"""What is known about one Stripe object at one moment, and what the set of those settles to. Pure data."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

StripeObject = dict[str, Any]


class Snapshot(NamedTuple):
    """One telling of an object: an event that carried it, or an API read.

    `as_of` is in Unix seconds: the event's `created`, or for a read the answer's Date minus the time
    the request took. `previous_attributes` only comes with `*.updated` events. `api_version` is the event's, which
    decided how the object was rendered.
    """

    object_type: str
    object_id: str
    as_of: int
    source: Literal["event", "api"]
    raw: StripeObject
    event_id: str | None = None
    event_type: str | None = None
    previous_attributes: StripeObject | None = None
    api_version: str | None = None

    @property
    def failed_by(self) -> int:
        """When an object that tells of a failure failed: in the second of its event. A read only says that it did, so
        repeated reads must not move it: the latest failure counts, and a read's is not before the object was made."""
        if self.source == "event":
            return self.as_of
        return int(self.raw.get("created") or self.as_of)

    @property
    def deleted(self) -> bool:
        """True for a tombstone: a `*.deleted` event, or a read that answered `deleted: true`."""
        return self.raw.get("deleted") is True or (
            self.event_type in ("customer.deleted", "product.deleted", "price.deleted", "invoice.deleted")
        )

    @property
    def bare(self) -> bool:
        """True for `{id, object, deleted}`: it says the object is gone and nothing else."""
        return says_only_gone(self.raw)


def says_only_gone(raw: StripeObject) -> bool:
    """Is this `{id, object, deleted}`?"""
    return raw.get("deleted") is True and raw.keys() <= {"id", "object", "deleted", "livemode"}


@dataclass(frozen=True, slots=True)
class Settled:
    """The newest snapshot of a set. `undecided`: the order inside one second is open, and Stripe must
    be asked; the choice made meanwhile is the same for every order of arrival."""

    snapshot: Snapshot
    deleted: bool
    undecided: bool


class Unreadable(Exception):
    """The object has not the shape of a version we read; the event is parked with this reason."""


def within(raw: StripeObject, *names: str) -> StripeObject:
    """The object found by following these names; an empty one where something else, or nothing, is there."""
    found: Any = raw
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def as_id(value: Any) -> str | None:
    """The id of a field that Stripe sends as an id or expanded as the object itself."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        found = value.get("id")
        return found if isinstance(found, str) else None
    return None
