"""What the nouns of the admin client share: sending a call as the operator, pages as one list, work that is told of."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from paygres.client.calls import Answer, Call, extension, read
from paygres.client.errors import NetworkError, ValidationError, from_answer, unparsable
from paygres.client.shapes import Told
from paygres.client.transport import Transport

Item = TypeVar("Item", covariant=True)
Moment = datetime | int | str
"""A time: a datetime with its zone, Unix seconds, or ISO 8601."""
OnProgress = Callable[[dict[str, Any]], None]


class Keep:
    """The kind of `KEEP`."""

    def __repr__(self) -> str:
        return "KEEP"


# Words that Python keeps for itself, and the lists' names for a span of time.
RENAMED = {"class_": "class", "made_since": "from", "made_until": "to"}
KEEP = Keep()
"""Leave a field as it is, where None would empty it."""


class Pages(Generic[Item]):
    """All items of a list, page by page while they are read: `for one in pages`. Each loop begins anew."""

    def __init__(self, page: Callable[[str | None], tuple[Sequence[Item], str | None]]) -> None:
        self._page = page

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            yield from page

    def pages(self) -> Iterator[Sequence[Item]]:
        """The pages themselves."""
        cursor: str | None = None
        while True:
            items, cursor = self._page(cursor)
            yield items
            if cursor is None:
                return

    def first(self) -> Item | None:
        """The first item, None when there is none."""
        return next(iter(self), None)


class Desk:
    """Sends calls under the operator's API key."""

    def __init__(self, transport: Transport, api_key: str) -> None:
        self._transport = transport
        self._api_key = api_key

    def send(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        again: bool | None = None,
        patience: float = 0.0,
    ) -> Answer:
        """`again`: may be sent twice; unless said, everything but POST and PATCH. None is not sent, nor is KEEP."""
        call = Call(
            method,
            path,
            answer,
            body=None if body is None else (patch(body) if method == "PATCH" else wire(body)),
            query=plain(query or {}),
            idempotent=method not in ("POST", "PATCH") if again is None else again,
            patience=patience,
        )
        return self._transport.send(call, self._api_key)

    def text(self, path: str, query: Mapping[str, Any] | None = None) -> str:
        """An answer that is no JSON: CSV, metrics."""
        return self._transport.text(path, self._api_key, plain(query or {}))

    def listed(
        self, environment: str, noun: str, answer: type[Answer], field: str, filters: Mapping[str, Any]
    ) -> Pages[Any]:
        """The items in `field` of a list with cursors below `/api/paygres/{environment}`."""
        path = f"{extension(environment)}/{noun}"
        return self.paged(path, answer, field, filters)

    def paged(self, path: str, answer: type[Answer], field: str, filters: Mapping[str, Any]) -> Pages[Any]:
        """As `listed`, of any path."""

        def page(cursor: str | None) -> tuple[Sequence[Any], str | None]:
            found: Any = self.send("GET", path, answer, query={**filters, "cursor": cursor})
            return getattr(found, field), found.next_cursor

        return Pages(page)

    def told(
        self, path: str, answer: type[Answer], body: Mapping[str, Any], on_progress: OnProgress | None, patience: float
    ) -> Answer:
        """A POST whose work takes its time; with `on_progress`, followed on its way as it is told."""
        if on_progress is None:
            return self.send("POST", path, answer, body=body, patience=patience)
        for name, told in self.stream("POST", path, body=wire(body), patience=patience):
            if name == "progress":
                on_progress(told)
            elif name == "error":
                raise from_answer(int(told.get("statusCode", 500)), {}, told)
            elif name == "result":
                found = read(answer, told)
                if found is None:
                    raise unparsable(200, {})
                return found
        raise NetworkError("The server ended the connection before its work was done")

    def stream(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float = 0.0,
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Server-sent events: (name, what it says); `id` is added to what it says when the line has one."""
        name, ident = "message", None
        for line in self._transport.lines(method, path, self._api_key, body, headers or {}, patience):
            label, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if label == "event":
                name = value
            elif label == "id":
                ident = value
            elif label == "data":
                told = json.loads(value)
                yield name, {**told, "id": ident} if ident is not None and isinstance(told, dict) else told
                name, ident = "message", None


def wire(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body in the wire's names, without what is None or KEEP."""
    return {camel(name): _value(value) for name, value in body.items() if value is not None and value is not KEEP}


def patch(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body in which None empties a field: null is sent, KEEP is not."""
    return {camel(name): _value(value) for name, value in body.items() if value is not KEEP}


def plain(query: Mapping[str, Any]) -> dict[str, str]:
    """Query parameters as texts."""
    return {camel(name): _word(value) for name, value in query.items() if value is not None}


def camel(name: str) -> str:
    if name in RENAMED:
        return RENAMED[name]
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def moment(name: str, value: Moment | None) -> str | None:
    """A time as the server reads it. Raises ValidationError for a datetime without a zone."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValidationError(f"{name}: needs a time zone, such as datetime.UTC", field=name)
        return value.isoformat()
    return None if value is None else str(value)


def span(since: Moment | None, until: Moment | None) -> dict[str, str | None]:
    """The time in which what is asked for was made."""
    return {"made_since": moment("since", since), "made_until": moment("until", until)}


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(str(one) for one in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return str(value)


def _value(value: Any) -> Any:
    if isinstance(value, Told):
        return value.model_dump(by_alias=True, mode="json")
    if isinstance(value, datetime):
        return moment("time", value)
    return value
