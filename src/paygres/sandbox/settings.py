"""What the command line decides, in one value that every part reads."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are seconds."""

    host: str = "127.0.0.1"
    port: int = 0
    state: Path | None = None
    # Sleeps before the answer of every POST under /v1; many requests sleep at once.
    latency: float = 0.0
    # Checks every answer and event against Stripe's published schemas; a mismatch is answered 500.
    validate: bool = False
    account_seed: str | None = None
    # The waits before the second, third, ... try of a delivery. Stripe's sandboxes try three times more.
    retries: tuple[float, ...] = field(default=(1.0, 5.0, 30.0))
    # How long an endpoint may take to answer a delivery.
    delivery_timeout: float = 10.0
    # Deliveries on the way to one endpoint at the same time; 1 keeps them in the recorded order.
    delivery_width: int = 1
    # How long the hosted page waits for the endpoint's answer before it lets the buyer go.
    redirect_hold: float = 10.0
    # When a charge gets its balance transaction (charge.updated).
    settle_after: float = 2.0
    # Requests a second of an account, and of one endpoint; None: no limit.
    limits: tuple[float, float] | None = None
