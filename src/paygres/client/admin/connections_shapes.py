"""Connected Stripe accounts, their webhook endpoint, and syncs. Amounts are in minor units."""

from datetime import datetime
from typing import Any, Literal

from paygres.client.shapes import Environment, Told


class WebhookHealth(Told, frozen=True):
    """How the managed webhook endpoint was when last looked at; problems are sentences."""

    status: Literal["ok", "problem", "unknown"]
    problems: list[str]
    checked_at: datetime | None


class EventSweep(Told, frozen=True):
    """Everything Stripe listed from `complete_from` to `complete_through` (by the events' created time) is stored here.
    Null before the first sweep; `problem` is why the last one did not end well.
    """

    complete_from: str | None
    complete_through: str | None
    swept_at: datetime | None
    problem: str | None


class Connection(Told, frozen=True):
    """What is known of one environment's Stripe account."""

    environment: Environment
    status: Literal["unconfigured", "connected", "error"]
    account_id: str | None
    account_email: str | None
    account_livemode: bool | None
    webhook_endpoint_id: str | None
    webhook_endpoint_url: str | None
    webhook_configured_at: datetime | None
    masked_key: str | None
    last_synced_at: datetime | None
    last_sync_status: str | None
    last_sync_error: str | None
    last_sync_counts: dict[str, Any]
    webhook_health: WebhookHealth
    event_sweep: EventSweep


class ConnectionsAnswer(Told, frozen=True):
    """Connections."""

    connections: list[Connection]


class ConnectionAnswer(Told, frozen=True):
    """Connection."""

    connection: Connection


class ConfigKey(Told, frozen=True):
    """`value` is masked or null: no route returns a Stripe key."""

    environment: Environment
    value: str | None
    has_key: bool
    masked_key: str | None


class ConfigAnswer(Told, frozen=True):
    """Config."""

    keys: list[ConfigKey]


class SigningSecret(Told, frozen=True):
    """A signing secret that is accepted: `own` was brought by people, `previous` was just replaced."""

    kind: Literal["managed", "next", "own", "previous"]
    expires_at: datetime | None


class WantedEndpoint(Told, frozen=True):
    """What this server wants of its endpoint; the event types are those it reads."""

    url: str
    api_version: str
    event_types: list[str]


class WebhookEndpoint(Told, frozen=True):
    """The managed endpoint as recorded, what it should be, and how it is."""

    environment: Environment
    endpoint_id: str | None
    endpoint_url: str | None
    configured_at: datetime | None
    wanted: WantedEndpoint
    signing_secrets: list[SigningSecret]
    health: WebhookHealth


class WebhookEndpointAnswer(Told, frozen=True):
    """Webhook endpoint."""

    webhook: WebhookEndpoint


class Probe(Told, frozen=True):
    """`reason` is null when the test event reached us."""

    url: str
    reached: bool
    milliseconds: int
    reason: str | None


class ProbeAnswer(Told, frozen=True):
    """Probe."""

    probe: Probe


class SecretAnswer(Told, frozen=True):
    """Secret."""

    success: Literal[True]
    message: str
    id: str


class SyncedSubscriptions(Told, frozen=True):
    """`unmapped` belong to no subject; `deleted` were not listed and are gone at Stripe."""

    environment: Environment
    synced: int
    unmapped: int
    deleted: int


class SyncResult(Told, frozen=True):
    """Sync result."""

    environment: Environment
    connection: Connection
    subscriptions: SyncedSubscriptions | None


class SyncAnswer(Told, frozen=True):
    """Sync."""

    results: list[SyncResult]


class Sync(Told, frozen=True):
    """What one sync found, by noun: objects listed, rows marked deleted, rows missing at Stripe that an operator must
    confirm.
    """

    status: Literal["succeeded", "failed"]
    error: str | None
    counts: dict[str, int]
    deleted: dict[str, int]
    missing: dict[str, int]


class SyncSomeResult(SyncResult, frozen=True):
    """Sync some result."""

    sync: Sync | None


class SyncSomeAnswer(Told, frozen=True):
    """Sync some."""

    results: list[SyncSomeResult]
