"""Lists as Stripe sends them: newest first, `limit` 1-100, cursors by id, narrowed by fields and by `created`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from paygres.sandbox.store import Place
from paygres.sandbox.wire.errors import Refusal, bad_parameter, no_such
from paygres.sandbox.world import NOUNS, Work

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: JSON bodies, not yet parsed."""

    url: str
    bodies: list[bytes]
    has_more: bool

    def as_object(self, url: str | None = None) -> dict[str, Any]:
        """The list as a parsed object, for expansion and for lists inside other objects."""
        data = [orjson.loads(body) for body in self.bodies]
        return {"object": "list", "data": data, "has_more": self.has_more, "url": url or self.url}

    def as_json(self) -> bytes:
        head = f'{{"object":"list","url":"{self.url}","has_more":{"true" if self.has_more else "false"},"data":['
        return head.encode() + b",".join(self.bodies) + b"]}"


def answer_list(
    work: Work,
    kind: str,
    params: Mapping[str, Any],
    url: str,
    *,
    links: Mapping[str, Any] | None = None,
    conditions: Iterable[tuple[str, Any]] = (),
) -> Page:
    """One page of the account's objects of that kind. `links`: field -> wanted value (a string, a boolean, a list of
    strings, or None for "any"); the fields are those that the store indexes."""
    limit = read_limit(params)
    after, before = read_cursors(work, kind, params)
    wanted = {name: _text(value) for name, value in (links or {}).items() if value is not None}
    narrowed = [*conditions, *_created(params.get("created"))]
    rows = work.store.page(
        work.account, kind, links=wanted, conditions=narrowed, after=after, before=before, limit=limit + 1
    )
    has_more = len(rows) > limit
    if has_more:
        rows = rows[1:] if before is not None else rows[:limit]
    return Page(url, rows, has_more)


def read_limit(params: Mapping[str, Any]) -> int:
    limit: int = params.get("limit", 10)
    if limit > 100:
        raise _limit(f"This value must be less than or equal to 100 (it currently is '{limit}').")
    if limit < 1:
        raise _limit(f"This value must be greater than or equal to 1 (it currently is '{limit}').")
    return limit


def read_cursors(work: Work, kind: str, params: Mapping[str, Any]) -> tuple[Place | None, Place | None]:
    after, before = params.get("starting_after"), params.get("ending_before")
    if after is not None and before is not None:
        raise Refusal(
            "Received both starting_after and ending_before parameters. Please pass in only one.", stored=False
        )
    return _place(work, kind, after, "starting_after"), _place(work, kind, before, "ending_before")


def inline_page(items: list[dict[str, Any]], url: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A list that lies inside its owner, such as line items, oldest first."""
    params = params or {}
    limit = read_limit(params)
    start, end = 0, len(items)
    for param in ("starting_after", "ending_before"):
        cursor = params.get(param)
        if cursor is None:
            continue
        index = next((place for place, item in enumerate(items) if item["id"] == cursor), None)
        if index is None:
            raise no_such("line_item", cursor, param)
        if param == "starting_after":
            start = index + 1
        else:
            end, start = index, max(0, index - limit)
    taken = items[start:end][:limit]
    return {"object": "list", "data": taken, "has_more": start + limit < end, "url": url}


def _place(work: Work, kind: str, cursor: str | None, param: str) -> Place | None:
    if cursor is None:
        return None
    place = work.store.place(work.account, kind, cursor)
    if place is None:
        raise no_such(NOUNS.get(kind, kind), cursor, param)
    return place


def _created(created: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(created, int):
        yield "created = ?", created
    elif isinstance(created, dict):
        for word, value in created.items():
            yield f"created {COMPARISONS[word]} ?", value


def _text(value: Any) -> str | list[str]:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _limit(message: str) -> Refusal:
    return bad_parameter(message, "limit", "parameter_invalid_integer")
