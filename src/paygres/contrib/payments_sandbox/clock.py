"""The sandbox's clock: what it shows, and the way ahead."""

from datetime import UTC, datetime, timedelta

from paygres.contrib.payments_sandbox.deliveries import Deliveries
from paygres.contrib.payments_sandbox.wire import Wire

TIMEOUT = 60.0


class Clock:
    """It goes with real time, and is moved ahead only. Stripe's own test clocks, which hold a few customers, are part
    of its API and not moved here."""

    def __init__(self, wire: Wire, deliveries: Deliveries) -> None:
        self._wire = wire
        self._deliveries = deliveries

    @property
    def now(self) -> datetime:
        """What it shows, in UTC."""
        return datetime.fromtimestamp(self._wire.get("/_sim/clock")["now"], UTC)

    def advance(
        self,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        timeout: float = TIMEOUT,
    ) -> datetime:
        """Moves it ahead: what falls due on the way (renewals, retries, expiries …) happens in its order, each at its
        own time. A renewal's invoice is a draft for an hour; one that still is goes on to be paid, which may add up to
        that hour. Returns what it shows then, when every webhook about that was answered; raises `TooLate` when one
        was not within `timeout` seconds."""
        ahead = timedelta(days, seconds, 0, 0, minutes, hours).total_seconds()
        return self._move({"seconds": ahead, "drafts": True}, timeout)

    def to(self, moment: datetime, *, timeout: float = TIMEOUT) -> datetime:
        """The same up to exactly this moment, which is in UTC when it has no time zone."""
        known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return self._move({"to": known.timestamp()}, timeout)

    def _move(self, body: dict[str, float], timeout: float) -> datetime:
        shown = self._wire.post("/_sim/clock", **body)
        self._deliveries.settle(timeout=timeout)
        return datetime.fromtimestamp(shown["now"], UTC)
