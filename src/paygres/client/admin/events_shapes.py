"""The event log and what came of each event. Amounts are in minor units."""

from datetime import datetime
from typing import Any, Literal

from paygres.client.shapes import Environment, Told


class WebhookEvent(Told, frozen=True):
    """One event as the ledger has it."""

    environment: Environment
    event_id: str
    event_type: str
    livemode: bool
    account_id: str | None
    object_type: str | None
    object_id: str | None
    processing_status: Literal["pending", "processed", "failed", "ignored"]
    attempt_count: int
    last_error: str | None
    received_at: datetime
    processed_at: datetime | None
    created_at: datetime
    updated_at: datetime


class WebhookAnswer(Told, frozen=True):
    """Webhook."""

    received: Literal[True]
    handled: bool
    event: WebhookEvent


class Queued(Told, frozen=True):
    """Work that is left. `parked` waits for something until `deadline`; `dead` is tried again only when asked."""

    state: Literal["pending", "parked", "failed", "dead"]
    attempts: int
    next_attempt_at: datetime | None
    reason: str | None
    deadline: datetime | None
    replayed: bool


class LoggedEvent(WebhookEvent, frozen=True):
    """`marked` is false while a developer's trigger keeps the event out of payments.webhook_events."""

    marked: bool
    queue: Queued | None


class EventsAnswer(Told, frozen=True):
    """Events."""

    events: list[LoggedEvent]
    next_cursor: str | None


class NewsAnswer(Told, frozen=True):
    """For those who do not accept text/event-stream: what is new behind `Last-Event-ID`, and the next one."""

    events: list[LoggedEvent]
    last_event_id: str


class EventAnswer(Told, frozen=True):
    """`payload`, the event as Stripe sent it, when asked for."""

    event: LoggedEvent
    payload: dict[str, Any] | None = None


class Attempt(Told, frozen=True):
    """`duration_ms` is null for attempts whose time was not taken."""

    attempt: int
    at: datetime
    outcome: Literal["processed", "ignored", "failed", "dead", "parked", "pending"]
    error: str | None
    duration_ms: int | None


class AttemptsAnswer(Told, frozen=True):
    """Attempts."""

    attempts: list[Attempt]


class Effect(Told, frozen=True):
    """A row: what names it and what it says now."""

    table: str
    key: dict[str, Any]
    summary: dict[str, Any]


class EffectsAnswer(Told, frozen=True):
    """Effects."""

    effects: list[Effect]


class ComparedWith(Told, frozen=True):
    """Compared with."""

    source: Literal["event", "api"]
    event_id: str | None
    event_type: str | None
    at: datetime


class Difference(Told, frozen=True):
    """Without `before` nothing stood at the path, without `after` nothing stands there any more."""

    path: str
    before: Any | None = None
    after: Any | None = None


class DiffAnswer(Told, frozen=True):
    """Diff."""

    event_id: str
    compared_with: ComparedWith | None
    changes: list[Difference]
    truncated: bool
    previous_attributes: dict[str, Any] | None


class Change(Told, frozen=True):
    """Change."""

    table: str
    key: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Written(Told, frozen=True):
    """Rows of a developer's table."""

    table: str
    inserted: int
    updated: int
    deleted: int


class FiredTrigger(Told, frozen=True):
    """A developer's trigger on a table of ours."""

    table: str
    name: str
    function: str
    timing: Literal["before", "after"]


class ReplayAnswer(Told, frozen=True):
    """`outcome` is the event's new status, or `queued`: the worker will follow. `writes` (rows in developers' tables)
    and `triggers` (that would fire) only for a dry run.
    """

    outcome: Literal["processed", "ignored", "failed", "pending", "queued"]
    error: str | None
    dry_run: bool
    event: LoggedEvent
    changes: list[Change]
    writes: list[Written] | None
    triggers: list[FiredTrigger] | None


class TriggerTimes(Told, frozen=True):
    """Trigger times."""

    table: str
    name: str
    times: int


class ReplaySummary(Told, frozen=True):
    """`outcomes` counts events, `changes` rows of ours that would differ, `writes` rows in developers' tables."""

    outcomes: dict[str, int]
    changes: dict[str, int]
    writes: dict[str, int]
    triggers: list[TriggerTimes]


class ReplaySelectionAnswer(Told, frozen=True):
    """`event_ids` are queued for the worker, or for a dry run `rehearsed`, each by itself; `next` is behind them."""

    dry_run: bool
    selected: int
    event_ids: list[str]
    rehearsed: list[ReplayAnswer] | None
    summary: ReplaySummary | None
    next: str | None


class BackfillAnswer(Told, frozen=True):
    """`missing` events had not come; the rest says what became of them. `unfinished`: the worker has them.
    Nothing but `listed` and `missing` for a dry run.
    """

    listed: int
    missing: int
    applied: int
    ignored: int
    unfinished: int
    unreadable: int
    dry_run: bool


class RetryAnswer(Told, frozen=True):
    """Retry."""

    requeued: int
    more: bool


class TimelineStep(Told, frozen=True):
    """`kind`: `checkout` (asked for here), `delivery` (an event, with each attempt), `read` (at Stripe's API),
    `fulfillment` (decided), `reversal` (its money has changed since), `message` (of the outbox), `operator` (an act).

    Deliveries and reads tell what is different from the telling of the same object before (`changes`).
    """

    step: int
    kind: Literal["checkout", "delivery", "read", "fulfillment", "reversal", "message", "operator"]
    at: datetime
    event_id: str | None = None
    event_type: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    happened_at: datetime | None = None
    status: str | None = None
    error: str | None = None
    attempts: list[Attempt] | int | None = None
    compared_with: str | None = None
    changes: list[Difference] | None = None
    changes_truncated: bool | None = None


class TimelineRow(Told, frozen=True):
    """A row as it is now, and the step it stands on; null when no step explains it."""

    table: str
    key: dict[str, Any]
    now: dict[str, Any]
    step: int | None


class ExplainAnswer(Told, frozen=True):
    """`objects`: ids of Stripe's that belong together. `truncated`: there is more than a thousand steps."""

    environment: Literal["test", "live"]
    id: str
    objects: list[str]
    checkouts: list[str]
    steps: list[TimelineStep]
    rows: list[TimelineRow]
    truncated: bool
