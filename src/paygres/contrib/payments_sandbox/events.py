"""What happened: the events of the account, waited for and sent again."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from paygres.contrib.payments_sandbox.deliveries import Deliveries, told
from paygres.contrib.payments_sandbox.errors import TooLate
from paygres.contrib.payments_sandbox.wire import Wire

PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Event:
    """`object`: what the event is about, as it was then. `pending`: how many webhook endpoints have not answered it
    with 2xx; `failed`: how many of these will not be asked again. `raw`: the whole event."""

    id: str
    type: str
    created: datetime
    object: dict[str, Any]
    previous_attributes: dict[str, Any]
    pending: int
    failed: int
    raw: dict[str, Any]


class Events:
    """All of them since the sandbox began, also those that `GET /v1/events` no longer lists after 30 days."""

    def __init__(self, wire: Wire, deliveries: Deliveries, account: Callable[[], str]) -> None:
        self._wire = wire
        self._deliveries = deliveries
        self._account = account

    def list(self, type: str | None = None, *, object: str | None = None) -> list[Event]:
        """Oldest first. `type` may end in `*`; `object`: the id of what they are about."""
        found = self._wire.get("/_sim/events", account=self._account(), type=type, object=object)
        return [_event(one) for one in found["events"]]

    def wait(
        self,
        type: str,
        count: int = 1,
        *,
        timeout: float = 10.0,
        object: str | None = None,
        delivered: bool = True,
    ) -> Event:
        """The `count`th event of that type, of all since the sandbox began, as soon as it is there and every webhook
        endpoint that wants it has answered it with 2xx (`delivered=False`: as soon as it is there). Raises `TooLate`
        after `timeout` seconds, or at once when an endpoint never answered well and is not asked again."""
        give_up = time.monotonic() + timeout
        while True:
            found = self.list(type, object=object)
            if len(found) >= count:
                event = found[count - 1]
                if not delivered or not (event.pending or event.failed):
                    return event
                if event.failed:
                    raise TooLate(f"{type} ({event.id}) was not accepted: {self._unanswered(event)}")
            if time.monotonic() > give_up:
                raise TooLate(self._missing(type, count, found, timeout))
            time.sleep(PAUSE)

    def resend(self, event: Event | str) -> int:
        """Delivers it once more to every endpoint that it went to; answers to how many."""
        id = event.id if isinstance(event, Event) else event
        return self._wire.post("/_sim/resend", event=id)["deliveries"]

    def _missing(self, type: str, count: int, found: "list[Event]", timeout: float) -> str:
        if len(found) >= count:
            event = found[count - 1]
            return f"{type} ({event.id}) was not answered within {timeout:g} s: {self._unanswered(event)}"
        there = [event.type for event in self.list()]
        counted = ", ".join(f"{name} ({there.count(name)})" for name in dict.fromkeys(there)) or "nothing"
        return f"There were {len(found)} of {count} events {type} after {timeout:g} s. There happened: {counted}."

    def _unanswered(self, event: Event) -> str:
        return told([one for one in self._deliveries.list(event.id) if one.state != "delivered"])


def _event(found: Mapping[str, Any]) -> Event:
    event: dict[str, Any] = found["event"]
    return Event(
        id=event["id"],
        type=event["type"],
        created=datetime.fromtimestamp(event["created"], UTC),
        object=event["data"]["object"],
        previous_attributes=event["data"].get("previous_attributes") or {},
        pending=found["pending"],
        failed=found["failed"],
        raw=event,
    )
