"""Deliveries: every event goes, signed, to each endpoint that wants it; in the recorded order, with a fresh timestamp
and signature per try, and again on a schedule until it is answered with 2xx or no try is left."""

import asyncio
import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from paygres.sandbox.faults import Faults
from paygres.sandbox.world import Endpoint, World

LONGEST_SLEEP = 30.0
SHUFFLED = 200  # among so many that are due
USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


@dataclass(frozen=True, slots=True)
class Due:
    seq: int
    event: str
    attempts: int


def signature_header(payload: bytes, secrets: tuple[str, ...], now: int) -> str:
    """`t=...,v1=...`, one `v1` per active secret, over the raw bytes."""
    signed = f"{now}.".encode() + payload
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={now}", *(f"v1={mark}" for mark in marks)])


class Deliveries:
    """Runs until cancelled; `first_answer` lets the hosted page wait for an event's first answers."""

    def __init__(self, world: World, dials: Faults) -> None:
        self._world = world
        self._faults = dials
        self._wake = asyncio.Event()
        self._on_the_way: dict[str, set[int]] = {}
        self._answered: dict[str, asyncio.Event] = {}
        self._late: set[int] = set()  # deliveries that the delay dial has put off already
        self.counted: Counter[str] = Counter()  # what the dials did, and `posted`: everything that was sent
        self._tries: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        world.wake_deliveries = self._wake.set

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=self._world.settings.delivery_timeout)
        async with aiohttp.ClientSession(
            timeout=timeout, connector=aiohttp.TCPConnector(limit=0), headers={"User-Agent": USER_AGENT}
        ) as session:
            self._session = session
            try:
                while True:
                    self._wake.clear()
                    wait = self._start_due()
                    try:
                        async with asyncio.timeout(wait):
                            await self._wake.wait()
                    except TimeoutError:
                        continue
            finally:
                for task in self._tries:
                    task.cancel()
                await asyncio.gather(*self._tries, return_exceptions=True)

    async def first_answer(self, event: str, longest: float) -> None:
        """Returns when every endpoint that gets the event has answered its first try (or failed to), at the latest
        after `longest` seconds."""
        if not self._untried(event):
            return
        answered = self._answered.setdefault(event, asyncio.Event())
        try:
            async with asyncio.timeout(longest):
                await answered.wait()
        except TimeoutError:
            pass
        finally:
            self._answered.pop(event, None)

    def resend(self, event: str, endpoint: str | None = None) -> int:
        """Delivers the event once more (to one endpoint, or to all it went to); answers to how many."""
        rows = self._world.store.run(
            "UPDATE deliveries SET state = 'pending', attempts = 0, due = ? "
            "WHERE event = ? AND endpoint = coalesce(?, endpoint) RETURNING seq",
            (self._world.time(), event, endpoint),
        ).fetchall()
        self._wake.set()
        return len(rows)

    def resend_undelivered(self) -> int:
        """Begins again with every delivery that was given up or lost; answers how many."""
        rows = self._world.store.run(
            "UPDATE deliveries SET state = 'pending', attempts = 0, due = ? WHERE state = 'failed' RETURNING seq",
            (self._world.time(),),
        ).fetchall()
        self._wake.set()
        return len(rows)

    def _start_due(self) -> float:
        """Starts the tries that are due; answers for how long there is nothing else to do."""
        now = self._world.time()
        width = self._world.settings.delivery_width
        wait = LONGEST_SLEEP
        for account in self._world.accounts_with_endpoints():
            for endpoint in self._world.endpoints(account):
                on_the_way = self._on_the_way.setdefault(endpoint.id, set())
                free = width - len(on_the_way)
                if free <= 0:
                    continue
                for due in self._due(endpoint.id, now, free + len(on_the_way), on_the_way)[:free]:
                    on_the_way.add(due.seq)
                    task = asyncio.create_task(self._try(endpoint, due))
                    self._tries.add(task)
                    task.add_done_callback(self._tries.discard)
                [earliest] = self._world.store.run(
                    "SELECT min(due) FROM deliveries WHERE state = 'pending' AND endpoint = ? AND due > ?",
                    (endpoint.id, now),
                ).fetchone()
                if earliest is not None:
                    wait = min(wait, max(0.01, earliest - now))
        return wait

    def _due(self, endpoint: str, now: float, limit: int, on_the_way: set[int]) -> list[Due]:
        # First tries are due when their event was recorded, so this is the recorded order, and the index's.
        rows = self._world.store.run(
            "SELECT seq, event, attempts FROM deliveries WHERE state = 'pending' AND endpoint = ? AND due <= ? "
            "ORDER BY due, seq LIMIT ?",
            (endpoint, now, max(limit, SHUFFLED) if self._faults.shuffle else limit),
        ).fetchall()
        if self._faults.shuffle:
            self._faults.rng.shuffle(rows)
        return [Due(*row) for row in rows if row[0] not in on_the_way]

    async def _try(self, endpoint: Endpoint, due: Due) -> None:
        try:
            faults = self._faults
            if faults.delay and due.seq not in self._late and not due.attempts:
                self._late.add(due.seq)
                self._put_off(due, faults.rng.random() * faults.delay)
                return
            self._late.discard(due.seq)
            lost = faults.strikes(faults.lose)
            if lost or faults.strikes(faults.drop):
                self.counted["lost" if lost else "dropped"] += 1
                status, error = None, f"{'lost' if lost else 'dropped'} by the fault dial"
            elif faults.strikes(faults.duplicate):
                self.counted["doubled"] += 1
                (status, error), _ = await asyncio.gather(self._post(endpoint, due), self._post(endpoint, due))
            else:
                status, error = await self._post(endpoint, due)
            self._record(due, status, error, given_up=lost)
        finally:
            self._on_the_way[endpoint.id].discard(due.seq)
            self._wake.set()

    async def _post(self, endpoint: Endpoint, due: Due) -> tuple[int | None, str | None]:
        """(status, error) of one try."""
        assert self._session is not None
        self.counted["posted"] += 1
        payload = self._payload(endpoint, due.event)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature_header(payload, endpoint.secrets, int(self._world.time())),
        }
        try:
            async with self._session.post(endpoint.url, data=payload, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return answer.status, None if 200 <= answer.status < 300 else f"HTTP {answer.status}"
        except TimeoutError:
            return None, "timed out"
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            return None, f"{type(problem).__name__}: {problem}"[:200]

    def _payload(self, endpoint: Endpoint, id: str) -> bytes:
        """The event as this endpoint gets it: in the API version it was made with, if it named one."""
        row = self._world.store.body(endpoint.account, id)
        assert row is not None
        event: dict[str, Any] = orjson.loads(row[1])
        if endpoint.api_version:
            event["api_version"] = endpoint.api_version
        return orjson.dumps(event)

    def _put_off(self, due: Due, seconds: float) -> None:
        """Waits without a place among those on the way, so that others overtake it."""
        self.counted["delayed"] += 1
        self._world.store.run(
            "UPDATE deliveries SET due = ? WHERE seq = ? AND state = 'pending'",
            (self._world.time() + seconds, due.seq),
        )

    def _record(self, due: Due, status: int | None, error: str | None, *, given_up: bool) -> None:
        now = self._world.time()
        retries = self._world.settings.retries
        if error is None:
            state, next_try = "delivered", now
        elif not given_up and due.attempts < len(retries):
            state, next_try = "pending", now + retries[due.attempts]
        else:
            state, next_try = "failed", now
        # A row that was finished meanwhile (its endpoint deleted) stays finished.
        self._world.store.run(
            "UPDATE deliveries SET state = ?, attempts = attempts + 1, due = ?, last_status = ?, last_error = ?, "
            "last_tried = ? WHERE seq = ? AND state = 'pending'",
            (state, next_try, status, error, now, due.seq),
        )
        if due.event in self._answered and not self._untried(due.event):
            self._answered[due.event].set()

    def _untried(self, event: str) -> bool:
        return bool(
            self._world.store.run(
                "SELECT 1 FROM deliveries WHERE event = ? AND state = 'pending' AND attempts = 0 LIMIT 1", (event,)
            ).fetchone()
        )
