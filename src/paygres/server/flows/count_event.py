"""Counting events for /metrics: a type we do not know is `other`, so that nobody can fill the memory with types."""

import time

from paygres.server import metrics
from paygres.server.projections.events import EVENT_TYPES, Event

_KNOWN = frozenset(EVENT_TYPES)


def count_event(environment: str, event: Event, outcome: str, began: float, *, first: bool) -> None:
    """One attempt that began at `began` (time.perf_counter) and ended now. `outcome`: the status, or done."""
    metrics.event_attempted(
        environment,
        event.type if event.type in _KNOWN else "other",
        "duplicate" if outcome == "done" else outcome,
        time.perf_counter() - began,
        time.time() - event.created if first else None,
    )
