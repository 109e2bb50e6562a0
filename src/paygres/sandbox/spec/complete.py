"""Null-filling: Stripe sends every nullable field of an object, so the code that makes an object names only the
fields it means and this adds the rest, at every depth, from the published schema."""

from typing import Any

from paygres.sandbox.spec.document import Schema, definitions, leaves_choice, one_of

Object = dict[str, Any]


class _Plan:
    """What to add to an object of one schema, and which of its fields to look into."""

    __slots__ = ("nested", "nulls")

    def __init__(self, schema: Schema) -> None:
        properties: Schema = schema.get("properties", {})
        # Lists that Stripe sends only when they are expanded stay away, even those that may be null.
        left_out = schema.get("includable", ())
        self.nulls = tuple(n for n, one in properties.items() if _is_nullable(one) and n not in left_out)
        self.nested = {name: _Field(one) for name, one in properties.items() if _may_hold_objects(one)}


class _Field:
    """A field that may hold an object, or a list of them. The plan is looked up when the first of them comes, since
    schemas contain each other; where the published schema leaves a choice, each object decides."""

    __slots__ = ("_of_any", "items", "schema")

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.items = _Field(schema["items"]) if "items" in schema else None
        self._of_any: _Plan | None = None

    def plan_of(self, value: Object) -> _Plan | None:
        if self._of_any is not None:
            return self._of_any
        found = one_of(self.schema, value)
        plan = None if found is None else _plan_of(found)
        if not leaves_choice(self.schema):
            self._of_any = plan
        return plan


_plans: dict[int, _Plan] = {}
_names: dict[tuple[str, bool], str] = {}


def schema_of(item: Object) -> Schema:
    """The published schema of an API object, found by its `object` (and `deleted`)."""
    if not _names:
        for name, schema in definitions().items():
            properties = schema.get("properties", {})
            # A payment source is published under "source" too; the plain name wins where it is one.
            for word in properties.get("object", {}).get("enum", ()):
                deleted = "deleted" in properties
                plain = f"deleted_{word}" if deleted else word
                if name == plain or (word, deleted) not in _names:
                    _names[word, deleted] = name
    return definitions()[_names[item["object"], bool(item.get("deleted"))]]


def complete(item: Object) -> Object:
    """The same object (changed in place) with every nullable field of its schema present."""
    _fill(_plan_of(schema_of(item)), item)
    return item


def _plan_of(schema: Schema) -> _Plan:
    plan = _plans.get(id(schema))
    if plan is None:
        plan = _plans[id(schema)] = _Plan(schema)
    return plan


def _fill(plan: _Plan, value: Object) -> None:
    for name in plan.nulls:
        if name not in value:
            value[name] = None
    nested = plan.nested
    for name, one in value.items():
        if one.__class__ is dict and name in nested:
            _fill_inside(nested[name], one)
        elif one.__class__ is list and name in nested:
            items = nested[name].items
            if items is not None:
                for entry in one:
                    if entry.__class__ is dict:
                        _fill_inside(items, entry)


def _fill_inside(field: _Field, value: Object) -> None:
    plan = field.plan_of(value)
    if plan is not None:
        _fill(plan, value)


def _is_nullable(schema: Schema) -> bool:
    kind = schema.get("type")
    return (isinstance(kind, list) and "null" in kind) or {"type": "null"} in schema.get("anyOf", ())


def _may_hold_objects(schema: Schema) -> bool:
    return "$ref" in schema or "anyOf" in schema or "items" in schema or "properties" in schema
