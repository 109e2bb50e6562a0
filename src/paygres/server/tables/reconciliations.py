"""Rows of payments.reconciliations: comparisons with Stripe, and what each found, row by row."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.tables.named import queries

Q = queries("reconciliations")

Class = Literal["missing", "stale", "extra", "unmapped", "foreign"]
REPAIRABLE: tuple[Class, ...] = ("missing", "stale", "extra")


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A comparison that has begun. `since`: only objects made at this Unix second or later."""

    environment: str
    account_id: str
    fix: bool
    confirm: bool
    objects: tuple[str, ...]
    since: int | None
    requested_by: str
    id: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that differs. `columns` of a stale one: {column: {"ours", "stripe"}}; the amount is in minor units,
    counted once a `payment_key`."""

    cls: Class
    table_name: str
    key: str
    object_type: str
    object_id: str
    columns: Mapping[str, Any] | None = None
    payment_key: str | None = None
    amount: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class ToFix:
    """A stored finding, as a repair needs it."""

    nth: int
    cls: Class
    table_name: str
    key: str
    object_type: str
    object_id: str
    payment_key: str | None


async def end_dead_ones(db: Database, environment: str, *, alive_too: bool = False) -> None:
    """Those whose process died are `interrupted`; with the environment's lease in hand, all that say they run."""
    await db.execute(Q.end_dead_ones, environment, alive_too)


async def insert(tx: Tx, run: Reconciliation) -> None:
    """Begin; earlier ones lose their working memory, and are kept for 90 days, at most twenty."""
    await tx.execute(Q.forget_working_memory)
    await tx.execute(Q.forget_old_ones, run.environment)
    await tx.execute(
        Q.insert,
        run.id,
        run.environment,
        run.account_id,
        run.fix,
        run.confirm,
        list(run.objects),
        run.since,
        run.requested_by,
    )


async def beat(db: Database, run: Reconciliation, counts: Mapping[str, int]) -> bool:
    """Alive for another 30 s; False when somebody ended it."""
    return await db.fetchval(Q.beat, run.id, _text(counts)) is not None


async def insert_findings(tx: Tx | Database, run: Reconciliation, findings: Sequence[Finding]) -> None:
    """Record them; a row is found once."""
    if findings:
        rows = [{**asdict(one), "class": one.cls} for one in findings]
        await tx.execute(Q.insert_findings, run.id, _text(rows))


async def select_to_fix(
    db: Database, run: Reconciliation, classes: Sequence[Class], after: int, limit: int
) -> list[ToFix]:
    """What a repair is for, in the order it was found."""
    rows = await db.fetch(Q.select_to_fix, run.id, classes, after, limit)
    return [ToFix(*row.values()) for row in rows]


async def mark_fixed(db: Database, run: Reconciliation, numbers: Sequence[int]) -> None:
    """These are as Stripe has them now."""
    await db.execute(Q.mark_fixed, run.id, numbers)


async def finish(
    db: Database,
    run: Reconciliation,
    *,
    error: str | None = None,
    counts: Mapping[str, int] | None = None,
    unconfirmed: Mapping[str, int] | None = None,
) -> None:
    """It has ended: well, or with `error`; sums up what it found."""
    status = "failed" if error else "succeeded"
    await db.execute(Q.finish, run.id, status, error, _text(counts or {}), _text(unconfirmed or {}))
    await db.execute(Q.forget_working_memory)


async def select_report(db: Database, environment: str, ident: uuid.UUID | None = None) -> dict[str, Any] | None:
    """The newest one, or the one with this id."""
    row = await db.fetchrow(Q.select_report, environment, ident)
    if row is None:
        return None
    read = {name: orjson.loads(row[name]) for name in ("counts", "classes", "money", "unconfirmed")}
    return {**dict(row), **read}


async def select_findings(
    db: Database, ident: uuid.UUID, cls: Class | None, after: int, limit: int
) -> list[dict[str, Any]]:
    """What it found, in the order it was found, after the number given."""
    rows = await db.fetch(Q.select_findings, ident, cls, after, limit)
    return [{**dict(row), "columns": orjson.loads(row["columns"])} for row in rows]


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
