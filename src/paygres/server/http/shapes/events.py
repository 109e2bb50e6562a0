"""The event log as it is answered: the contract's event and what the ledger, the queue and the tables know of it."""

from typing import (
    Any,
    Literal,
    NotRequired,  # pydantic needs this one before Python 3.12
)

from typing_extensions import TypedDict

from paygres.server.http.shapes.webhooks import WebhookEvent


class Queued(TypedDict):
    """Work that is left. `parked` waits for something until `deadline`; `dead` is tried again only when asked."""

    state: Literal["pending", "parked", "failed", "dead"]
    attempts: int
    nextAttemptAt: str | None
    reason: str | None
    deadline: str | None
    replayed: bool


class LoggedEvent(WebhookEvent):
    """`marked` is false while a developer's trigger keeps the event out of payments.webhook_events."""

    marked: bool
    queue: Queued | None


class EventsAnswer(TypedDict):
    events: list[LoggedEvent]
    nextCursor: str | None


class NewsAnswer(TypedDict):
    """For those who do not accept text/event-stream: what is new behind `Last-Event-ID`, and the next one."""

    events: list[LoggedEvent]
    lastEventId: str


class EventAnswer(TypedDict):
    """`payload`, the event as Stripe sent it, when asked for."""

    event: LoggedEvent
    payload: NotRequired[dict[str, Any]]


class Attempt(TypedDict):
    """`durationMs` is null for attempts whose time was not taken."""

    attempt: int
    at: str
    outcome: Literal["processed", "ignored", "failed", "dead", "parked", "pending"]
    error: str | None
    durationMs: int | None


class AttemptsAnswer(TypedDict):
    attempts: list[Attempt]


class Effect(TypedDict):
    """A row: what names it and what it says now."""

    table: str
    key: dict[str, Any]
    summary: dict[str, Any]


class EffectsAnswer(TypedDict):
    effects: list[Effect]


class ComparedWith(TypedDict):
    source: Literal["event", "api"]
    eventId: str | None
    eventType: str | None
    at: str


class Difference(TypedDict):
    """Without `before` nothing stood at the path, without `after` nothing stands there any more."""

    path: str
    before: NotRequired[Any]
    after: NotRequired[Any]


class DiffAnswer(TypedDict):
    eventId: str
    comparedWith: ComparedWith | None
    changes: list[Difference]
    truncated: bool
    previousAttributes: dict[str, Any] | None


class Change(TypedDict):
    table: str
    key: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Written(TypedDict):
    """Rows of a developer's table."""

    table: str
    inserted: int
    updated: int
    deleted: int


class FiredTrigger(TypedDict):
    """A developer's trigger on a table of ours."""

    table: str
    name: str
    function: str
    timing: Literal["before", "after"]


class ReplayAnswer(TypedDict):
    """`outcome` is the event's new status, or `queued`: the worker will follow. `writes` (rows in developers' tables)
    and `triggers` (that would fire) only for a dry run."""

    outcome: Literal["processed", "ignored", "failed", "pending", "queued"]
    error: str | None
    dryRun: bool
    event: LoggedEvent
    changes: list[Change]
    writes: list[Written] | None
    triggers: list[FiredTrigger] | None


class TriggerTimes(TypedDict):
    table: str
    name: str
    times: int


class ReplaySummary(TypedDict):
    """`outcomes` counts events, `changes` rows of ours that would differ, `writes` rows in developers' tables."""

    outcomes: dict[str, int]
    changes: dict[str, int]
    writes: dict[str, int]
    triggers: list[TriggerTimes]


class ReplaySelectionAnswer(TypedDict):
    """`eventIds` are queued for the worker, or for a dry run `rehearsed`, each by itself; `next` is behind them."""

    dryRun: bool
    selected: int
    eventIds: list[str]
    rehearsed: list[ReplayAnswer] | None
    summary: ReplaySummary | None
    next: str | None


class BackfillAnswer(TypedDict):
    """`missing` events had not come; the rest says what became of them. `unfinished`: the worker has them.
    Nothing but `listed` and `missing` for a dry run."""

    listed: int
    missing: int
    applied: int
    ignored: int
    unfinished: int
    unreadable: int
    dryRun: bool


class RetryAnswer(TypedDict):
    requeued: int
    more: bool
