"""Syncs as they are answered (contract 1.6)."""

from typing import Literal

from typing_extensions import TypedDict

from paygres.server.http.shapes.connections import Connection
from paygres.server.http.shapes.environment import Environment


class SyncedSubscriptions(TypedDict):
    """`unmapped` belong to no subject; `deleted` were not listed and are gone at Stripe."""

    environment: Environment
    synced: int
    unmapped: int
    deleted: int


class SyncResult(TypedDict):
    environment: Environment
    connection: Connection
    subscriptions: SyncedSubscriptions | None


class SyncAnswer(TypedDict):
    results: list[SyncResult]


class Sync(TypedDict):
    """What one sync found, by noun: objects listed, rows marked deleted, rows missing at Stripe that an operator must
    confirm."""

    status: Literal["succeeded", "failed"]
    error: str | None
    counts: dict[str, int]
    deleted: dict[str, int]
    missing: dict[str, int]


class SyncSomeResult(SyncResult):
    sync: Sync | None


class SyncSomeAnswer(TypedDict):
    results: list[SyncSomeResult]
