"""Checks answers and events against Stripe's published schemas. Loose as published; needs `jsonschema_rs`, which
only development installs have, and about 100 ms once per kind of object."""

from functools import cache
from typing import Any

import jsonschema_rs

from paygres.sandbox.spec.complete import Object, schema_of
from paygres.sandbox.spec.derive import Schema
from paygres.sandbox.spec.document import definitions, operations, resolve

MOST_SHOWN = 20

# An official fixture and real invoices both lack this field that the published schema requires.
WAIVED = {"invoice": ("amount_paid_off_stripe",)}


def violations(item: Object) -> list[str]:
    """What an API object has against its schema: `["/items/0/price: ..."]`, empty when it has nothing. An event is
    checked together with the object it carries, an error body against Stripe's error schema."""
    if "error" in item and "object" not in item:
        return _errors(_validator("error"), item)
    if item["object"] == "list":
        return [problem for one in item["data"] for problem in violations(one)]
    found = _errors(_validator_of(schema_of(item)), item)
    if item["object"] == "event":
        found += [f"/data/object{problem}" for problem in violations(item["data"]["object"])]
    return found


def answer_violations(operation: str, item: Object) -> list[str]:
    """What the answer of an endpoint ("POST /v1/customers") has against that endpoint's published answer."""
    schema: Schema = operations()[operation]["answer"]
    element = schema.get("properties", {}).get("data", {}).get("items", {})
    if "$ref" not in element:
        return _errors(_validator_of(schema), item)
    # A list: the frame by itself, the elements by their own schema, which is compiled for other answers, too.
    found = _errors(_frame_validator(operation), item)
    for one in item.get("data", ()):
        found += _errors(_validator_of(element), one)
    return found


def _errors(validator: Any, item: Object) -> list[str]:
    found: list[str] = []
    if validator.is_valid(item):
        return found
    for error in validator.iter_errors(item):
        path = "/".join(str(step) for step in error.instance_path)
        found.append(f"/{path}: {error.message[:300]}")
        if len(found) == MOST_SHOWN:
            break
    return found


_compiled: dict[int, Any] = {}


def _validator_of(schema: Schema) -> Any:
    """The compiled schema. What only refers to a definition shares that definition's validator."""
    schema = resolve(schema)
    known = _compiled.get(id(schema))
    if known is None:
        known = _compiled[id(schema)] = jsonschema_rs.Draft202012Validator(
            {**_waiving(schema), "$defs": _definitions()}
        )
    return known


@cache
def _validator(name: str) -> Any:
    return _validator_of(definitions()[name])


@cache
def _frame_validator(operation: str) -> Any:
    schema: Schema = operations()[operation]["answer"]
    frame = {**schema, "properties": {**schema["properties"], "data": {"type": "array"}}}
    return jsonschema_rs.Draft202012Validator(frame)


def _waiving(schema: Schema) -> Schema:
    lacking = WAIVED.get(schema.get("properties", {}).get("object", {}).get("enum", [""])[0], ())
    if not lacking:
        return schema
    return {**schema, "required": [field for field in schema["required"] if field not in lacking]}


@cache
def _definitions() -> dict[str, Schema]:
    return {name: _waiving(schema) for name, schema in definitions().items()}
