"""What is different between two tellings of one Stripe object, as paths with a before and an after. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

ABSENT = object()
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Difference:
    """`path` is dotted (`items.data[si_1].quantity`); a side on which nothing stands there is ABSENT."""

    path: str
    before: Any
    after: Any


def differences(before: Any, after: Any) -> Iterator[Difference]:
    """Every path at which the two differ, in the order of the older telling, what was added last.

    Lists of objects with ids are compared by id, other lists by place.
    """
    yield from _between("", before, after, 0)


def _between(path: str, before: Any, after: Any, depth: int) -> Iterator[Difference]:
    if depth < _DEEPEST and isinstance(before, dict) and isinstance(after, dict):
        inside = cast(dict[str, Any], before), cast(dict[str, Any], after)
        dot = f"{path}." if path else ""
        names = {name: f"{dot}{name}" for name in (*inside[0], *inside[1])}
    elif depth < _DEEPEST and isinstance(before, list) and isinstance(after, list):
        inside = _by_name(cast(list[Any], before), cast(list[Any], after))
        names = {name: f"{path}[{name}]" for name in (*inside[0], *inside[1])}
    else:
        if before != after or isinstance(before, bool) != isinstance(after, bool):
            yield Difference(path or "(root)", before, after)
        return
    for name, where in names.items():
        yield from _between(where, inside[0].get(name, ABSENT), inside[1].get(name, ABSENT), depth + 1)


def _by_name(before: list[Any], after: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two lists as dictionaries: by the ids of their objects when all have one of their own, else by place."""
    by_id = _by_id(before), _by_id(after)
    if by_id[0] is not None and by_id[1] is not None:
        return by_id[0], by_id[1]
    return {str(n): one for n, one in enumerate(before)}, {str(n): one for n, one in enumerate(after)}


def _by_id(objects: list[Any]) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for one in objects:
        name = cast(dict[str, Any], one).get("id") if isinstance(one, dict) else None
        if not isinstance(name, str) or name in found:
            return None
        found[name] = one
    return found
