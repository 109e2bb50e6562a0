"""What must always be true, as the route tells it."""

from typing import Any

from typing_extensions import TypedDict


class Invariant(TypedDict):
    """`samples`: at most five of the violations; `since`: when they were first seen."""

    name: str
    meaning: str
    violations: int
    samples: list[dict[str, Any]]
    since: str | None
    checkedAt: str


class InvariantsAnswer(TypedDict):
    ok: bool
    invariants: list[Invariant]
