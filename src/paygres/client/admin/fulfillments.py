"""What was granted for payments, and who is told of it."""

from collections.abc import Sequence
from typing import Any

from paygres.client.admin.desk import KEEP, Desk, Keep, Moment, Pages, span
from paygres.client.admin.fulfillments_shapes import (
    DeletedDestination,
    Destination,
    DestinationAnswer,
    DestinationsAnswer,
    ForgottenAnswer,
    Fulfillment,
    FulfillmentAnswer,
    FulfillmentsPage,
    Listener,
    ListenersAnswer,
    Message,
    MessageAnswer,
    MessagesPage,
    ReleasedAnswer,
)
from paygres.client.calls import extension, segment
from paygres.client.shapes import Environment


class Fulfillments:
    """`admin.fulfillments`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def list(
        self, environment: Environment, *, since: Moment | None = None, until: Moment | None = None, **filters: Any
    ) -> Pages[Fulfillment]:
        """All that fit. Filters: `status`, `rule`, `key`, `payment`, `subject_type` with `subject_id`, `limit`."""
        return self._desk.listed(
            environment, "fulfillments", FulfillmentsPage, "fulfillments", {**filters, **span(since, until)}
        )

    def get(self, environment: Environment, id: str) -> Fulfillment:
        """One of them."""
        path = f"{extension(environment)}/fulfillments/{segment('id', id)}"
        return self._desk.send("GET", path, FulfillmentAnswer).fulfillment

    def release(self, environment: Environment, id: str, *, reason: str) -> ReleasedAnswer:
        """Let a quarantined payment pass: its event runs again and grants it. One that was granted before is granted
        again without, once no other payment of its key stands."""
        path = f"{extension(environment)}/fulfillments/{segment('id', id)}/release"
        return self._desk.send("POST", path, ReleasedAnswer, body={"reason": reason})


class Destinations:
    """`admin.destinations`: addresses that are told of grants and reversals, by signed webhooks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def list(self, environment: Environment) -> list[Destination]:
        """All of them."""
        return self._desk.send("GET", f"{extension(environment)}/destinations", DestinationsAnswer).destinations

    def create(
        self,
        environment: Environment,
        *,
        url: str,
        name: str | None = None,
        types: Sequence[str] | None = None,
        active: bool | None = None,
    ) -> DestinationAnswer:
        """Add one; the answer has its signing `secret`, this once."""
        body = {"url": url, "name": name, "types": None if types is None else list(types), "active": active}
        return self._desk.send("POST", f"{extension(environment)}/destinations", DestinationAnswer, body=body)

    def update(
        self,
        environment: Environment,
        id: str,
        *,
        url: str | Keep = KEEP,
        name: str | Keep = KEEP,
        types: Sequence[str] | Keep = KEEP,
        active: bool | Keep = KEEP,
        rotate_secret: bool | Keep = KEEP,
    ) -> DestinationAnswer:
        """Change one; with `rotate_secret` the answer has its new `secret`, this once."""
        body: dict[str, Any] = {"url": url, "name": name, "active": active, "rotate_secret": rotate_secret}
        body["types"] = types if isinstance(types, Keep) else [*types]
        return self._desk.send("PATCH", _destination(environment, id), DestinationAnswer, body=body)

    def delete(self, environment: Environment, id: str) -> bool:
        """Whether it was there; messages that wait for it are dropped."""
        return self._desk.send("DELETE", _destination(environment, id), DeletedDestination).deleted

    def messages(self, environment: Environment, id: str, **filters: Any) -> Pages[Message]:
        """What was and is to be told it, newest first. Filters: `status`, `limit`."""
        return self._desk.paged(f"{_destination(environment, id)}/messages", MessagesPage, "messages", filters)

    def resend(self, environment: Environment, id: str, message: str) -> Message:
        """Tell it once more."""
        path = f"{_destination(environment, id)}/messages/{segment('message', message)}/resend"
        return self._desk.send("POST", path, MessageAnswer, again=True).message


class Listeners:
    """`admin.listeners`: Python functions that run in the transactions of events."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def list(self) -> list[Listener]:
        """All that were ever registered, and what waits for them."""
        return self._desk.send("GET", "/api/paygres/listeners", ListenersAnswer).listeners

    def forget(self, name: str) -> ForgottenAnswer:
        """Nothing waits for this one any more."""
        return self._desk.send("DELETE", f"/api/paygres/listeners/{segment('name', name)}", ForgottenAnswer)


def _destination(environment: Environment, id: str) -> str:
    return f"{extension(environment)}/destinations/{segment('id', id)}"
