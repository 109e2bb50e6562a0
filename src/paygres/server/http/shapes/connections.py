"""Stripe connections, keys and syncs as they are answered (contract 1.6); times are ISO-8601 UTC."""

from typing import Any, Literal

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment


class WebhookHealth(TypedDict):
    """How the managed webhook endpoint was when last looked at; problems are sentences."""

    status: Literal["ok", "problem", "unknown"]
    problems: list[str]
    checkedAt: str | None


class EventSweep(TypedDict):
    """Everything Stripe listed from `completeFrom` to `completeThrough` (by the events' created time) is stored here.
    Null before the first sweep; `problem` is why the last one did not end well."""

    completeFrom: str | None
    completeThrough: str | None
    sweptAt: str | None
    problem: str | None


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
    webhookHealth: WebhookHealth
    eventSweep: EventSweep


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


class SigningSecret(TypedDict):
    """A signing secret that is accepted: `own` was brought by people, `previous` was just replaced."""

    kind: Literal["managed", "next", "own", "previous"]
    expiresAt: str | None


class WantedEndpoint(TypedDict):
    """What this server wants of its endpoint; the event types are those it reads."""

    url: str
    apiVersion: str
    eventTypes: list[str]


class WebhookEndpoint(TypedDict):
    """The managed endpoint as recorded, what it should be, and how it is."""

    environment: Environment
    endpointId: str | None
    endpointUrl: str | None
    configuredAt: str | None
    wanted: WantedEndpoint
    signingSecrets: list[SigningSecret]
    health: WebhookHealth


class WebhookEndpointAnswer(TypedDict):
    webhook: WebhookEndpoint


class Probe(TypedDict):
    """`reason` is null when the test event reached us."""

    url: str
    reached: bool
    milliseconds: int
    reason: str | None


class ProbeAnswer(TypedDict):
    probe: Probe


class SecretAnswer(TypedDict):
    success: Literal[True]
    message: str
    id: str
