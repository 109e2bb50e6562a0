"""Bodies and queries about the event log."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue

from paygres.server.flows.requests.fields import Body, CrossField, Length, Trimmed, between, whole, wrong
from paygres.server.flows.requests.lists import Flag, Moment, PageQuery, Word, subject_pair

_TYPE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?", re.ASCII)


def _event_type(text: str) -> str:
    if _TYPE.fullmatch(text) is None:
        raise wrong("Expected an event type such as invoice.paid, or a family such as invoice.*")
    return text


def _number(text: str) -> str:
    if not text.isdecimal() or not text.isascii() or len(text) > 18:
        raise wrong("Expected the next of an answer")
    return text


EventType = Annotated[Trimmed, Length(1, 100), AfterValidator(_event_type)]
Status = Literal["pending", "processed", "failed", "ignored", "parked", "dead"]
Reason = Annotated[Trimmed, Length(1, 500)]


def _about_whom(body: Mapping[str, JsonValue]) -> list[CrossField]:
    """Events are those of one object or of one subject."""
    broken = subject_pair(body)
    if "objectId" in body and "subjectId" in body:
        broken.append(("(root)", "objectId and subjectId cannot be combined"))
    return broken


class EventsQuery(PageQuery):
    """A page of events, newest first. `type` is one type or a family (`invoice.*`). `parked` events wait for
    something and are `pending` too; `dead` ones are not tried any more and are `failed` too. Times are of reception.
    """

    sort: Literal["-created"] = "-created"  # pyright: ignore[reportIncompatibleVariableOverride] (frozen)
    status: Status | None = None
    type: EventType | None = None
    object_type: Word | None = None
    object_id: Word | None = None
    subject_type: Annotated[Trimmed, Length(1, 100)] | None = None
    subject_id: Annotated[Trimmed, Length(1, 255)] | None = None

    @classmethod
    def between_fields(cls, body: Mapping[str, JsonValue]) -> list[CrossField]:
        return _about_whom(body)


class EventQuery(Body):
    """`payload=true` adds the event as Stripe sent it."""

    payload: Flag = False


class ReplayRequest(Body):
    """`refetch` reads the object at Stripe first; `dryRun` answers what would change and changes nothing."""

    reason: Reason | None = None
    refetch: bool = False
    dry_run: bool = False

    @classmethod
    def between_fields(cls, body: Mapping[str, JsonValue]) -> list[CrossField]:
        if body.get("refetch") is True and body.get("dryRun") is True:
            return [("(root)", "refetch and dryRun cannot be combined: what is read at Stripe is kept")]
        return []


class ReplaySelection(Body):
    """Events to run again, the oldest first; `dryRun` answers for each what would change (at most 200 a request).
    `status` as in the list; `after` is the `next` of the answer before. At least one filter has to be given."""

    event_ids: Annotated[list[Word], Field(min_length=1, max_length=1000)] | None = None
    type: EventType | None = None
    status: Status | None = None
    object_id: Word | None = None
    subject_type: Annotated[Trimmed, Length(1, 100)] | None = None
    subject_id: Annotated[Trimmed, Length(1, 255)] | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    after: Annotated[Trimmed, AfterValidator(_number)] | None = None
    limit: Annotated[int, BeforeValidator(whole), between(0, 1000)] = 100
    dry_run: bool = False
    reason: Reason | None = None

    @classmethod
    def between_fields(cls, body: Mapping[str, JsonValue]) -> list[CrossField]:
        broken = _about_whom(body)
        if not body.keys() & {"eventIds", "type", "status", "objectId", "subjectId", "from", "to"}:
            broken.append(
                ("(root)", "At least one of eventIds, type, status, objectId, subjectId, from, to is required")
            )
        return broken


class RetryRequest(Body):
    """Unfinished events that shall be tried at once, the oldest first; `failed` includes the dead."""

    status: Literal["failed", "dead", "parked", "pending"] = "failed"
    type: EventType | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    limit: Annotated[int, BeforeValidator(whole), between(0, 1000)] = 500
    reason: Reason | None = None


class BackfillRequest(Body):
    """Events that Stripe lists from `since` to `until` (without: until now) and that did not come. `types`: only these,
    or families of them (`invoice.*`). `dryRun` counts them."""

    since: Moment
    until: Moment | None = None
    types: Annotated[list[EventType], Field(min_length=1, max_length=100)] | None = None
    dry_run: bool = False
    reason: Reason | None = None


class AuditQuery(PageQuery):
    """A page of who did what, newest first. `action` is one (`event.replay`) or a noun's (`event.*`)."""

    sort: Literal["-created"] = "-created"  # pyright: ignore[reportIncompatibleVariableOverride] (frozen)
    actor: Word | None = None
    action: EventType | None = None
    environment: Literal["test", "live"] | None = None
    target: Word | None = None
