"""Which functions of the developer's this process has: those that run inside an event's transaction, and those that
run after the commit. Names are dotted (app.billing.fulfill), since other processes know a function by its name only."""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

from paygres.server.flows.transaction import Transaction
from paygres.server.projections.events import EVENT_TYPES
from paygres.server.tables import fulfillments

Environment = Literal["test", "live"]
MESSAGE_TYPES = (
    "fulfillment.granted",
    "fulfillment.reversed",
    "fulfillment.restored",
    "fulfillment.quarantined",
)


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """An event as a listener gets it: plain dicts of its own. `created` in Unix seconds; `object` as Stripe sent it;
    `previous_attributes` only for updates."""

    id: str
    type: str
    created: int
    environment: str
    livemode: bool
    object: dict[str, Any]
    previous_attributes: dict[str, Any] | None
    api_version: str | None
    _account_id: str = field(default="", repr=False)
    _payload: str = field(default="", repr=False)

    async def fulfill(
        self,
        tx: Transaction,
        rule: str,
        *,
        key: str | None,
        amount: int | None,
        currency: str | None,
        items: dict[str, int] | None = None,
    ) -> bool:
        """True exactly once for `rule` and the payment this event is about: give what was bought, with this `tx`.

        `key` is your order's id; `amount` (minor units, before discounts, taxes and shipping) and `currency` are what
        the order says; `items` {price id: quantity}, if you want those compared too. False: not paid, given already,
        refunded before, or not what was expected; that last is kept as quarantined for an operator.
        """
        return await fulfillments.fulfill_event(
            tx, self.environment, self._account_id, self._payload, rule, key, amount, currency, items
        )


@dataclass(frozen=True, slots=True)
class Message:
    """What became of a fulfillment, after the commit. `id` is the same at every attempt; `fulfillment` as the routes
    answer it, at that moment."""

    id: str
    type: str
    created_at: str
    environment: str
    fulfillment: dict[str, Any]


Listen = Callable[[StripeEvent, Transaction], Awaitable[object]]
AfterCommit = Callable[[Message], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Listener:
    """`environment` None: both."""

    name: str
    types: tuple[str, ...]
    environment: Environment | None
    call: Listen

    def hears(self, event_type: str, environment: str) -> bool:
        """Whether it wants such an event."""
        return event_type in self.types and self.environment in (None, environment)


@dataclass(frozen=True, slots=True)
class AfterCommitCall:
    """`environments`: where it is called."""

    name: str
    types: tuple[str, ...]
    environments: tuple[str, ...]
    call: AfterCommit


class Listeners:
    """The process's own, in the order in which they were registered; that is the order they run in."""

    def __init__(self) -> None:
        self._listeners: dict[str, Listener] = {}
        self._after_commit: dict[str, AfterCommitCall] = {}

    def add(self, call: Listen, types: tuple[str, ...], environment: Environment | None, name: str | None) -> None:
        """Raises ValueError for an event type that is not subscribed to, or a name that is taken."""
        _known(types, EVENT_TYPES, "This server does not subscribe to {}")
        named = _name(call, name, self._listeners)
        self._listeners[named] = Listener(named, types, _checked_environment(environment), call)

    def add_after_commit(
        self, call: AfterCommit, types: tuple[str, ...], environment: Environment | None, name: str | None
    ) -> None:
        """Raises ValueError for an unknown message type, or a name that is taken."""
        _known(types, MESSAGE_TYPES, "There are no messages of type {}")
        named = _name(call, name, self._after_commit)
        chosen = _checked_environment(environment)
        environments = ("test", "live") if chosen is None else (chosen,)
        self._after_commit[named] = AfterCommitCall(named, types, environments, call)

    def all(self) -> list[Listener]:
        return list(self._listeners.values())

    def all_after_commit(self) -> list[AfterCommitCall]:
        return list(self._after_commit.values())

    def names(self) -> list[str]:
        """Of the listeners."""
        return list(self._listeners)

    def after_commit_names(self) -> list[str]:
        return list(self._after_commit)

    def after_commit(self, name: str) -> AfterCommit:
        return self._after_commit[name].call

    def missing(self, names: Iterable[str], event_type: str, environment: str) -> list[str]:
        """Those of `names` that this process cannot run for such an event, sorted."""
        have = {one.name for one in self._listeners.values() if one.hears(event_type, environment)}
        return sorted(set(names) - have)

    def named(self, names: Iterable[str]) -> list[Listener]:
        wanted = set(names)
        return [one for one in self._listeners.values() if one.name in wanted]


def _known(types: tuple[str, ...], known: tuple[str, ...], complaint: str) -> None:
    if not types:
        raise ValueError("Name at least one type")
    for one in types:
        if one not in known:
            near = get_close_matches(one, known, 1)
            raise ValueError(complaint.format(one) + (f". Did you mean {near[0]}?" if near else ""))


def _checked_environment(environment: Environment | None) -> Environment | None:
    if environment not in (None, "test", "live"):
        raise ValueError(f"environment: test, live or None (both), not {environment}")
    return environment


def _name(call: Callable[..., Any], name: str | None, taken: Iterable[str]) -> str:
    if not inspect.iscoroutinefunction(call):
        raise TypeError(f"{getattr(call, '__qualname__', call)} must be an async function")
    named = name or f"{call.__module__}.{call.__qualname__}"
    if name is None and (call.__module__ == "__main__" or "<" in call.__qualname__):
        raise ValueError(f"{named}: other processes could not know it by that name; pass name='app.billing.fulfill'")
    if named in taken:
        raise ValueError(f"Two functions are named {named}")
    return named
