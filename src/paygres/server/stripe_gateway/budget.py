"""How many requests a Stripe account may get from us: token buckets with priorities and a guests' share.

One bucket for the account, one for each endpoint (Stripe limits both). Waiting is a future and one timer, never a
polling loop. Who cannot be served in time is refused at once.
"""

import asyncio
from collections.abc import Callable, Sequence
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
# Background work leaves this part of a bucket to the people who are waiting at a screen. It costs no rate: the
# bucket rests at its reserve, and what grows beyond it is spent.
RESERVE: dict[Priority, float] = {"checkout": 0, "portal": 0, "refetch": 0, "sweep": 0.5, "backfill": 0.5}
GUEST_SHARE = 0.3
RATES = {"test": 25.0, "live": 100.0}  # Stripe's documented limits, requests per second
ENDPOINT_RATE = 25.0  # of one endpoint, in both modes
# So many seconds' worth may be sent at once after a pause. Less than the second that Stripe's limits are given in: what
# was sent one after the other may arrive closer together.
BURST_SECONDS = 0.8
_NAMESPACES = frozenset({"billing", "billing_portal", "checkout", "test_helpers"})


def endpoint_of(method: str, path: str) -> str:
    """What Stripe counts together, as far as we can tell: the method and the noun, whatever the id behind it."""
    words = path.split("/")[2:]
    noun = "/".join(words[:2]) if words and words[0] in _NAMESPACES else words[0] if words else ""
    return f"{method} {noun}"


@dataclass(slots=True, eq=False)
class _Bucket:
    """Tokens that grow by `rate` a second up to BURST_SECONDS' worth, and at least one."""

    rate: float
    at: float
    tokens: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.capacity

    @property
    def capacity(self) -> float:
        return max(1.0, BURST_SECONDS * self.rate)

    def refill(self, now: float) -> None:
        self.tokens = min(self.capacity, self.tokens + (now - self.at) * self.rate)
        self.at = now

    def needed(self, priority: Priority) -> float:
        return 1 + RESERVE[priority] * self.capacity

    def wait_for(self, tokens: float) -> float:
        return max(0.0, (tokens - self.tokens) / self.rate)


@dataclass(slots=True)
class _Waiter:
    priority: Priority
    guest: bool
    endpoint: str | None
    granted: asyncio.Future[None] = field(repr=False)


class Budget:
    """One account's budget. `rate` is requests per second; BURST_SECONDS' worth may be spent at once."""

    def __init__(
        self, rate: float, *, endpoint_rate: float = ENDPOINT_RATE, clock: Callable[[], float] | None = None
    ) -> None:
        self._clock = clock or asyncio.get_running_loop().time
        now = self._clock()
        self._all = _Bucket(rate, now)
        self._guests = _Bucket(GUEST_SHARE * rate, now)
        self._endpoint_rate = endpoint_rate
        self._endpoints: dict[str, _Bucket] = {}
        self._waiting: list[_Waiter] = []
        self._paused_until = now
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, priority: Priority, *, guest: bool = False, endpoint: str | None = None) -> None:
        """Return when one request may be sent; raises `RateLimit` when that would take too long.

        `endpoint` (see `endpoint_of`) is held to its own rate too; without, only the account's counts.
        """
        if not self._waiting and self._grant_now(priority, guest, endpoint):
            return
        patience = PATIENCE[priority]
        expected = self._expected_wait(priority, guest, endpoint)
        if expected > patience:
            raise _busy(guest, expected)
        loop = asyncio.get_running_loop()
        waiter = _Waiter(priority, guest, endpoint, loop.create_future())
        self._waiting.append(waiter)
        self._waiting.sort(key=lambda one: ORDER[one.priority])  # stable: first come, first served within one
        self._serve()
        try:
            async with asyncio.timeout(patience):
                await waiter.granted
        except TimeoutError:
            raise _busy(guest, self._expected_wait(priority, guest, endpoint)) from None
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def pause(self, seconds: float) -> None:
        """Stripe said 429: send nothing for `seconds`, whoever asks."""
        now = self._clock()
        self._paused_until = max(self._paused_until, now + seconds)
        self._all.refill(now)
        self._all.tokens = min(self._all.tokens, 1.0)  # our count was too generous: no burst after the pause

    def _buckets(self, guest: bool, endpoint: str | None) -> list[_Bucket]:
        found = [self._all]
        if endpoint is not None:
            own = self._endpoints.get(endpoint)
            if own is None:
                own = self._endpoints[endpoint] = _Bucket(self._endpoint_rate, self._clock())
            found.append(own)
        if guest:
            found.append(self._guests)
        return found

    def _grant_now(self, priority: Priority, guest: bool, endpoint: str | None) -> bool:
        now = self._clock()
        if now < self._paused_until:
            return False
        buckets = self._buckets(guest, endpoint)
        for bucket in buckets:
            bucket.refill(now)
        if any(bucket.tokens < bucket.needed(priority) for bucket in buckets):
            return False
        for bucket in buckets:
            bucket.tokens -= 1
        return True

    def _serve(self) -> None:
        """Grant whoever can be granted, in order, and set one timer for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for waiter in list(self._waiting):
            if waiter.granted.done():
                self._waiting.remove(waiter)
            elif self._grant_now(waiter.priority, waiter.guest, waiter.endpoint):
                self._waiting.remove(waiter)
                waiter.granted.set_result(None)
        if self._waiting:
            delay = min(self._delay(one.priority, one.guest, one.endpoint) for one in self._waiting)
            self._timer = asyncio.get_running_loop().call_later(max(delay, 0.001), self._serve)

    def _delay(self, priority: Priority, guest: bool, endpoint: str | None, ahead: Sequence[_Waiter] = ()) -> float:
        """Seconds until it could be served; `ahead` are served before it."""
        waits = [self._paused_until - self._clock()]
        for bucket in self._buckets(guest, endpoint):
            before = sum(bucket in self._buckets(one.guest, one.endpoint) for one in ahead)
            waits.append(bucket.wait_for(bucket.needed(priority) + before))
        return max(waits)

    def _expected_wait(self, priority: Priority, guest: bool, endpoint: str | None) -> float:
        ahead = [one for one in self._waiting if ORDER[one.priority] <= ORDER[priority]]
        return self._delay(priority, guest, endpoint, ahead)


def _busy(guest: bool, wait: float) -> errors.RateLimit:
    who = "Guest checkouts are" if guest else "This server is"
    return errors.RateLimit(
        f"{who} at the limit of requests Stripe allows per second; try again shortly",
        retry_after=min(60, max(1, round(wait))),
    )
