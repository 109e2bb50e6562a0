"""The event log: what came, what became of it, and how it is run again."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from paygres.client.admin.desk import Desk, Moment, Pages, moment, span
from paygres.client.admin.events_shapes import (
    Attempt,
    AttemptsAnswer,
    BackfillAnswer,
    DiffAnswer,
    Effect,
    EffectsAnswer,
    EventAnswer,
    EventsAnswer,
    ExplainAnswer,
    LoggedEvent,
    NewsAnswer,
    ReplayAnswer,
    ReplaySelectionAnswer,
    RetryAnswer,
)
from paygres.client.calls import extension, segment
from paygres.client.shapes import Environment

WORKING = 600.0  # seconds for what reads many events


class Events:
    """`admin.events`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def list(
        self, environment: Environment, *, since: Moment | None = None, until: Moment | None = None, **filters: Any
    ) -> Pages[LoggedEvent]:
        """All that fit, newest first. Filters: `status`, `type`, `object_type` with `object_id`, `subject_type` with
        `subject_id`, `limit` (the size of a page, 100 at most)."""
        return self._desk.listed(environment, "events", EventsAnswer, "events", {**filters, **span(since, until)})

    def csv(
        self, environment: Environment, *, since: Moment | None = None, until: Moment | None = None, **filters: Any
    ) -> str:
        """The same as CSV, all of it."""
        return self._desk.text(f"{extension(environment)}/events", {**filters, **span(since, until), "format": "csv"})

    def get(self, environment: Environment, id: str, *, payload: bool = False) -> EventAnswer:
        """One event; with `payload`, what Stripe sent."""
        return self._desk.send("GET", _event(environment, id), EventAnswer, query={"payload": payload})

    def attempts(self, environment: Environment, id: str) -> Sequence[Attempt]:
        """Each time it was tried."""
        return self._desk.send("GET", f"{_event(environment, id)}/attempts", AttemptsAnswer).attempts

    def effects(self, environment: Environment, id: str) -> Sequence[Effect]:
        """The rows that are about its object, as they are now."""
        return self._desk.send("GET", f"{_event(environment, id)}/effects", EffectsAnswer).effects

    def diff(self, environment: Environment, id: str) -> DiffAnswer:
        """What it told that the telling before it did not."""
        return self._desk.send("GET", f"{_event(environment, id)}/diff", DiffAnswer)

    def replay(
        self,
        environment: Environment,
        id: str,
        *,
        dry_run: bool = False,
        refetch: bool = False,
        reason: str | None = None,
    ) -> ReplayAnswer:
        """Run it once more; `refetch` reads its object at Stripe first; a dry run tells what would change and fire."""
        body = {"dry_run": dry_run, "refetch": refetch, "reason": reason}
        return self._desk.send("POST", f"{_event(environment, id)}/replay", ReplayAnswer, body=body, patience=WORKING)

    def replay_selection(
        self,
        environment: Environment,
        *,
        event_ids: Sequence[str] | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        dry_run: bool = False,
        **selection: Any,
    ) -> ReplaySelectionAnswer:
        """Run many once more: `event_ids`, or those of `type`, `status`, `object_id`, `subject_type` with `subject_id`;
        `limit` of them (1000 at most), `after` the `next` of the answer before; `reason` for the audit log."""
        body = {"event_ids": None if event_ids is None else list(event_ids), "dry_run": dry_run, **selection}
        body |= span(since, until)
        path = f"{extension(environment)}/events/replay"
        return self._desk.send("POST", path, ReplaySelectionAnswer, body=body, patience=WORKING)

    def retry(
        self,
        environment: Environment,
        *,
        status: Literal["failed", "dead", "parked", "pending"] = "failed",
        type: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        limit: int | None = None,
        reason: str | None = None,
    ) -> RetryAnswer:
        """Have the worker try unfinished events at once."""
        body = {"status": status, "type": type, "limit": limit, "reason": reason}
        body |= span(since, until)
        return self._desk.send("POST", f"{extension(environment)}/events/retry", RetryAnswer, body=body)

    def backfill(
        self,
        environment: Environment,
        *,
        since: Moment,
        until: Moment | None = None,
        types: Sequence[str] | None = None,
        dry_run: bool = False,
        reason: str | None = None,
    ) -> BackfillAnswer:
        """Fetch the events that Stripe lists from `since` on (30 days back at most) and that did not come."""
        body: dict[str, Any] = {"since": moment("since", since), "until": moment("until", until)}
        body |= {"dry_run": dry_run, "reason": reason}
        body["types"] = None if types is None else list(types)
        path = f"{extension(environment)}/events/backfill"
        return self._desk.send("POST", path, BackfillAnswer, body=body, patience=WORKING)

    def news(self, environment: Environment) -> NewsAnswer:
        """Where the stream stands."""
        return self._desk.send("GET", f"{extension(environment)}/events/stream", NewsAnswer)

    def stream(self, environment: Environment, *, last_event_id: str | None = None) -> Iterator[LoggedEvent]:
        """Events as they come, for as long as you read; from behind `last_event_id` when that is given."""
        headers = {} if last_event_id is None else {"last-event-id": last_event_id}
        path = f"{extension(environment)}/events/stream"
        for _, told in self._desk.stream("GET", path, headers=headers, patience=float("inf")):
            yield LoggedEvent.model_validate({name: value for name, value in told.items() if name != "id"})

    def explain(self, environment: Environment, id: str) -> ExplainAnswer:
        """One causal timeline of an order, a subject (`type:id`), a customer, an event or any object of Stripe's."""
        return self._desk.send("GET", f"{extension(environment)}/explain/{segment('id', id)}", ExplainAnswer)


def _event(environment: Environment, id: str) -> str:
    return f"{extension(environment)}/events/{segment('id', id)}"
