"""Words for what is wrong with a body or a query: `path: reason`, joined by commas, in the words clients know.
A wrong type silences the rules between fields; a wrong length or an unknown key does not."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from paygres.server.errors import InvalidRequest
from paygres.server.flows.requests.fields import Body

ENVIRONMENTS = ("test", "live")
_B = TypeVar("_B", bound=Body)
# After these faults the object still counts as well-formed, and the rules between fields are told too.
_MILD = frozenset({"rule", "extra_forbidden", "too_short", "too_long"})
_EXPECTED = {
    "string_type": "string",
    "int_type": "number",
    "int_from_float": "number",
    "float_type": "number",
    "bool_type": "boolean",
    "list_type": "array",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
}
_MOST_ISSUES = 20
_LONGEST_ECHO = 100
_MOST_PARAMETERS = 1000


def parse(model: type[_B], fields: Any) -> _B:
    """The body as `model`; raises InvalidRequest that names every fault (the first twenty)."""
    if not isinstance(fields, dict):
        raise InvalidRequest(f"(root): Expected object, received {_type_name(fields)}")
    try:
        body = model.model_validate(fields, by_alias=True, by_name=False)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        issues = _issues(faults)
        if all(fault["type"] in _MILD for fault in faults):
            issues += [f"{path}: {text}" for path, text in model.between_fields(fields)]
        raise _invalid(issues) from None
    broken = model.between_fields(fields)
    if broken:
        raise _invalid([f"{path}: {text}" for path, text in broken])
    return body


def parse_query(model: type[_B], request: Request) -> _B:
    """The query parameters as `model`; raises InvalidRequest. A parameter given twice is an array, as is `name[]`."""
    return parse(model, _parameters(request.scope["query_string"].decode("latin-1")))


def environment_of(path_params: Mapping[str, str]) -> str:
    """`test` or `live` from the path; raises InvalidRequest."""
    environment = path_params.get("environment", "")
    if environment not in ENVIRONMENTS:
        raise InvalidRequest(f"environment: {_not_one_of(ENVIRONMENTS, environment)}")
    return environment


def _parameters(query: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise InvalidRequest(f"(root): More than {_MOST_PARAMETERS} query parameters") from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        if "\x00" in name or "\x00" in value:
            raise InvalidRequest(f"{_short(name.replace(chr(0), ''))}: String must not contain the NUL character")
        root, bracket, inner = name.partition("[")
        if not root or not bracket:
            root, part = name, value
        else:
            index = inner.partition("]")[0]
            part = [value] if not index or index.isdecimal() else {index: value}
        if root in found:
            part = [*_several(found[root]), *_several(part)]
        found[root] = part
    return found


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _invalid(issues: list[str]) -> InvalidRequest:
    shown = issues[:_MOST_ISSUES]
    if len(issues) > len(shown):
        shown.append(f"and {len(issues) - len(shown)} more")
    return InvalidRequest(", ".join(shown))


def _issues(faults: Sequence[ErrorDetails]) -> list[str]:
    issues: list[str] = []
    unknown: dict[tuple[int | str, ...], list[str]] = {}
    unknown_at: dict[tuple[int | str, ...], int] = {}
    for fault in faults:
        where = fault["loc"]
        if fault["type"] == "extra_forbidden":
            keys = unknown.setdefault(where[:-1], [])
            if not keys:
                unknown_at[where[:-1]] = len(issues)
                issues.append("")
            keys.append(str(where[-1]))
        else:
            issues += [f"{_path(where)}: {text}" for text in (_text(fault), *_more(fault))]
    for where, keys in unknown.items():
        named = ", ".join(f"'{_short(key)}'" for key in keys[:_MOST_ISSUES])
        issues[unknown_at[where]] = f"{_path(where)}: Unrecognized key(s) in object: {named}"
    return issues


def _path(where: tuple[int | str, ...]) -> str:
    return ".".join(_short(str(part)) for part in where) or "(root)"


def _text(fault: ErrorDetails) -> str:
    kind, value, context = fault["type"], fault["input"], fault.get("ctx", {})
    if kind in ("rule", "type"):
        return context["text"]
    if kind == "missing":
        return "Required"
    if kind == "literal_error":
        allowed = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
        if isinstance(value, str):
            return _not_one_of(allowed, value)
        return f"Expected {_alternatives(allowed)}, received {_type_name(value)}"
    if kind == "too_short":
        return f"Array must contain at least {context['min_length']} element(s)"
    if kind == "too_long":
        return f"Array must contain at most {context['max_length']} element(s)"
    expected = _EXPECTED.get(kind)
    return f"Expected {expected}, received {_type_name(value)}" if expected else "Invalid input"


def _more(fault: ErrorDetails) -> tuple[str, ...]:
    """What else one value breaks."""
    return fault.get("ctx", {}).get("more", ())


def _not_one_of(allowed: Sequence[str], received: str) -> str:
    return f"Invalid enum value. Expected {_alternatives(allowed)}, received '{_short(received)}'"


def _alternatives(allowed: Sequence[str]) -> str:
    return " | ".join(f"'{word}'" for word in allowed)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}…"


def _type_name(value: Any) -> str:
    """JavaScript's word for a JSON value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
