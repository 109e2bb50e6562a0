"""Stripe's rate limits by rule: a token bucket for each account and one for each of its endpoints, counts of what was
done to one object, and counters that say how much of the allowed rate somebody used. Off unless it is switched on; the
counters always run."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from paygres.sandbox.object_limits import ObjectLimits
from paygres.sandbox.wire.errors import rate_limited
from paygres.sandbox.wire.form import Form

# What Stripe publishes for test mode, in requests a second: https://docs.stripe.com/rate-limits
ACCOUNT_RATE = 25.0
ENDPOINT_RATE = 25.0
BURST = 1.0


@dataclass(slots=True)
class Bucket:
    """Holds up to `rate * burst` tokens, grows by `rate` a second, and starts full."""

    rate: float
    burst: float
    tokens: float
    at: float

    def has_one(self, now: float) -> bool:
        self.tokens = min(max(1.0, self.rate * self.burst), self.tokens + (now - self.at) * self.rate)
        self.at = now
        # What sums of fractions lack is not a request.
        return self.tokens >= 1 - 1e-9


@dataclass(slots=True)
class Count:
    """`first` and `last`: when requests were admitted, on the limits' own clock in seconds."""

    requests: int = 0
    limited: int = 0
    first: float | None = None
    last: float | None = None

    def shown(self) -> dict[str, Any]:
        seconds = (self.last or 0) - (self.first or 0)
        admitted = self.requests - self.limited
        # The first request opens the time, so it is not of it.
        rate = (admitted - 1) / seconds if seconds > 0 else None
        return {
            "requests": self.requests,
            "admitted": admitted,
            "limited": self.limited,
            "seconds": round(seconds, 6),
            "rate": rate,
        }


@dataclass(slots=True)
class Limits:
    """`rate` and `endpoint_rate` in requests a second, `burst` in seconds: so much may come at once after a pause."""

    on: bool = False
    rate: float = ACCOUNT_RATE
    endpoint_rate: float = ENDPOINT_RATE
    burst: float = BURST
    clock: Callable[[], float] = time.monotonic
    _buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)
    _counts: dict[str, Count] = field(default_factory=dict)
    _of_objects: ObjectLimits = field(default_factory=ObjectLimits)

    def set(self, asked: dict[str, Any]) -> None:
        """Sets what is named, fills every bucket and begins to count anew; raises ValueError for what cannot be."""
        unknown = asked.keys() - {"on", "rate", "endpoint_rate", "burst"}
        if unknown:
            raise ValueError(f"no such limit: {', '.join(sorted(unknown))}")
        for name in ("rate", "endpoint_rate", "burst"):
            if name in asked:
                value = float(asked[name])
                if not 0 < value < 1e6:
                    raise ValueError(f"`{name}` must be more than 0")
                setattr(self, name, value)
        self.on = bool(asked.get("on", self.on))
        self._buckets.clear()
        self._of_objects.clear()
        self._counts.clear()

    def admit(self, account: str, operation: Callable[[], str]) -> None:
        """Counts a request; raises the 429 when the account or the endpoint has no token left. A refused request takes
        none. `operation`: the endpoint's name, asked for only when limits are on."""
        count = self._counts.get(account)
        if count is None:
            count = self._counts[account] = Count()
        count.requests += 1
        now = self.clock()
        if self.on:
            of_account = self._bucket(account, "", self.rate, now)
            of_endpoint = self._bucket(account, operation(), self.endpoint_rate, now)
            for bucket, reason in ((of_account, "global-rate"), (of_endpoint, "endpoint-rate")):
                if not bucket.has_one(now):
                    count.limited += 1
                    raise rate_limited(reason)
            of_account.tokens -= 1
            of_endpoint.tokens -= 1
        if count.first is None:
            count.first = now
        count.last = now

    def admit_object(self, operation: str, path_ids: list[str], given: Form) -> None:
        """Raises the 429 when the object of a request has had too many of its kind."""
        if self.on:
            self._of_objects.admit(operation, path_ids, given, self.clock())

    def shown(self) -> dict[str, Any]:
        """The limits, and what each account has asked since they were set."""
        return {
            "on": self.on,
            "rate": self.rate,
            "endpoint_rate": self.endpoint_rate,
            "burst": self.burst,
            "accounts": {account: count.shown() for account, count in self._counts.items()},
        }

    def _bucket(self, account: str, name: str, rate: float, now: float) -> Bucket:
        bucket = self._buckets.get((account, name))
        if bucket is None:
            bucket = self._buckets[account, name] = Bucket(rate, self.burst, max(1.0, rate * self.burst), now)
        return bucket
