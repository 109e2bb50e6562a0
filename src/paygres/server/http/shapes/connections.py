"""Stripe connections, keys and syncs as they are answered (contract 1.6); times are ISO-8601 UTC."""

from typing import Any, Literal

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment


class Connection(TypedDict):
    """What is known of one environment's Stripe account."""

    environment: Environment
    status: Literal["unconfigured", "connected", "error"]
    accountId: str | None
    accountEmail: str | None
    accountLivemode: bool | None
    webhookEndpointId: str | None
    webhookEndpointUrl: str | None
    webhookConfiguredAt: str | None
    maskedKey: str | None
    lastSyncedAt: str | None
    lastSyncStatus: str | None
    lastSyncError: str | None
    lastSyncCounts: dict[str, Any]


class ConnectionsAnswer(TypedDict):
    connections: list[Connection]


class ConnectionAnswer(TypedDict):
    connection: Connection


class ConfigKey(TypedDict):
    """`value` is masked or null: no route returns a Stripe key."""

    environment: Environment
    value: str | None
    hasKey: bool
    maskedKey: str | None


class ConfigAnswer(TypedDict):
    keys: list[ConfigKey]


class SyncResult(TypedDict):
    environment: Environment
    connection: Connection
    subscriptions: dict[str, Any] | None


class SyncAnswer(TypedDict):
    results: list[SyncResult]
