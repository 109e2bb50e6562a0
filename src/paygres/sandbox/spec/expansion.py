"""`expand`: replaces ids by the objects they name and adds the lists that are sent only on request, along the
paths of a request and as far as the published schemas allow."""

from collections.abc import Callable, Iterable
from typing import Any

from paygres.sandbox.spec.complete import Object, schema_of
from paygres.sandbox.spec.document import Schema, one_of, resolve
from paygres.sandbox.wire.errors import bad_parameter

MAX_DEPTH = 4
# May be named in a path although it is sent anyway: an invoice's, without which clients cannot confirm its payment.
SENT_ANYWAY = frozenset(("confirmation_secret",))

Fetch = Callable[[str], Object | None]
Include = Callable[[Object, str], Object | None]


def expand(items: Iterable[Object], paths: Iterable[str], *, listed: bool, fetch: Fetch, include: Include) -> None:
    """Expands `items` in place. `listed`: the request was a list, whose paths begin with `data.`.
    Raises `Refusal` for a path that is too deep or leads to something that cannot be expanded."""
    items = list(items)
    for path in paths:
        steps = path.split(".")
        if listed:
            if steps[0] != "data" or len(steps) == 1:
                raise _cannot(path)
            steps = steps[1:]
        if len(steps) > MAX_DEPTH:
            raise bad_parameter(
                f"You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}", "expand"
            )
        for item in items:
            _walk(schema_of(item), item, steps, path, fetch, include)


def _walk(schema: Schema, item: Object, steps: list[str], path: str, fetch: Fetch, include: Include) -> None:
    step, *rest = steps
    properties: Schema = schema.get("properties", {})
    if step not in properties:
        raise _cannot(path)
    if step in schema.get("expandable", ()):
        value = item.get(step)
        if isinstance(value, list):
            item[step] = [_fetched(one, fetch) for one in value]
        elif isinstance(value, str):
            item[step] = _fetched(value, fetch)
    elif step in schema.get("includable", ()):
        if step not in item:
            included = include(item, step)
            if included is not None:
                item[step] = included
    elif not rest and step not in SENT_ANYWAY:
        raise _cannot(path)
    if rest:
        _deeper(properties[step], item.get(step), rest, path, fetch, include)


def _deeper(schema: Schema, value: Any, rest: list[str], path: str, fetch: Fetch, include: Include) -> None:
    if isinstance(value, list):
        for one in value:
            _deeper(schema.get("items", {}), one, rest, path, fetch, include)
    elif isinstance(value, dict):
        inner = one_of(schema, value) or (schema_of(value) if "object" in value else None)
        if inner is None:
            raise _cannot(path)
        if value.get("object") == "list" and rest[0] == "data":
            if len(rest) > 1:
                _deeper(resolve(inner)["properties"]["data"], value["data"], rest[1:], path, fetch, include)
        else:
            _walk(inner, value, rest, path, fetch, include)


def _fetched(value: Any, fetch: Fetch) -> Any:
    return (fetch(value) or value) if isinstance(value, str) else value


def _cannot(path: str) -> Exception:
    return bad_parameter(f"This property cannot be expanded ({path}).", "expand")
