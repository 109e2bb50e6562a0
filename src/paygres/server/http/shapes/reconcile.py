"""Comparisons with Stripe as they are answered."""

from typing import Any, Literal

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment

Class = Literal["missing", "stale", "extra", "unmapped", "foreign"]


class Found(TypedDict):
    """Rows of one class; `money` by currency, in minor units, each payment once."""

    rows: int
    fixed: int
    money: dict[str, int]


class Reconciliation(TypedDict):
    """`counts`: objects listed, by noun. `moneyAtStake` is that of missing, stale and extra rows, each payment once.
    `unconfirmed`: rows that were not listed, by noun, too many to ask about without `confirm`."""

    id: str
    environment: Environment
    accountId: str
    status: Literal["running", "succeeded", "failed", "interrupted"]
    fix: bool
    confirm: bool
    only: list[str]
    since: int | None
    counts: dict[str, int]
    classes: dict[Class, Found]
    moneyAtStake: dict[str, int]
    unconfirmed: dict[str, int]
    error: str | None
    requestedBy: str
    startedAt: str
    finishedAt: str | None


# `columns` of a stale row: {column: {"ours", "stripe"}}.
Finding = TypedDict(
    "Finding",
    {
        "nth": int,
        "class": Class,
        "table": str,
        "key": str,
        "objectType": str,
        "objectId": str,
        "columns": dict[str, Any],
        "paymentKey": str | None,
        "amount": int | None,
        "currency": str | None,
        "fixed": bool,
    },
)


class ReconcileAnswer(TypedDict):
    reconciliation: Reconciliation
    findings: list[Finding]
    nextAfter: int | None
