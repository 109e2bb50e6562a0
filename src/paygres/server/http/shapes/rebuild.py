"""What a rebuild of the mirror tells."""

from typing import Any, Literal

from typing_extensions import TypedDict


class Unfolded(TypedDict):
    """An object (or `payment`) that could not be rebuilt, and why. Its rows are as they were."""

    objectType: str
    objectId: str
    reason: str


class NamedRow(TypedDict):
    table: str
    key: dict[str, Any]


class RowCounts(TypedDict):
    added: int
    changed: int
    removed: int


class DifferentRow(TypedDict):
    """`columns`: those that would change; empty for a row that would come or go."""

    table: str
    key: dict[str, Any]
    change: Literal["added", "changed", "removed"]
    columns: list[str]


class MirrorDifferences(TypedDict):
    """`rows` is their number, `examples` the first two hundred."""

    rows: int
    tables: dict[str, RowCounts]
    examples: list[DifferentRow]


class RebuildAnswer(TypedDict):
    """How many objects of each kind were folded, and customers and payments computed. `notOurs`: objects of which every
    telling belongs to others or cannot be read. `extra`: rows about objects that the ledger has never heard of, a
    hundred of each table at most; `removed` counts those that were removed. `differences` only for a dry run."""

    environment: Literal["test", "live"]
    dryRun: bool
    objects: dict[str, int]
    customers: int
    payments: int
    notOurs: int
    failed: list[Unfolded]
    extra: list[NamedRow]
    removed: int
    differences: MirrorDifferences | None
    seconds: float
