"""What the command line decides, in one value that every part reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def _no_dials() -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are seconds."""

    host: str = "127.0.0.1"
    port: int = 0
    state: Path | None = None
    # A YAML file of what exists at the beginning (seed_file).
    seed: Path | None = None
    # Where the clock of the whole sandbox begins, in Unix seconds; None: the machine's time.
    clock: float | None = None
    # Dials of faults.py that are turned at the beginning, by name.
    faults: Mapping[str, Any] = field(default_factory=_no_dials)
    # Addresses that are webhook endpoints for every event from the beginning.
    webhooks: tuple[str, ...] = ()
    # Ends when standard input is closed, which it is when the program that started us is gone.
    with_parent: bool = False
    # Sleeps before the answer of every POST under /v1; many requests sleep at once.
    latency: float = 0.0
    # Checks every object, event and answer strictly against Stripe's published schemas: a field that is not in them is
    # wrong, too. A mismatch is answered 500.
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
