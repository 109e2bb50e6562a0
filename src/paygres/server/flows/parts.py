"""What flows may reach: the parts the composition root built. No behaviour."""

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from paygres.server.flows.errands import Errands
from paygres.server.flows.listeners import Listeners
from paygres.server.flows.pulse import Pulse
from paygres.server.flows.streams import Streams
from paygres.server.flows.turns import Turns
from paygres.server.flows.waiters import Waiters

if TYPE_CHECKING:
    from paygres.server.auth.admin import AdminSignIn
    from paygres.server.auth.keys import Keys
    from paygres.server.auth.passwords import Passwords
    from paygres.server.auth.refresh_tokens import RefreshTokens
    from paygres.server.auth.tokens import Tokens
    from paygres.server.db.database import Database
    from paygres.server.flows.connections import Connections
    from paygres.server.flows.wake import Wake
    from paygres.server.stripe_gateway.gateway import StripeGateway


@dataclass(frozen=True, slots=True)
class Parts:
    """Built once in app.py, read through `request.app.state.parts`."""

    db: "Database"
    gateway: "StripeGateway"
    connections: "Connections"
    keys: "Keys"
    tokens: "Tokens"
    refresh_tokens: "RefreshTokens"
    passwords: "Passwords"
    wake: "Wake"
    installation_id: str
    api_base_url: str
    guest_limits: "GuestLimits"
    sign_in_rules: "SignInRules"
    return_origins: tuple[str, ...]
    admin_username: str
    admin_password: str
    trust_proxy: int
    sign_in: "AdminSignIn | None" = None
    errands: Errands = field(default_factory=Errands)
    streams: Streams = field(default_factory=Streams)
    waiters: Waiters = field(default_factory=Waiters)
    pulse: Pulse = field(default_factory=Pulse)
    turns: Turns = field(default_factory=Turns)
    metrics_token: str = ""
    listeners: Listeners = field(default_factory=Listeners)
    busy_destinations: set[uuid.UUID] = field(default_factory=set[uuid.UUID])  # messages are on their way to them


@dataclass(frozen=True, slots=True)
class SignInRules:
    """How users sign in. `own` False: elsewhere (PAYGRES_AUTH=external). `per_minute` attempts of one network;
    `limits` False is the switch for benchmarks."""

    own: bool = True
    sign_ups: bool = True
    password_least: int = 6
    per_minute: int = 60
    limits: bool = True


@dataclass(frozen=True, slots=True)
class GuestLimits:
    """Guest checkouts per minute (decision 24); `enabled=False` is the switch for benchmarks."""

    enabled: bool = True
    allowed: bool = True
    per_minute: int = 300
    per_network_per_minute: int = 20
