"""Checks answers and events against Stripe's published schemas. Loose as published; needs `jsonschema_rs`, which
only development installs have, and about 100 ms once per kind of object."""

from functools import cache
from typing import Any

import jsonschema_rs

from paygres.sandbox.spec.complete import Object, schema_of
from paygres.sandbox.spec.derive import Schema
from paygres.sandbox.spec.document import definitions, operations

MOST_SHOWN = 20

# An official fixture and real invoices both lack this field that the published schema requires.
WAIVED = {("invoice", "amount_paid_off_stripe")}


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
    return _errors(_answer_validator(operation), item)


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
    known = _compiled.get(id(schema))
    if known is None:
        known = _compiled[id(schema)] = jsonschema_rs.Draft202012Validator({**schema, "$defs": _definitions()})
    return known


@cache
def _validator(name: str) -> Any:
    return _validator_of(definitions()[name])


@cache
def _answer_validator(operation: str) -> Any:
    return _validator_of(operations()[operation]["answer"])


@cache
def _definitions() -> dict[str, Schema]:
    waived: dict[str, Schema] = {}
    for name, schema in definitions().items():
        lacking = [field for owner, field in WAIVED if owner == name]
        if lacking:
            schema = {**schema, "required": [field for field in schema["required"] if field not in lacking]}
        waived[name] = schema
    return waived
