"""Rebuilds, comparisons with Stripe, and what must always hold. Amounts are in minor units."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from paygres.client.shapes import Environment, Told


class Unfolded(Told, frozen=True):
    """An object (or `payment`) that could not be rebuilt, and why. Its rows are as they were."""

    object_type: str
    object_id: str
    reason: str


class NamedRow(Told, frozen=True):
    """Named row."""

    table: str
    key: dict[str, Any]


class RowCounts(Told, frozen=True):
    """Row counts."""

    added: int
    changed: int
    removed: int


class DifferentRow(Told, frozen=True):
    """`columns`: those that would change; empty for a row that would come or go."""

    table: str
    key: dict[str, Any]
    change: Literal["added", "changed", "removed"]
    columns: list[str]


class MirrorDifferences(Told, frozen=True):
    """`rows` is their number, `examples` the first two hundred."""

    rows: int
    tables: dict[str, RowCounts]
    examples: list[DifferentRow]


class RebuildAnswer(Told, frozen=True):
    """How many objects of each kind were folded, and customers and payments computed. `not_ours`: objects of which
    every telling belongs to others or cannot be read. `extra`: rows about objects that the ledger has never heard of, a
    hundred of each table at most; `removed` counts those that were removed. `differences` only for a dry run.
    """

    environment: Literal["test", "live"]
    dry_run: bool
    objects: dict[str, int]
    customers: int
    payments: int
    not_ours: int
    failed: list[Unfolded]
    extra: list[NamedRow]
    removed: int
    differences: MirrorDifferences | None
    seconds: float


Class = Literal["missing", "stale", "extra", "unmapped", "foreign"]


class Found(Told, frozen=True):
    """Rows of one class; `money` by currency, in minor units, each payment once."""

    rows: int
    fixed: int
    money: dict[str, int]


class Reconciliation(Told, frozen=True):
    """`counts`: objects listed, by noun. `money_at_stake` is that of missing, stale and extra rows, each payment once.
    `unconfirmed`: rows that were not listed, by noun, too many to ask about without `confirm`.
    """

    id: str
    environment: Environment
    account_id: str
    status: Literal["running", "succeeded", "failed", "interrupted"]
    fix: bool
    confirm: bool
    only: list[str]
    since: int | None
    counts: dict[str, int]
    classes: dict[Class, Found]
    money_at_stake: dict[str, int]
    unconfirmed: dict[str, int]
    error: str | None
    requested_by: str
    started_at: datetime
    finished_at: datetime | None


class Finding(Told, frozen=True):
    """A row that differs. `columns` of a stale one: {column: {"ours", "stripe"}}."""

    nth: int
    class_: Class = Field(alias="class")
    table: str
    key: str
    object_type: str
    object_id: str
    columns: dict[str, Any]
    payment_key: str | None
    amount: int | None
    currency: str | None
    fixed: bool


class ReconcileAnswer(Told, frozen=True):
    """Reconcile."""

    reconciliation: Reconciliation
    findings: list[Finding]
    next_after: int | None


class Invariant(Told, frozen=True):
    """`samples`: at most five of the violations; `since`: when they were first seen."""

    name: str
    meaning: str
    violations: int
    samples: list[dict[str, Any]]
    since: datetime | None
    checked_at: datetime


class InvariantsAnswer(Told, frozen=True):
    """Invariants."""

    ok: bool
    invariants: list[Invariant]
