"""The Stripe account of an environment: its key, its webhook endpoint, and syncs of its objects."""

from collections.abc import Sequence
from typing import Literal

from paygres.client.admin.connections_shapes import (
    ConfigAnswer,
    ConfigKey,
    Connection,
    ConnectionAnswer,
    ConnectionsAnswer,
    Probe,
    ProbeAnswer,
    SecretAnswer,
    SyncAnswer,
    SyncSomeAnswer,
    WebhookEndpoint,
    WebhookEndpointAnswer,
)
from paygres.client.admin.desk import Desk, OnProgress
from paygres.client.calls import extension, runtime
from paygres.client.shapes import Environment

Noun = Literal[
    "products", "prices", "customers", "subscriptions", "invoices", "invoice_payments", "checkout_sessions",
    "payment_intents", "charges", "refunds", "disputes",
]  # fmt: skip
# What the server does at Stripe before it answers, in seconds.
SETTING_UP, SYNCING = 120.0, 3600.0


class Connections:
    """`admin.connections`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def status(self) -> list[Connection]:
        """Both environments, test first."""
        return self._desk.send("GET", "/api/payments/stripe/status", ConnectionsAnswer).connections

    def config(self) -> list[ConfigKey]:
        """Which keys are set; no route answers a key."""
        return self._desk.send("GET", "/api/payments/stripe/config", ConfigAnswer).keys

    def set_key(self, environment: Environment, secret_key: str) -> list[ConfigKey]:
        """Connect the account of this key: the webhook endpoint is made and its objects are read."""
        path = f"{runtime(environment)}/config"
        body = {"secret_key": secret_key}
        return self._desk.send("PUT", path, ConfigAnswer, body=body, patience=SETTING_UP).keys

    def remove_key(self, environment: Environment) -> list[ConfigKey]:
        """Disconnect; what was mirrored stays."""
        return self._desk.send("DELETE", f"{runtime(environment)}/config", ConfigAnswer, patience=SETTING_UP).keys

    def configure_webhook(self, environment: Environment) -> Connection:
        """Make or repair the managed webhook endpoint."""
        path = f"{runtime(environment)}/webhook"
        return self._desk.send("POST", path, ConnectionAnswer, patience=SETTING_UP).connection

    def webhook(self, environment: Environment) -> WebhookEndpoint:
        """The endpoint as it is and as it should be."""
        return self._desk.send("GET", _webhook(environment), WebhookEndpointAnswer).webhook

    def remove_webhook(self, environment: Environment) -> WebhookEndpoint:
        """Delete the endpoint at Stripe."""
        path = _webhook(environment)
        return self._desk.send("DELETE", path, WebhookEndpointAnswer, patience=SETTING_UP).webhook

    def rotate_webhook(self, environment: Environment, *, skip_probe: bool = False) -> WebhookEndpoint:
        """Another endpoint with another secret, without a lost delivery. `skip_probe`: the server cannot reach its own
        public address."""
        path, body = f"{_webhook(environment)}/rotate", {"skip_probe": skip_probe}
        return self._desk.send("POST", path, WebhookEndpointAnswer, body=body, patience=SETTING_UP).webhook

    def probe_webhook(self, environment: Environment) -> Probe:
        """Whether a signed test event reaches the server at its public address."""
        path = f"{_webhook(environment)}/probe"
        return self._desk.send("POST", path, ProbeAnswer, patience=SETTING_UP).probe

    def install_webhook_secret(self, environment: Environment, secret: str) -> SecretAnswer:
        """Accept a signing secret that was not made by this server, such as that of `stripe listen`."""
        body = {"key": f"STRIPE_{environment.upper()}_WEBHOOK_SECRET", "value": secret}
        return self._desk.send("POST", "/api/secrets", SecretAnswer, body=body)

    def sync(self, environment: Environment | None = None, *, on_progress: OnProgress | None = None) -> SyncAnswer:
        """Read the objects at Stripe, of both environments unless one is named. `on_progress` is called with what the
        server tells on the way."""
        path = "/api/payments/stripe/sync" if environment is None else f"{runtime(environment)}/sync"
        return self._desk.told(path, SyncAnswer, {}, on_progress, SYNCING)

    def sync_some(
        self,
        environment: Environment,
        *,
        only: Sequence[Noun] | None = None,
        confirm_missing: bool = False,
        on_progress: OnProgress | None = None,
    ) -> SyncSomeAnswer:
        """As `sync`, of these nouns. `confirm_missing`: rows that are gone at Stripe are marked, however many."""
        body = {"only": None if only is None else list(only), "confirm_missing": confirm_missing}
        return self._desk.told(f"{extension(environment)}/sync", SyncSomeAnswer, body, on_progress, SYNCING)


def _webhook(environment: Environment) -> str:
    return f"{extension(environment)}/webhook"
