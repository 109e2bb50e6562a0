"""Bodies and queries about comparisons with Stripe."""

import uuid
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from paygres.server.flows.requests.fields import Body, Length, NotNull, Trimmed, wrong
from paygres.server.flows.requests.lists import Count, Moment
from paygres.server.flows.requests.syncs import Name

_LAST = 2**53


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise wrong("Invalid uuid") from None


class ReconcileRequest(Body):
    """POST /api/paygres/{environment}/reconcile: a dry run, unless `fix`. `only` these nouns (all when absent), of
    objects made at `since` or later. `confirm`: all rows that Stripe did not list are asked about, however many."""

    fix: bool = False
    only: Annotated[list[Name] | None, Field(min_length=1, max_length=20), NotNull("array")] = None
    since: Annotated[Moment | None, NotNull("string")] = None
    confirm: bool = False
    reason: Annotated[Annotated[Trimmed, Length(1, 500)] | None, NotNull("string")] = None


class ReconcileQuery(Body):
    """Findings in the order they were found: of one `class`, behind the number `after` (a page's `nextAfter`). `id`
    names the comparison, the newest when absent."""

    id: Annotated[str, AfterValidator(_uuid)] | None = None
    cls: Annotated[Literal["missing", "stale", "extra", "unmapped", "foreign"] | None, Field(alias="class")] = None
    after: Annotated[int, Count(0, _LAST)] = 0
    limit: Annotated[int, Count(1, 1000)] = 100
