"""What the sandbox delivered to webhook endpoints, and how they answered."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paygres.contrib.payments_sandbox.errors import TooLate
from paygres.contrib.payments_sandbox.wire import Wire

PAUSE = 0.01


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint. `state`: `pending`, `delivered`, or `failed` when no try is left.
    `status`: the last HTTP status; `error`: why the last try was none."""

    event: str
    type: str
    endpoint: str
    state: str
    tries: int
    status: int | None
    error: str | None


class Deliveries:
    """Reading them changes nothing."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(self, event: str | None = None) -> list[Delivery]:
        """The newest 200, or those of one event, oldest first."""
        found = self._wire.get("/_sim/deliveries", event=event)["deliveries"]
        return [_delivery(one) for one in reversed(found)]

    def counts(self) -> dict[str, int]:
        """How many are `pending`, `delivered` and `failed`; of all tries so far how many were `posted`, and what the
        fault dials did to them."""
        return self._wire.get("/_sim/deliveries/counts")

    def settle(self, *, timeout: float = 10.0) -> None:
        """Returns when none is pending: each was answered with 2xx, or given up. Raises `TooLate` after `timeout`
        seconds."""
        give_up = time.monotonic() + timeout
        while self.counts()["pending"]:
            if time.monotonic() > give_up:
                pending = [one for one in self.list() if one.state == "pending"]
                raise TooLate(f"Not answered within {timeout:g} s: {told(pending)}")
            time.sleep(PAUSE)


def told(deliveries: "list[Delivery]") -> str:
    """Who did not answer what, and how."""
    shown = [
        f"{one.type} ({one.event}) to {one.endpoint}, {one.tries} tries"
        + (f", the last one: {one.error}" if one.error else "")
        for one in deliveries[:5]
    ]
    more = f", and {len(deliveries) - 5} more" if len(deliveries) > 5 else ""
    return "; ".join(shown) + more + "."


def _delivery(found: Mapping[str, Any]) -> Delivery:
    return Delivery(
        event=found["event"],
        type=found["type"],
        endpoint=found["endpoint"],
        state=found["state"],
        tries=found["attempts"],
        status=found["last_status"],
        error=found["last_error"],
    )
