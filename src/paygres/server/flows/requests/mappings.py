"""Bodies and queries about customer mappings, and about what needs attention."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import JsonValue

from paygres.server.flows.requests.fields import Body, CrossField, Length, Subject, Trimmed
from paygres.server.flows.requests.lists import Flag, PageQuery, Word


class SetMappingRequest(Body):
    """PUT …/mappings: from now on the subject pays as this customer."""

    subject: Subject
    customer_id: Annotated[Trimmed, Length(1, 255)]
    note: Annotated[Trimmed, Length(1, 500)] | None = None


class UnsetMappingQuery(Body):
    """DELETE …/mappings: whose."""

    subject_type: Annotated[Trimmed, Length(1, 100)]
    subject_id: Annotated[Trimmed, Length(1, 255)]


class MappingsQuery(PageQuery):
    """Of one subject or of one customer, or all."""

    sort: Literal["-created"] = "-created"  # type: ignore[assignment]

    subject_type: Annotated[Trimmed, Length(1, 100)] | None = None
    subject_id: Annotated[Trimmed, Length(1, 255)] | None = None
    customer_id: Word | None = None

    @classmethod
    def between_fields(cls, body: Mapping[str, JsonValue]) -> list[CrossField]:
        if ("subjectType" in body) == ("subjectId" in body):
            return []
        return [("(root)", "subjectType and subjectId must be provided together")]


class AttentionQuery(PageQuery):
    """`open=false` shows what is closed; without it both."""

    sort: Literal["-created"] = "-created"  # type: ignore[assignment]

    open: Flag | None = None
    reason: Word | None = None
