"""A timeline as it is answered. What a step says besides these fields depends on its kind."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from paygres.server.http.shapes.events import Attempt, Difference


class TimelineStep(TypedDict):
    """`kind`: `checkout` (asked for here), `delivery` (an event, with each attempt), `read` (at Stripe's API),
    `fulfillment` (decided), `reversal` (its money has changed since), `message` (of the outbox), `operator` (an act).

    Deliveries and reads tell what is different from the telling of the same object before (`changes`).
    """

    step: int
    kind: Literal["checkout", "delivery", "read", "fulfillment", "reversal", "message", "operator"]
    at: str
    eventId: NotRequired[str]
    eventType: NotRequired[str]
    objectType: NotRequired[str]
    objectId: NotRequired[str]
    happenedAt: NotRequired[str]
    status: NotRequired[str]
    error: NotRequired[str | None]
    attempts: NotRequired[list[Attempt] | int]
    comparedWith: NotRequired[str | None]
    changes: NotRequired[list[Difference]]
    changesTruncated: NotRequired[bool]


class TimelineRow(TypedDict):
    """A row as it is now, and the step it stands on; null when no step explains it."""

    table: str
    key: dict[str, Any]
    now: dict[str, Any]
    step: int | None


class ExplainAnswer(TypedDict):
    """`objects`: ids of Stripe's that belong together. `truncated`: there is more than a thousand steps."""

    environment: Literal["test", "live"]
    id: str
    objects: list[str]
    checkouts: list[str]
    steps: list[TimelineStep]
    rows: list[TimelineRow]
    truncated: bool
