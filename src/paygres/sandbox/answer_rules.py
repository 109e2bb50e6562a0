"""Rules for the next answers of a path, the exact kind of fault: how many requests, or which share of them, wait, are
refused, or lose their connection, before the work or after it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

METHODS = ("GET", "POST", "DELETE")
CONNECTIONS = ("reset", "reset_in_body", "truncate")
CODES = ("rate_limit", "lock_timeout")
SHAPE = (
    "a rule is an object with some of `status` (400 to 599), `wait` (seconds), `connection` "
    f"({', '.join(CONNECTIONS)}), `count`, `share` (0 to 1), `path`, `method` ({', '.join(METHODS)}), `after` (true or "
    f"false), `should_retry` (true or false) and `code` ({', '.join(CODES)})"
)


@dataclass(slots=True)
class AnswerRule:
    """Of the next `count` requests (None: of all) whose path starts with `path` and that have the method, if one is
    given, `share` meet it: they wait for `wait` seconds, and then are refused with `status` or lose their connection,
    if either is given. `after`: the work is done first. `should_retry` is sent as Stripe-Should-Retry."""

    status: int | None = None
    wait: float = 0.0
    connection: str | None = None
    count: int | None = 1
    share: float = 1.0
    path: str = "/v1/"
    method: str | None = None
    after: bool = False
    should_retry: bool | None = None
    code: str | None = None

    def fits(self, method: str, path: str) -> bool:
        return self.count != 0 and path.startswith(self.path) and self.method in (None, method)

    def spend(self) -> None:
        if self.count is not None:
            self.count -= 1

    def shown(self) -> dict[str, Any]:
        return asdict(self)


def read_rules(value: Any) -> list[AnswerRule]:
    """The rules of a JSON list; raises ValueError with a sentence."""
    if not isinstance(value, list):
        raise ValueError(f"`answers` is a list of rules; {SHAPE}")
    return [_read(one) for one in value]


def _read(given: Any) -> AnswerRule:
    if not isinstance(given, dict) or given.keys() - AnswerRule.__dataclass_fields__.keys():
        raise ValueError(f"`answers`: {SHAPE}, not {given!r}")
    rule = AnswerRule(**given)
    if rule.connection in ("reset_in_body", "truncate"):
        if given.get("after") is False:
            raise ValueError("`answers`: there is no answer to break off before the work is done")
        rule.after = True
    # One request takes one, unless the rule is a share of all.
    if "share" in given and "count" not in given:
        rule.count = None
    if not _can_be(rule.shown()):
        raise ValueError(f"`answers`: {SHAPE}, not {given!r}")
    return rule


def _can_be(rule: Mapping[str, Any]) -> bool:
    status, count = rule["status"], rule["count"]
    return (
        (status is None or (_is_whole(status) and 400 <= status <= 599))
        and _is_number(rule["wait"], 3600)
        and rule["connection"] in (None, *CONNECTIONS)
        and (count is None or (_is_whole(count) and count >= 0))
        and _is_number(rule["share"], 1)
        and isinstance(rule["path"], str)
        and rule["method"] in (None, *METHODS)
        and isinstance(rule["after"], bool)
        and rule["should_retry"] in (None, True, False)
        and rule["code"] in (None, *CODES)
        and (status is not None or rule["connection"] is not None or rule["wait"] > 0)
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
