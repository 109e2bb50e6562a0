"""Deliveries: every event goes, signed, to each endpoint that wants it; in the recorded order, with a fresh timestamp
and signature per try, and again on a schedule until it is answered with 2xx or no try is left. All of it happens in
the machine's time, wherever the sandbox's clock is."""

import asyncio
import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace

import orjson

from paygres.sandbox import versions
from paygres.sandbox.delivery_faults import UNDISTURBED, DeliveryFaults, Fate
from paygres.sandbox.delivery_rows import DeliveryRows, Due
from paygres.sandbox.faults import Faults
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.webhook_posts import WebhookPosts
from paygres.sandbox.wire.signatures import signature_header
from paygres.sandbox.world import Endpoint, World

__all__ = ["Deliveries", "signature_header"]

LONGEST_SLEEP = 30.0
AT_ONCE = 200  # read from the state, and shuffled, at a time


@dataclass(slots=True)
class Line:
    """What waits before one endpoint: deliveries that are due, in order, and those that are on the way."""

    ready: deque[Due] = field(default_factory=deque[Due])
    on_the_way: set[int] = field(default_factory=set[int])
    carriers: int = 0


class Deliveries:
    """Runs until cancelled; `first_answer` lets the hosted page wait for an event's first answers."""

    def __init__(self, world: World, dials: Faults) -> None:
        self._world = world
        self._rows = DeliveryRows(world.store)
        self._faults = DeliveryFaults(dials)
        self._dials = dials
        self._wake = asyncio.Event()
        self._lines: dict[str, Line] = {}
        self._answered: dict[str, asyncio.Event] = {}
        self.counted: Counter[str] = Counter()  # what the dials did, and `posted`: everything that was sent
        self._carriers: set[asyncio.Task[None]] = set()
        self._posts = WebhookPosts(world.settings.delivery_timeout)
        world.wake_deliveries = self._wake.set

    async def run(self) -> None:
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
            for task in self._carriers:
                task.cancel()
            await asyncio.gather(*self._carriers, return_exceptions=True)
            await self._posts.close()

    async def first_answer(self, event: str, longest: float) -> None:
        """Returns when every endpoint that gets the event has answered its first try (or failed to), at the latest
        after `longest` seconds."""
        if not self._rows.is_untried(event):
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
        self._wake.set()
        return self._rows.begin_again(event, endpoint, time.time())

    def resend_undelivered(self) -> int:
        """Begins again with every delivery that was given up or lost; answers how many."""
        self._wake.set()
        return self._rows.begin_failed_again(time.time())

    def _start_due(self) -> float:
        """Starts carriers for what is due; answers for how long there is nothing else to do."""
        width = self._world.settings.delivery_width
        wait = LONGEST_SLEEP
        for account in self._world.accounts_with_endpoints():
            for endpoint in self._world.endpoints(account):
                line = self._lines.setdefault(endpoint.id, Line())
                now = time.time()  # before what is due is read, so that nothing becomes due unseen
                while line.carriers < width and (due := self._next(endpoint, line)) is not None:
                    line.carriers += 1
                    carrier = asyncio.create_task(self._carry(endpoint, line, due))
                    self._carriers.add(carrier)
                    carrier.add_done_callback(self._carriers.discard)
                if line.carriers == width:
                    continue  # they wake us when they are through
                earliest = self._rows.next_time(endpoint.id, now)
                if earliest is not None:
                    wait = min(wait, max(0.01, earliest - now))
        return wait

    async def _carry(self, endpoint: Endpoint, line: Line, due: Due | None) -> None:
        """Makes tries, one after the other, as long as something is due."""
        try:
            while due is not None:
                try:
                    await self._try(endpoint, due)
                finally:
                    line.on_the_way.discard(due.seq)
                # It may have been disabled, deleted, or got another secret.
                living = self._living(endpoint)
                if living is None:
                    line.ready.clear()
                    return
                endpoint = living
                due = self._next(endpoint, line)
        finally:
            line.carriers -= 1
            self._wake.set()

    def _living(self, endpoint: Endpoint) -> Endpoint | None:
        return next((one for one in self._world.endpoints(endpoint.account) if one.id == endpoint.id), None)

    def _next(self, endpoint: Endpoint, line: Line) -> Due | None:
        if not line.ready:
            line.ready.extend(self._due(endpoint, line.on_the_way))
        if not line.ready:
            return None
        due = line.ready.popleft()
        line.on_the_way.add(due.seq)
        return due

    def _due(self, endpoint: Endpoint, on_the_way: set[int]) -> list[Due]:
        rows = self._rows.due(endpoint.id, time.time(), AT_ONCE + len(on_the_way))
        found = [due for due in rows if due.seq not in on_the_way]
        if self._faults.shuffles and len(found) > 1:
            place = self._place(endpoint)
            found.sort(key=lambda due: self._faults.rank(due.seq, place, lambda: self._event(endpoint, due.event)))
        return found

    async def _try(self, endpoint: Endpoint, due: Due) -> None:
        fate = UNDISTURBED
        if self._dials.disturbs_deliveries:
            fate = self._faults.fate(
                due.seq, due.tries, self._place(endpoint), lambda: self._event(endpoint, due.event)
            )
        if fate.delay:
            self.counted["delayed"] += 1
            self._rows.put_off(due.seq, time.time() + fate.delay)
            return
        if self._world.switches.loses(endpoint.account):
            fate = replace(fate, lost=True)
        if fate.lost or fate.dropped:
            word = "lost" if fate.lost else "dropped"
            self.counted[word] += 1
            self._record(due, None, f"{word} by the fault dial", given_up=fate.lost)
            return
        if fate.doubled:
            self.counted["doubled"] += 1
            (status, error), _ = await asyncio.gather(self._post(endpoint, due, fate), self._post(endpoint, due, fate))
        else:
            status, error = await self._post(endpoint, due, fate)
        if fate.forgery:
            self.counted["wrong_signature"] += 1
            # A receiver that answers 2xx to it does not check; the counts show how many did.
            self.counted["wrong_signature_accepted"] += error is None
            error = error or "accepted with a wrong signature"
        elif fate.unheard and error is None:
            self.counted["unheard"] += 1
            error = "its answer was lost by the fault dial"
        self._record(due, status, error)

    async def _post(self, endpoint: Endpoint, due: Due, fate: Fate) -> tuple[int | None, str | None]:
        """(status, error) of one try."""
        self.counted["posted"] += 1
        payload = self._payload(endpoint, due.event)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": fate.sign(payload, endpoint.secrets_at(self._world.time()), int(time.time())),
        }
        return await self._posts.post(endpoint.url, payload, headers)

    def _payload(self, endpoint: Endpoint, id: str) -> bytes:
        """The event as this endpoint gets it: in the API version it was made with, if it named one."""
        version = endpoint.api_version
        if version in (None, versions.VERSION):
            row = self._world.store.body(endpoint.account, id)
            assert row is not None
            return row[1]
        event = self._event(endpoint, id)
        return orjson.dumps(versions.event_in(version, event, lambda one: self._object(endpoint.account, one)))

    def _event(self, endpoint: Endpoint, id: str) -> Object:
        event = self._object(endpoint.account, id)
        assert event is not None
        return event

    def _object(self, account: str, id: str) -> Object | None:
        row = self._world.store.body(account, id)
        return orjson.loads(row[1]) if row else None

    def _place(self, endpoint: Endpoint) -> int:
        ids = [one.id for one in self._world.endpoints(endpoint.account)]
        return ids.index(endpoint.id) if endpoint.id in ids else -1

    def _record(self, due: Due, status: int | None, error: str | None, *, given_up: bool = False) -> None:
        now = time.time()
        retries = self._world.settings.retries
        if error is None:
            state, next_try = "delivered", now
        elif not given_up and due.tries < len(retries):
            state, next_try = "pending", now + retries[due.tries]
        else:
            state, next_try = "failed", now
        if state != "pending":
            self._faults.forget(due.seq)
        self._rows.record(due.seq, state, next_try, status, error, now)
        if due.event in self._answered and not self._rows.is_untried(due.event):
            self._answered[due.event].set()
