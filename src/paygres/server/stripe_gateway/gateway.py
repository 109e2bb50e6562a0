"""The one door to Stripe: plain dicts out, our errors out, with a budget, a deadline and honest timestamps.

No flow calls this while it holds a database connection.
"""

import asyncio
import hashlib
import importlib
import random
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from paygres.server import errors
from paygres.server.metrics import stripe_answered
from paygres.server.stripe_gateway import errors as translated
from paygres.server.stripe_gateway.answer import Answer, read_answer
from paygres.server.stripe_gateway.budget import PATIENCE, RATES, Budget, Priority, endpoint_of
from paygres.server.stripe_gateway.keys import prefixes

if TYPE_CHECKING:
    from paygres.server.stripe_gateway.transport import Reply, Wire

STRIPE_VERSION = "2026-05-27.dahlia"  # of our requests and of the managed webhook endpoint
API_BASE = "https://api.stripe.com"
# Clients give up after 30 s. 25 s of Stripe plus 2 s in the queue end before that, retries included (F32).
_STRIPE_SECONDS = 25.0
_FIRST_PAUSE = 0.5  # after a 429
_MAX_BUDGETS = 16
_LONGEST_KEY = 255  # an idempotency key at Stripe
_PATH = re.compile(r"/v1(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9_.~%-]+)+")


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of a list as it was at `as_of` (Unix seconds); `has_more`: older objects follow."""

    rows: list[dict[str, Any]]
    has_more: bool
    as_of: int


class _Counted:
    """For /metrics: how a request ended and how long it took, its turn and its retries included."""

    __slots__ = ("_began", "_operation")

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        status = "200"
        if isinstance(error, errors.PaygresError):
            lost = isinstance(error, errors.Upstream) and error.status == 502 and not error.definite
            status = "unreachable" if lost else str(error.status)
        elif error is not None:  # cancelled: whoever asked has gone
            status = "abandoned"
        stripe_answered(self._operation, status, perf_counter() - self._began)


class StripeGateway:
    """Requests to Stripe for any key. `api_base` is `STRIPE_API_BASE`; `timeout` is per attempt, in seconds.

    `budget=False` sends as fast as callers ask, for benchmarks.
    """

    def __init__(self, *, api_base: str | None = None, timeout: float = 20.0, budget: bool = True) -> None:
        self._api_base = (api_base or API_BASE).rstrip("/")
        self._timeout = timeout
        self._budgeted = budget
        self._budgets: dict[str, Budget] = {}
        self._opening = asyncio.Lock()
        self._wire: Wire | None = None

    @property
    def speaks_to_stripe(self) -> bool:
        """False when `STRIPE_API_BASE` names another host."""
        return self._api_base == API_BASE

    async def request(
        self,
        key: str,
        method: Literal["get", "post", "delete"],
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        priority: Priority = "checkout",
        guest: bool = False,
    ) -> Answer:
        """Send one request and return its object.

        A POST without `idempotency_key` gets a fresh one, the same for every retry of this call. Ids inside
        `path` must be percent-encoded by the caller. Raises `Upstream`, `Card`, `RateLimit` or `Unavailable`
        (see `stripe_gateway.errors` for what each says about Stripe's state).
        """
        if not _PATH.fullmatch(path):
            raise errors.InvalidRequest("An id in this request cannot be part of a Stripe path")
        wire = await self.warm()
        if method == "post":
            idempotency_key = _as_header(idempotency_key or f"paygres:{uuid.uuid4()}")
        send = partial(wire.send, key, method, path, params or {}, idempotency_key)
        endpoint = endpoint_of(method, path)
        with _Counted(endpoint):
            try:
                async with asyncio.timeout(PATIENCE[priority] + _STRIPE_SECONDS):
                    reply, elapsed = await _in_turn(send, self._budget(key), endpoint, priority, guest)
            except TimeoutError:
                raise translated.unreachable("Stripe did not answer in time") from None
        return read_answer(reply, elapsed)

    async def page(self, key: str, path: str, params: Mapping[str, Any], *, priority: Priority = "backfill") -> Page:
        """One page of a list, 100 objects; where it begins (`starting_after`) is in `params`."""
        answer = await self.request(key, "get", path, {"limit": 100, **params}, priority=priority)
        rows = answer.object.get("data")
        if not isinstance(rows, list):
            raise errors.Upstream(f"Stripe's answer to {path} is not a list", definite=True)
        return Page(rows, bool(rows and answer.object.get("has_more")), answer.as_of)

    async def pages(
        self, key: str, path: str, params: Mapping[str, Any], *, priority: Priority = "backfill"
    ) -> AsyncIterator[tuple[list[dict[str, Any]], int]]:
        """Every page of a list, each with its `as_of`; one page in memory."""
        query = dict(params)
        while True:
            page = await self.page(key, path, query, priority=priority)
            if page.rows:
                yield page.rows, page.as_of
            if not page.has_more:
                return
            query["starting_after"] = page.rows[-1]["id"]

    async def warm(self) -> "Wire":
        """Load the library (a quarter of a second, in a thread) and open the session, once."""
        if self._wire is not None:
            return self._wire
        async with self._opening:
            if self._wire is None:
                name = "paygres.server.stripe_gateway.transport"
                transport = await asyncio.to_thread(importlib.import_module, name)
                wire: Wire = transport.Wire(
                    api_base=self._api_base,
                    version=STRIPE_VERSION,
                    timeout=self._timeout,
                    secure=self._api_base.startswith("https:"),
                )
                self._wire = wire
            return self._wire

    async def close(self) -> None:
        """Close the connections. The gateway opens again when it is used again."""
        wire, self._wire = self._wire, None
        self._budgets.clear()
        if wire is not None:
            await wire.close_async()

    def _budget(self, key: str) -> Budget | None:
        if not self._budgeted:
            return None
        budget = self._budgets.get(key)
        if budget is None:
            if len(self._budgets) >= _MAX_BUDGETS:  # keys tried and thrown away while an operator connects
                self._budgets.pop(next(iter(self._budgets)))
            rate = RATES["live" if key.startswith(prefixes("live")) else "test"]
            budget = self._budgets[key] = Budget(rate)
        return budget


async def _in_turn(
    send: "Callable[[], Awaitable[Reply]]", budget: Budget | None, endpoint: str, priority: Priority, guest: bool
) -> "tuple[Reply, float]":
    """Wait for the budget and send; a 429 queues again while the caller's patience lasts. With the seconds since the
    first was sent.

    Not after an attempt that may have been acted upon: the budget's own refusal is always `definite`.
    """
    clock = asyncio.get_running_loop().time
    pauses, first_sent, next_pause = 0.0, None, _FIRST_PAUSE
    while True:
        if budget is not None:
            await budget.take(priority, guest=guest, endpoint=endpoint)
        first_sent = first_sent or clock()
        try:
            reply = await send()
            return reply, clock() - first_sent
        except errors.RateLimit as limited:
            # Not before the time Stripe names; mostly it names none, and `retry_after` is only for our caller.
            pause = float(limited.retry_after or 1) if limited.named else next_pause
            pause *= random.uniform(1.0, 1.25)
            next_pause *= 2
            if budget is not None:
                budget.pause(pause)
            if pauses + pause > PATIENCE[priority] or not limited.definite:
                raise
            pauses += pause
            await asyncio.sleep(pause)


def _as_header(key: str) -> str:
    """A caller's key as a header may carry it: another alphabet, or one too long for Stripe, travels as its digest."""
    if key.isascii() and key.isprintable() and len(key) <= _LONGEST_KEY:
        return key
    return f"paygres:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"
