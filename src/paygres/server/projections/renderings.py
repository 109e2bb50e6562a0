"""When do two renderings of an object say the same? The question is only asked where snapshots are compared.

One API version writes null for what is not there. Two versions besides name and leave out things differently, and so
do two API reads that expand differently; of those only what all of them can say is compared (decision 6).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from paygres.server.projections.snapshots import Snapshot, StripeObject, as_id

Telling = Callable[[StripeObject], Any]

# Older words of values that were renamed, by the field they stand in.
_RENAMED = {"ui_mode": {"hosted": "hosted_page", "embedded": "embedded_page", "custom": "elements"}}
# Written by the developer, not by the version: its keys are content.
_FREE = "metadata"


def telling(snapshots: Sequence[Snapshot]) -> Telling:
    """A function that makes objects comparable: equal results, same said. It serves for these snapshots and for what
    they say was before them; it depends on the set of them only."""
    first = snapshots[0]
    if first.source == "event" and all(s.api_version == first.api_version for s in snapshots):
        return canonical
    renderings: dict[str, list[StripeObject]] = {}
    for number, snapshot in enumerate(snapshots):
        by = f"api {number}" if snapshot.source == "api" else snapshot.api_version or ""
        renderings.setdefault(by, []).append(snapshot.raw)
    if len(renderings) < 2:
        return canonical
    common = _common([_shape(raws) for raws in renderings.values()])
    return lambda raw: canonical(_only(raw, common))


def canonical(value: Any) -> Any:
    """Equal when two objects of one rendering say the same: null counts as absent (Stripe writes null for "was not
    there")."""
    if isinstance(value, dict):
        kept: dict[str, Any] = {}
        for key, inner in value.items():
            if isinstance(inner, dict | list):  # the rest needs no call of its own: this is where time goes in a burst
                said = canonical(inner)
                if said != {}:
                    kept[key] = said
            elif inner is not None:
                kept[key] = inner
        return kept
    if isinstance(value, list):
        return [canonical(one) for one in value]
    return value


@dataclass(frozen=True, slots=True)
class _Shape:
    """What one rendering can say at a place. `keys` is None where it never showed an object, `elements` where it
    never showed a list; `is_id` where it showed a text."""

    keys: dict[str, "_Shape"] | None = None
    elements: "_Shape | None" = None
    is_id: bool = False


_ANYTHING = _Shape()


def _shape(values: Iterable[Any]) -> _Shape:
    """Everything one rendering shows in these values together."""
    children: dict[str, list[Any]] = {}
    listed: list[Any] = []
    an_object = a_list = a_text = False
    for value in values:
        if isinstance(value, dict):
            an_object = True
            for key, child in value.items():
                children.setdefault(key, []).append(child)
        elif isinstance(value, list):
            a_list = True
            listed += value
        elif isinstance(value, str):
            a_text = True
    keys = {key: _ANYTHING if key == _FREE else _shape(those) for key, those in children.items()}
    return _Shape(keys if an_object else None, _shape(listed) if a_list else None, a_text)


def _common(shapes: Sequence[_Shape]) -> _Shape:
    """What all of them can say. One that never showed an object at a place does not narrow it: it may have been null
    there, and then the difference counts."""
    keyed = [shape.keys for shape in shapes if shape.keys is not None]
    listed = [shape.elements for shape in shapes if shape.elements is not None]
    keys = None
    if keyed:
        shared = set(keyed[0]).intersection(*keyed[1:])
        keys = {key: _common([those[key] for those in keyed]) for key in shared}
    return _Shape(keys, _common(listed) if listed else None, any(shape.is_id for shape in shapes))


def _only(value: Any, shape: _Shape, name: str = "") -> Any:
    if isinstance(value, dict):
        if shape.is_id:  # expanded here, an id there
            return as_id(value)
        if shape.keys is None:
            return value
        return {key: _only(value[key], inner, key) for key, inner in shape.keys.items() if key in value}
    if isinstance(value, list):
        return value if shape.elements is None else [_only(one, shape.elements) for one in value]
    if isinstance(value, str):
        return _number(value) if name.endswith("_decimal") else _RENAMED.get(name, {}).get(value, value)
    return value


def _number(text: str) -> str | Decimal:
    """2500 and 2500.0 are one amount."""
    try:
        return Decimal(text).normalize()
    except InvalidOperation:
        return text
