"""How an answer is compared with a recorded one: status, code, keys in their order, types, words that name a state.

No difference: ids, times and texts of people; `null` against a string of the same field; an empty list against a
filled one. A message is compared by its form, the paths of `path: reason, …`; where it is no list of faults and not
Stripe's or the JSON parser's own text, literally.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

# Additive fields of ours by their place (`N`: a number in a list), and what allows each.
ADDED = {
    "requestId": "appendix A2: the one field that errors have beside the contract's",
    "nextActions": "1.2, A2: optional in every error; ours say what to do in more places",
    "keys.N.hasKey": "0.2, Stripe keys in …/config",
    "keys.N.maskedKey": "0.2, Stripe keys in …/config",
    "connections.N.webhookHealth": "0.2, extension routes: below /api/payments/* only additive fields appear",
    "results.N.connection.webhookHealth": "0.2, as above",
    "connections.N.eventSweep": "0.2, as above",
    "results.N.connection.eventSweep": "0.2, as above",
}
# Fields whose value is part of the behavior; everything else is an id, a time, a number or somebody's text.
STATES = frozenset(
    (
        "environment",
        "mode",
        "status",
        "paymentStatus",
        "received",
        "handled",
        "processingStatus",
        "attemptCount",
        "eventType",
        "objectType",
        "livemode",
        "active",
        "type",
        "currency",
        "taxBehavior",
        "billingScheme",
        "recurringInterval",
        "subjectType",
        "lastSyncStatus",
    )
)
FREE_MAPS = frozenset({"metadata", "lastSyncCounts"})  # keys of developers, or of what was counted
_FAULT = re.compile(r"(?:^|, )((?:\(root\)|[A-Za-z][\w.]*)): ")
_PATTERNS = {
    "<ts>": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "<jwt>": re.compile(r"[\w-]+\.[\w-]+\.[\w-]+"),
    "<csrf>": re.compile(r"[0-9a-f]{64}"),
    "<uuid>": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}


def differences(expected_status: int, expected: Any, status: int, body: Any) -> list[str]:
    """One line for each difference, empty when there is none."""
    found = [] if status == expected_status else [f"status {expected_status} -> {status}"]
    if status >= 400 and expected_status >= 400:
        return [*found, *_of_errors(expected, body)]
    if (status >= 400) != (expected_status >= 400):
        return found
    return [*found, *_of_values(expected, body, "", in_list=False)]


def _of_errors(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    if expected["error"] != found["error"]:
        yield f"error {expected['error']} -> {found['error']}"
    yield from _of_keys(expected, found, "")
    if expected["error"] == "INVALID_INPUT":
        wanted, ours = (_FAULT.findall(body["message"]) for body in (expected, found))
        if wanted != ours:
            yield f"faults of {wanted} -> {ours}"
    elif expected["error"] == found["error"] != "UPSTREAM_FAILURE" and expected["message"] != found["message"]:
        yield f"message {expected['message']} -> {found['message']}"


def _of_keys(expected: Mapping[str, Any], found: Mapping[str, Any], at: str) -> Iterator[str]:
    yield from (f"{at}{key} is missing" for key in expected if key not in found)
    place = re.sub(r"\d+", "N", at)
    yield from (f"{at}{key} is added" for key in found if key not in expected and f"{place}{key}" not in ADDED)
    ours = [key for key in found if key in expected]
    if ours != [key for key in expected if key in found]:
        yield f"{at}keys in another order: {', '.join(ours)}"


def _of_values(expected: Any, found: Any, at: str, *, in_list: bool) -> Iterator[str]:
    """`in_list`: rows of another history than ours, so only their shape is compared."""
    if isinstance(expected, dict) and isinstance(found, dict):
        if at.rpartition(".")[2] in FREE_MAPS:
            return
        yield from _of_keys(expected, found, f"{at}." if at else "")
        for key in expected:
            if key in found:
                yield from _of_values(expected[key], found[key], f"{at}.{key}" if at else key, in_list=in_list)
    elif isinstance(expected, list) and isinstance(found, list):
        yield from _of_lists(expected, found, at)
    elif _kind(expected) != _kind(found):
        if {_kind(expected), _kind(found)} != {"null", "string"}:
            yield f"{at}: {_kind(expected)} -> {_kind(found)}"
        elif not in_list:
            yield from _of_words(expected, found, at)
    elif not in_list:
        yield from _of_words(expected, found, at)
    elif isinstance(expected, str) and not _fits(expected, found):
        yield f"{at}: {found} is no {expected}"


def _of_lists(expected: list[Any], found: list[Any], at: str) -> Iterator[str]:
    """`results`, `connections` and `keys` are one of each environment; other lists are rows."""
    if at in ("results", "connections", "keys") and len(expected) == len(found):
        for number, (one, ours) in enumerate(zip(expected, found, strict=True)):
            yield from _of_values(one, ours, f"{at}.{number}", in_list=False)
        return
    for ours in found if expected else ():
        candidates = [list(_of_values(one, ours, at, in_list=True)) for one in expected]
        yield from min(candidates, key=len)


def _of_words(expected: Any, found: Any, at: str) -> Iterator[str]:
    if at.rpartition(".")[2] in STATES:
        if expected != found:
            yield f"{at}: {expected} -> {found}"
    elif isinstance(expected, str) and isinstance(found, str) and not _fits(expected, found):
        yield f"{at}: {found} is no {expected}"


def _fits(expected: str, found: str) -> bool:
    pattern = _PATTERNS.get(re.sub(r"^<uuid:\d+>$", "<uuid>", expected))
    return pattern is None or pattern.fullmatch(found) is not None


def _kind(value: Any) -> str:
    for kind, name in ((bool, "boolean"), (int | float, "number"), (str, "string"), (list, "list"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return "null"
