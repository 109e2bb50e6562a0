"""Queries and bodies about fulfillments, destinations of messages, and the messages."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from paygres.server.flows.requests.fields import Body, CrossField, Length, NotNull, Trimmed
from paygres.server.flows.requests.lists import PageQuery, SubjectPageQuery, Word

MessageType = Literal["fulfillment.granted", "fulfillment.reversed", "fulfillment.restored", "fulfillment.quarantined"]
ALL_TYPES: list[MessageType] = [
    "fulfillment.granted",
    "fulfillment.reversed",
    "fulfillment.restored",
    "fulfillment.quarantined",
]
_Name = Annotated[Trimmed, Length(1, 100)]
_Url = Annotated[Trimmed, Length(1, 2000)]
_Types = Annotated[list[MessageType], Field(min_length=1, max_length=len(ALL_TYPES))]


class FulfillmentsQuery(SubjectPageQuery):
    """`payment` is any Stripe id of the payment."""

    status: Literal["granted", "reversed", "quarantined", "released"] | None = None
    rule: Word | None = None
    key: Word | None = None
    payment: Word | None = None


class ReleaseRequest(Body):
    """POST …/fulfillments/{id}/release: why, for the audit log."""

    reason: Annotated[Trimmed, Length(1, 500)]


class DestinationRequest(Body):
    """POST …/destinations: where messages are sent."""

    url: _Url
    name: Annotated[_Name | None, NotNull("string")] = None
    types: Annotated[_Types | None, NotNull("array")] = None
    active: Annotated[bool | None, NotNull("boolean")] = None


class DestinationChange(Body):
    """PATCH …/destinations/{id}; `rotateSecret` makes a new secret, the old one signs as well for a day."""

    url: Annotated[_Url | None, NotNull("string")] = None
    name: Annotated[_Name | None, NotNull("string")] = None
    types: Annotated[_Types | None, NotNull("array")] = None
    active: Annotated[bool | None, NotNull("boolean")] = None
    rotate_secret: Annotated[bool | None, NotNull("boolean")] = None

    @classmethod
    def between_fields(cls, body: Mapping[str, JsonValue]) -> list[CrossField]:
        return [] if body else [("(root)", "Nothing to change")]


class MessagesQuery(PageQuery):
    """Of one destination, newest first."""

    sort: Literal["-created"] = "-created"  # type: ignore[assignment]

    status: Literal["delivered", "pending", "given_up"] | None = None
