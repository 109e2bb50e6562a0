"""The worker's sign of life inside one process: readiness asks how old the last one is."""

import time
from dataclasses import dataclass


@dataclass(slots=True)
class Pulse:
    """`beat` at every duty; `age` is in seconds, None before the first."""

    _at: float | None = None

    def beat(self) -> None:
        """The worker is about to do something."""
        self._at = time.monotonic()

    @property
    def age(self) -> float | None:
        """Seconds since the last beat."""
        return None if self._at is None else time.monotonic() - self._at
