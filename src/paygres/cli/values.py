"""How the values of options are read: strictly, so that a typo is refused instead of sent."""

import json
import re

from paygres.cli.failure import Misused


def boolean(text: str) -> bool:
    """`true` or `false`, in any case."""
    try:
        return {"true": True, "false": False}[text.strip().lower()]
    except KeyError:
        raise Misused(f'Expected "true" or "false", got "{text}".') from None


def integer(text: str) -> int:
    """Decimal digits, not negative."""
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise Misused(f'Expected a whole number, got "{text}".')
    return int(text)


def positive(text: str) -> int:
    """1 or more."""
    if (number := integer(text)) < 1:
        raise Misused(f'Expected a number of at least 1, got "{text}".')
    return number


def limit(text: str) -> int:
    """1 to 100, the most that one list holds."""
    if not 1 <= (number := integer(text)) <= 100:
        raise Misused(f'--limit must be from 1 to 100, got "{text}".')
    return number


def seconds(text: str) -> float:
    """A time in seconds, over 0."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text) or float(text) <= 0:
        raise Misused(f'--timeout must be a number of seconds, got "{text}".')
    return float(text)


def metadata(text: str) -> dict[str, str]:
    """A JSON object of strings."""
    try:
        found: object = json.loads(text)
    except ValueError:
        raise Misused('--metadata must be a JSON object like {"plan":"pro"}.') from None
    if not isinstance(found, dict):
        raise Misused('--metadata must be a JSON object like {"plan":"pro"}.')
    pairs: dict[str, str] = {}
    for name, value in found.items():
        if not isinstance(value, str):
            raise Misused(f'Metadata value for "{name}" must be a string.')
        pairs[str(name)] = value
    return pairs


class Null:
    """What `null` on the command line stands for, told apart from an option that was not given."""


NULL = Null()


def text_or_null(text: str) -> str | Null:
    """The text; the word `null` clears the field."""
    return NULL if text == "null" else text


def identifier(text: str) -> str:
    """An id that can be one segment of a path."""
    if text.strip() in ("", ".", ".."):
        raise Misused(f'"{text}" is not an id.')
    return text.strip()


def given(**values: object) -> dict[str, object]:
    """The fields of a request body: what was not given (None) is left out, NULL becomes null."""
    return {name: None if value is NULL else value for name, value in values.items() if value is not None}
