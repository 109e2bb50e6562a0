"""Checks answers and events against Stripe's published schemas: as published, or strictly, where a field that they
do not name is wrong, too. Needs `jsonschema_rs`, which only development installs have, and 50 ms per kind of object."""

from functools import cache
from typing import Any

import jsonschema_rs

from paygres.sandbox.spec.complete import Object, schema_of
from paygres.sandbox.spec.document import Schema, definitions, operations, resolve

MOST_SHOWN = 20


def violations(item: Object, *, strict: bool = False) -> list[str]:
    """What an API object has against its schema: `["/items/0/price: ..."]`, empty when it has nothing. An event is
    checked together with the object it carries, an error body against Stripe's error schema."""
    judge = _judge(strict)
    if "error" in item and "object" not in item:
        return judge.errors(definitions()["error"], item)
    if item["object"] == "list":
        return [problem for one in item["data"] for problem in violations(one, strict=strict)]
    found = judge.errors(schema_of(item), item)
    if item["object"] == "event":
        carried = item["data"]["object"]
        found += [f"/data/object{problem}" for problem in violations(carried, strict=strict)]
        if strict:
            found += _unknown(schema_of(carried), item["data"].get("previous_attributes") or {})
    return found


def answer_violations(operation: str, item: Object, *, strict: bool = False) -> list[str]:
    """What the answer of an endpoint ("POST /v1/customers") has against that endpoint's published answer."""
    judge = _judge(strict)
    schema: Schema = operations()[operation]["answer"]
    element = schema.get("properties", {}).get("data", {}).get("items", {})
    if "$ref" not in element:
        return judge.errors(resolve(schema), item)
    # A list: the frame by itself, the elements by their own schema, which is compiled for other answers, too.
    found = judge.errors(_frame(operation), item)
    for one in item.get("data", ()):
        found += judge.errors(resolve(element), one)
    return found


def _unknown(schema: Schema, previous: Object) -> list[str]:
    """Old values of fields that the object cannot have."""
    names = previous.keys() - schema["properties"].keys()
    return [f"/data/previous_attributes: {name!r} is no field of the object" for name in sorted(names)]


class _Judge:
    """Compiled schemas. Those that are given have to be parts of the document, which lives as long as the process."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._definitions = {name: self._meant(schema) for name, schema in definitions().items()}
        self._names = {id(schema): name for name, schema in definitions().items()}
        self._compiled: dict[int, Any] = {}

    def errors(self, schema: Schema, item: Object) -> list[str]:
        validator = self._compiled.get(id(schema))
        if validator is None:
            validator = self._compiled[id(schema)] = self._compile(schema)
        if validator.is_valid(item):
            return []
        found: list[str] = []
        for error in validator.iter_errors(item):
            path = "/".join(str(step) for step in error.instance_path)
            found.append(f"/{path}: {error.message[:300]}")
            if len(found) == MOST_SHOWN:
                break
        return found

    def _compile(self, schema: Schema) -> Any:
        name = self._names.get(id(schema))
        meant = self._definitions[name] if name else self._meant(schema)
        return jsonschema_rs.Draft202012Validator({**meant, "$defs": self._definitions})

    def _meant(self, schema: Schema) -> Schema:
        return _closed(schema) if self._strict else schema


def _closed(schema: Any) -> Any:
    """The same schema, in which an object has no field that is not named."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed: Schema = {}
    for key, value in schema.items():
        if key == "properties":
            closed[key] = {name: _closed(one) for name, one in value.items()}
            closed["additionalProperties"] = False
        else:
            closed[key] = _closed(value) if key in ("anyOf", "items", "additionalProperties") else value
    return closed


@cache
def _judge(strict: bool) -> _Judge:
    return _Judge(strict=strict)


@cache
def _frame(operation: str) -> Schema:
    """The answer of a list without its elements."""
    schema: Schema = operations()[operation]["answer"]
    return {**schema, "properties": {**schema["properties"], "data": {"type": "array"}}}
