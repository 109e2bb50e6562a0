"""Bodies and queries about customer mappings, and about what needs attention."""

from typing import Annotated, Literal

from paygres.server.flows.requests.fields import Body, Length, Subject, Trimmed
from paygres.server.flows.requests.lists import Flag, PageQuery, SubjectPageQuery, Word


class SetMappingRequest(Body):
    """PUT …/mappings: from now on the subject pays as this customer."""

    subject: Subject
    customer_id: Annotated[Trimmed, Length(1, 255)]
    note: Annotated[Trimmed, Length(1, 500)] | None = None


class UnsetMappingQuery(Body):
    """DELETE …/mappings: whose."""

    subject_type: Annotated[Trimmed, Length(1, 100)]
    subject_id: Annotated[Trimmed, Length(1, 255)]


class MappingsQuery(SubjectPageQuery):
    """Of one subject or of one customer, or all."""

    sort: Literal["-created"] = "-created"  # type: ignore[assignment]

    customer_id: Word | None = None


class AttentionQuery(PageQuery):
    """`open=false` shows what is closed; without it both."""

    sort: Literal["-created"] = "-created"  # type: ignore[assignment]

    open: Flag | None = None
    reason: Word | None = None
