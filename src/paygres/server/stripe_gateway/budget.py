"""How many requests a Stripe account may get from us: a token bucket with priorities and a guests' share.

Waiting is a future and one timer, never a polling loop. Who cannot be served in time is refused at once.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from paygres.server import errors

Priority = Literal["checkout", "portal", "refetch", "sweep", "backfill"]

ORDER: dict[Priority, int] = {"checkout": 0, "portal": 1, "refetch": 2, "sweep": 3, "backfill": 4}
# A buyer waits briefly and is then told to come back; our own background work may stand in line. In seconds.
PATIENCE: dict[Priority, float] = {
    "checkout": 2.0,
    "portal": 2.0,
    "refetch": 10.0,
    "sweep": 60.0,
    "backfill": 60.0,
}
# Background work leaves this part of the bucket to the people who are waiting at a screen.
RESERVE: dict[Priority, float] = {"checkout": 0, "portal": 0, "refetch": 0, "sweep": 0.5, "backfill": 0.5}
GUEST_SHARE = 0.3
RATES = {"test": 25.0, "live": 100.0}  # Stripe's documented limits, requests per second


@dataclass(slots=True)
class _Bucket:
    """Tokens that grow by `rate` a second up to `capacity`."""

    rate: float
    capacity: float
    tokens: float
    at: float

    def refill(self, now: float) -> None:
        self.tokens = min(self.capacity, self.tokens + (now - self.at) * self.rate)
        self.at = now

    def wait_for(self, tokens: float) -> float:
        return max(0.0, (tokens - self.tokens) / self.rate)


@dataclass(slots=True)
class _Waiter:
    priority: Priority
    guest: bool
    granted: asyncio.Future[None] = field(repr=False)


class Budget:
    """One account's budget. `rate` is requests per second; two seconds' worth may be spent at once."""

    def __init__(self, rate: float, *, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or asyncio.get_running_loop().time
        now = self._clock()
        self._all = _Bucket(rate, 2 * rate, 2 * rate, now)
        self._guests = _Bucket(GUEST_SHARE * rate, 2 * GUEST_SHARE * rate, 2 * GUEST_SHARE * rate, now)
        self._waiting: list[_Waiter] = []
        self._paused_until = now
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, priority: Priority, *, guest: bool = False) -> None:
        """Return when one request may be sent; raises `RateLimit` when that would take too long."""
        if not self._waiting and self._grant_now(priority, guest):
            return
        patience = PATIENCE[priority]
        expected = self._expected_wait(priority, guest)
        if expected > patience:
            raise _busy(guest, expected)
        loop = asyncio.get_running_loop()
        waiter = _Waiter(priority, guest, loop.create_future())
        self._waiting.append(waiter)
        self._waiting.sort(key=lambda one: ORDER[one.priority])  # stable: first come, first served within one
        self._serve()
        try:
            async with asyncio.timeout(patience):
                await waiter.granted
        except TimeoutError:
            raise _busy(guest, self._expected_wait(priority, guest)) from None
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def pause(self, seconds: float) -> None:
        """Stripe said 429: send nothing for `seconds`, whoever asks."""
        now = self._clock()
        self._paused_until = max(self._paused_until, now + seconds)
        self._all.refill(now)
        self._all.tokens = min(self._all.tokens, 1.0)  # our count was too generous: no burst after the pause

    def _grant_now(self, priority: Priority, guest: bool) -> bool:
        now = self._clock()
        self._all.refill(now)
        self._guests.refill(now)
        if now < self._paused_until:
            return False
        if self._all.tokens < self._needed(priority) or (guest and self._guests.tokens < 1):
            return False
        self._all.tokens -= 1
        if guest:
            self._guests.tokens -= 1
        return True

    def _needed(self, priority: Priority) -> float:
        return 1 + RESERVE[priority] * self._all.capacity

    def _serve(self) -> None:
        """Grant whoever can be granted, in order, and set one timer for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for waiter in list(self._waiting):
            if waiter.granted.done():
                self._waiting.remove(waiter)
            elif self._grant_now(waiter.priority, waiter.guest):
                self._waiting.remove(waiter)
                waiter.granted.set_result(None)
        if self._waiting:
            delay = min(self._delay(waiter.priority, waiter.guest) for waiter in self._waiting)
            self._timer = asyncio.get_running_loop().call_later(max(delay, 0.001), self._serve)

    def _delay(self, priority: Priority, guest: bool, ahead: int = 0, guests_ahead: int = 0) -> float:
        wait = self._all.wait_for(self._needed(priority) + ahead)
        if guest:
            wait = max(wait, self._guests.wait_for(1 + guests_ahead))
        return max(wait, self._paused_until - self._clock())

    def _expected_wait(self, priority: Priority, guest: bool) -> float:
        ahead = [one for one in self._waiting if ORDER[one.priority] <= ORDER[priority]]
        return self._delay(priority, guest, len(ahead), sum(one.guest for one in ahead))


def _busy(guest: bool, wait: float) -> errors.RateLimit:
    who = "Guest checkouts are" if guest else "This server is"
    return errors.RateLimit(
        f"{who} at the limit of requests Stripe allows per second; try again shortly",
        retry_after=min(60, max(1, round(wait))),
    )
