"""The simulated Stripe: its state, its clock, and the unit of work in which an endpoint reads and changes objects
and records the events of what it did."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from paygres.sandbox import ids
from paygres.sandbox.clock import CLOCKED, UNCLOCKED, Clock, test_clock_of
from paygres.sandbox.difference import difference
from paygres.sandbox.settings import Settings
from paygres.sandbox.spec.complete import Object, complete
from paygres.sandbox.spec.document import VERSION
from paygres.sandbox.store import Store
from paygres.sandbox.switches import Switches
from paygres.sandbox.wire.errors import Refusal, no_such

# Where an id's noun in "No such ...: 'x'" is not its kind's name with spaces.
NOUNS = {
    "billing_portal.configuration": "configuration",
    "checkout.session": "checkout.session",
    "event": "event",
    "payment_method": "PaymentMethod",
    "test_helpers.test_clock": "test_clock",
}


@dataclass(slots=True)
class Endpoint:
    """A webhook endpoint as the deliveries need it."""

    id: str
    account: str
    url: str
    secrets: tuple[str, ...]
    wanted: frozenset[str]
    api_version: str | None
    # When each secret is over: a rolled one lives on for a while.
    ends: tuple[float | None, ...] = ()

    def secrets_at(self, now: float) -> tuple[str, ...]:
        """Those that sign, the newest first."""
        ends = self.ends or (None,) * len(self.secrets)
        return tuple(secret for secret, end in zip(self.secrets, ends, strict=True) if end is None or end > now)


@dataclass(slots=True)
class Work:
    """One transaction over one account's objects. `now` is in whole seconds and the same throughout, except that it
    becomes the frozen time of the first test clock that an object belongs to: `clock` is that clock's id."""

    world: "World"
    account: str
    now: int
    request_id: str | None = None
    idempotency_key: str | None = None
    delivers: bool = False
    clock: str | None = None

    @property
    def store(self) -> Store:
        return self.world.store

    # reading

    def get(self, id: str) -> Object | None:
        row = self.store.body(self.account, id)
        return orjson.loads(row[1]) if row else None

    def find(self, kind: str, id: str, param: str, *, in_path: bool = False) -> Object:
        """The object of that kind, tombstones included; raises `Refusal` ("No such ...")."""
        row = self.store.body(self.account, id)
        if row is None or row[0] != kind:
            raise no_such(NOUNS.get(kind, kind), id, param, status=404 if in_path else 400)
        found: Object = orjson.loads(row[1])
        if self.clock is None and self.account in self.world.clock.accounts_with_test_clocks():
            clock = test_clock_of(found, self.get)
            if clock is not None:
                self.enter_time(clock)
        return found

    def find_living(self, kind: str, id: str, param: str, *, in_path: bool = False) -> Object:
        found = self.find(kind, id, param, in_path=in_path)
        if found.get("deleted"):
            raise no_such(NOUNS.get(kind, kind), id, param, status=404 if in_path else 400)
        return found

    def hidden(self, id: str) -> Object:
        return self.store.hidden(id)

    def enter_time(self, clock: Object) -> None:
        """From here on it is the test clock's time."""
        self.refuse_while_advancing(clock)
        self.clock, self.now = clock["id"], clock["frozen_time"]

    def refuse_while_advancing(self, clock: Object) -> None:
        """Raises the 429 of a request that would change something while the test clock is on its way."""
        if clock["status"] == "advancing" and self.request_id is not None:
            raise Refusal(
                f"Test clock advancement underway - cannot perform modifications: {clock['id']}",
                status=429,
                code="rate_limit",
                stored=False,
            )

    # changing

    def add(self, item: Object, hidden: Object | None = None) -> Object:
        """Null-fills the new object and stores it; answers the same dict."""
        if self.clock is not None and item["object"] in UNCLOCKED:
            item["created"] = int(self.world.time())
        self.world.check(complete(item))
        self.store.insert(self.account, item, orjson.dumps(item), hidden)
        return item

    def change(self, item: Object, **fields: Any) -> Object:
        """Sets fields of the object (in place), stores it, and answers its `previous_attributes`."""
        before = orjson.loads(orjson.dumps(item))
        item.update(fields)
        self.world.check(complete(item))
        previous = difference(before, item)
        if previous:
            self.store.replace(before, item, orjson.dumps(item))
        return previous

    def bury(self, item: Object) -> Object:
        """Deletes the object; answers what its id is from now on."""
        tombstone = {"id": item["id"], "object": item["object"], "deleted": True}
        self.store.bury(item, orjson.dumps(tombstone))
        return tombstone

    def emit(self, type: str, item: Object, previous: Object | None = None, *, automatic: bool = False) -> str:
        """Records an event about the object as it is now, and its deliveries; answers the event's id. `automatic`:
        nobody's request caused it. Its `created` is the sandbox's time, whatever a test clock says, as Stripe's is."""
        body: Object = {"object": item} if previous is None else {"object": item, "previous_attributes": previous}
        endpoints = [one for one in self.world.endpoints(self.account) if _wants(one, type)]
        event: Object = {
            "id": ids.new("event"),
            "object": "event",
            "api_version": VERSION,
            "created": self.world.event_second(
                self.account, self.now if self.clock is None else int(self.world.time())
            ),
            "data": body,
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": {
                "id": None if automatic else self.request_id,
                "idempotency_key": None if automatic else self.idempotency_key,
            },
            "type": type,
        }
        self.world.check(event)
        self.store.insert(self.account, event, orjson.dumps(event), None)
        for endpoint in endpoints:
            self.store.run(
                "INSERT INTO deliveries (account, event, endpoint, due) VALUES (?, ?, ?, ?)",
                # Deliveries live in the machine's time: receivers compare the signature's timestamp with theirs.
                (self.account, event["id"], endpoint.id, time.time()),
            )
            self.delivers = True
        return event["id"]

    def update_and_emit(self, item: Object, type: str, **fields: Any) -> Object:
        """`change` followed by its `*.updated` event, which is left out when nothing changed."""
        previous = self.change(item, **fields)
        if previous:
            self.emit(type, item, previous)
        return item

    def later(self, seconds: float, name: str, subject: str) -> None:
        """Runs the timer `name` (see timers.py) for the object `subject`, also after a restart."""
        lives_in_clock = self.clock is not None and name in CLOCKED
        self.at((self.now if lives_in_clock else self.world.time()) + seconds, name, subject)

    def at(self, due: float, name: str, subject: str) -> None:
        """`later`, at a moment: a Unix time of the test clock in whose time this work is, or of the sandbox."""
        if self.clock is not None and name in CLOCKED:
            self.store.run(
                "INSERT INTO clock_timers (account, clock, due, name, subject) VALUES (?, ?, ?, ?, ?)",
                (self.account, self.clock, due, name, subject),
            )
            return
        self.store.run(
            "INSERT INTO timers (account, due, name, subject) VALUES (?, ?, ?, ?)", (self.account, due, name, subject)
        )
        if due < self.world.next_timer:
            self.world.wake_timers()


class World:
    """Everything that outlives a request. One per process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.state)
        self.origin = ""
        self.wake_deliveries = _nothing
        self.wake_timers = _nothing
        # The fault dials may give the events of a burst one `created`.
        self.event_second = _as_it_is
        # When the timers wake by themselves; only an earlier one has to wake them.
        self.next_timer = 0.0
        self.clock = Clock(self.store, settings.clock)
        self.switches = Switches()
        self._endpoints: dict[str, list[Endpoint]] = {}
        self._accounts: list[str] | None = None
        self._validate = None
        if settings.validate:
            from paygres.sandbox.spec.validation import violations

            self._validate = violations

    def time(self) -> float:
        """What the sandbox's clock shows, in Unix seconds."""
        return self.clock.time()

    @contextmanager
    def work(
        self,
        account: str,
        *,
        request_id: str | None = None,
        idempotency_key: str | None = None,
        clock: str | None = None,
        now: int | None = None,
    ) -> Iterator[Work]:
        """A unit of work, in a test clock's time where `clock` and `now` say so. A `Refusal` rolls it back, except a
        declined card's: the decline happened."""
        work = Work(self, account, int(self.time()) if now is None else now, request_id, idempotency_key, clock=clock)
        declined: Refusal | None = None
        try:
            with self.store.transaction():
                try:
                    yield work
                except Refusal as refusal:
                    if refusal.status != 402:
                        raise
                    declined = refusal
        except BaseException:
            self.forget_endpoints(account)
            self.clock.forget_test_clocks()
            raise
        if work.delivers:
            self.wake_deliveries()
        if declined is not None:
            raise declined

    def check(self, item: Object) -> None:
        """In validating mode: raises when the object is not what Stripe publishes."""
        if self._validate is not None:
            problems = self._validate(item, strict=True)
            if problems:
                raise AssertionError(f"{item.get('object')} differs from Stripe's schema: {problems}")

    def endpoints(self, account: str) -> list[Endpoint]:
        """The account's enabled endpoints."""
        known = self._endpoints.get(account)
        if known is None:
            known = self._endpoints[account] = self._read_endpoints(account)
        return known

    def accounts_with_endpoints(self) -> list[str]:
        if self._accounts is None:
            self._accounts = self.store.accounts_with("webhook_endpoint")
        return self._accounts

    def forget_endpoints(self, account: str) -> None:
        """Reads the account's endpoints anew when they are needed next."""
        self._endpoints.pop(account, None)
        self._accounts = None

    def _read_endpoints(self, account: str) -> list[Endpoint]:
        found: list[Endpoint] = []
        for body in reversed(self.store.page(account, "webhook_endpoint", links={}, limit=1000)):
            item = orjson.loads(body)
            if item["status"] == "enabled":
                hidden = self.store.hidden(item["id"])
                wanted = frozenset(item["enabled_events"])
                secrets, ends = tuple(hidden["secrets"]), tuple(hidden.get("ends", ()))
                found.append(Endpoint(item["id"], account, item["url"], secrets, wanted, item["api_version"], ends))
        return found


def _wants(endpoint: Endpoint, type: str) -> bool:
    return type in endpoint.wanted or "*" in endpoint.wanted


def _as_it_is(account: str, now: int) -> int:
    return now


def _nothing() -> None:
    return None
