"""Request checking from Stripe's parameter lists: unknown, missing and mistyped parameters are refused with
Stripe's texts, everything else is turned from form strings into typed values."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from paygres.sandbox.spec.document import Schema, operations
from paygres.sandbox.wire.errors import bad_parameter, missing_parameter

Check = Callable[[Any, str], Any]

# An unset parameter (`metadata=`) reaches an endpoint as the empty string, as the published schemas say it.
UNSET = ""
INTEGER = re.compile(r"-?\d{1,19}\Z")
DECIMAL = re.compile(r"-?\d{1,14}(\.\d{1,12})?\Z")
LARGEST = 2**63 - 1


@cache
def checker(operation: str) -> Check:
    """The compiled check of one endpoint (`"POST /v1/customers"`): call it with the decoded form and an empty
    name; it answers the typed parameters or raises `Refusal`. A GET's parameters are its query, else its body."""
    schema = operations()[operation]["query" if operation.startswith("GET ") else "body"]
    # An update may unset any text that may be absent; a creation that sends an empty one is a mistake.
    return _object(schema, is_update=operation.startswith("POST ") and operation.endswith("}"))


def _compile(schema: Schema, is_update: bool) -> Check:
    if "anyOf" in schema:
        return _choice(schema["anyOf"], is_update)
    kind = schema.get("type")
    if kind == "object":
        return _map(schema, is_update) if "properties" not in schema else _object(schema, is_update)
    if kind == "array":
        return _array(schema, is_update)
    if "enum" in schema:
        return _enumeration(schema["enum"])
    if kind == "integer":
        return _timestamp if schema.get("format") == "unix-time" else _integer
    if kind == "boolean":
        return _boolean
    if kind == "number":
        return _number
    return _decimal if schema.get("format") == "decimal" else _string(schema.get("maxLength"), is_update)


def _object(schema: Schema, is_update: bool) -> Check:
    properties: Schema = schema["properties"]
    required: tuple[str, ...] = tuple(schema.get("required", ()))
    checks: dict[str, Check] = {}

    def check(value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise bad_parameter("Invalid object", name)
        unknown = [_inside(name, key) for key in value if key not in properties]
        if unknown:
            words = "parameter" if len(unknown) == 1 else "parameters"
            raise bad_parameter(f"Received unknown {words}: {', '.join(unknown)}", unknown[0], "parameter_unknown")
        checked: dict[str, Any] = {}
        for key, one in value.items():
            part = checks.get(key)
            if part is None:
                part = checks[key] = _compile(properties[key], is_update and key not in required)
            checked[key] = part(one, _inside(name, key))
        for key in required:
            if key not in checked:
                raise missing_parameter(_inside(name, key))
        return checked

    return check


def _map(schema: Schema, is_update: bool) -> Check:
    """A hash with free keys, such as metadata: a value may be empty (that key is unset)."""
    inner = schema.get("additionalProperties")
    part = _compile(inner, is_update) if isinstance(inner, dict) and inner else _anything

    def check(value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise bad_parameter("Invalid object", name)
        return {key: one if one == UNSET else part(one, _inside(name, key)) for key, one in value.items()}

    return check


def _array(schema: Schema, is_update: bool) -> Check:
    part = _compile(schema["items"], is_update=False)

    def check(value: Any, name: str) -> list[Any]:
        if not isinstance(value, dict) or not all(key.isdigit() and len(key) < 6 for key in value):
            raise bad_parameter("Invalid array", name)
        return [part(value[key], f"{name}[{key}]") for key in sorted(value, key=int)]

    return check


def _choice(choices: list[Schema], is_update: bool) -> Check:
    """`anyOf`: a hash picks the object or array among the choices, a string the scalars in their order."""
    containers = [one for one in choices if one.get("type") in ("object", "array")]
    hashes = [(one.get("properties"), _compile(one, is_update)) for one in containers]
    may_be_unset = any(one.get("enum") == [UNSET] for one in choices)
    words = [word for one in choices for word in one.get("enum", ()) if word != UNSET]
    scalars = [
        _compile(one, is_update) for one in choices if one.get("type") not in ("object", "array") and "enum" not in one
    ]

    def check(value: Any, name: str) -> Any:
        if isinstance(value, dict):
            for properties, part in hashes[:-1]:
                if properties and value.keys() <= properties.keys():
                    return part(value, name)
            if hashes:
                return hashes[-1][1](value, name)
            return scalars[0](value, name) if scalars else _enumeration(words)(value, name)
        if value in words or (value == UNSET and may_be_unset):
            return value
        if scalars:
            return scalars[0](value, name)
        return _enumeration(words)(value, name) if words else hashes[0][1](value, name)

    return check


def _enumeration(words: list[str]) -> Check:
    shown = [word for word in words if word != UNSET]
    listed = " or ".join(shown) if len(shown) < 3 else f"{', '.join(shown[:-1])}, or {shown[-1]}"

    def check(value: Any, name: str) -> str:
        if value not in words:
            raise bad_parameter(f"Invalid {name}: must be one of {listed}", name)
        return value

    return check


def _string(max_length: int | None, may_be_unset: bool) -> Check:
    def check(value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise bad_parameter(f"Invalid string: {_shown(value)}", name)
        if value == UNSET and not may_be_unset:
            raise _empty(name)
        if max_length is not None and len(value) > max_length:
            shown = f"{value[:3]}...{value[-3:]}"
            raise bad_parameter(f"Invalid string: {shown}; must be at most {max_length} characters", name)
        return value

    return check


def _integer(value: Any, name: str) -> int:
    if value == UNSET:
        raise _empty(name)
    if not isinstance(value, str) or not INTEGER.match(value) or abs(int(value)) > LARGEST:
        raise bad_parameter(f"Invalid integer: {_shown(value)}", name, "parameter_invalid_integer")
    return int(value)


def _timestamp(value: Any, name: str) -> int:
    if not isinstance(value, str) or not INTEGER.match(value) or not 0 <= int(value) < 2**40:
        raise bad_parameter("Invalid timestamp: must be an integer Unix time value", name)
    return int(value)


def _number(value: Any, name: str) -> float:
    if not isinstance(value, str) or not DECIMAL.match(value):
        raise bad_parameter(f"Invalid decimal: {_shown(value)}", name)
    return float(value)


def _decimal(value: Any, name: str) -> str:
    if not isinstance(value, str) or not DECIMAL.match(value):
        raise bad_parameter(f"Invalid decimal: {_shown(value)}", name)
    return value


def _boolean(value: Any, name: str) -> bool:
    if value not in ("true", "false"):
        raise _empty(name) if value == UNSET else bad_parameter(f"Invalid boolean: {_shown(value)}", name)
    return value == "true"


def _anything(value: Any, name: str) -> Any:
    return value


def _empty(name: str) -> Exception:
    return bad_parameter(
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
        f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty value.",
        name,
        "parameter_invalid_empty",
    )


def _inside(name: str, key: str) -> str:
    return f"{name}[{key}]" if name else key


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:200] + "..."
