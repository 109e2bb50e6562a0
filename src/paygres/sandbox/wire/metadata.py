"""Metadata rules: 50 keys, 40 and 500 characters; an update merges, an empty value unsets its key, and an empty
`metadata` unsets all."""

from typing import Any

from paygres.sandbox.wire.errors import Refusal

MAX_KEYS = 50
MAX_KEY = 40
MAX_VALUE = 500


def merged(present: dict[str, str], given: dict[str, str] | str | None, name: str = "metadata") -> dict[str, str]:
    """The metadata after an update with `given` (None: not sent)."""
    if given is None:
        return present
    if isinstance(given, str):
        return {}
    for key, value in given.items():
        if len(key) > MAX_KEY:
            raise _refused(
                f"Metadata keys can have up to {MAX_KEY} characters, but you passed in a key that is {len(key)} "
                f"characters. Invalid key: {key}",
                name,
            )
        if not key or "[" in key or "]" in key:
            raise _refused(f"Metadata keys cannot be empty or contain square brackets. Invalid key: {key}", name)
        if len(value) > MAX_VALUE:
            raise _refused(
                f"Metadata values can have up to {MAX_VALUE} characters, but you passed in a value that is "
                f"{len(value)} characters. Invalid value: {value}",
                f"{name}[{key}]",
            )
    result = {**present, **given}
    result = {key: value for key, value in result.items() if value != ""}
    if len(result) > MAX_KEYS:
        raise _refused(
            f"Metadata can have up to {MAX_KEYS} keys, but you passed in a hash with {len(result)} keys.", name
        )
    return result


def _refused(message: str, param: str) -> Refusal:
    return Refusal(message, param=param, stored=False)


def from_params(params: dict[str, Any], name: str = "metadata") -> dict[str, str]:
    """The metadata of a new object."""
    return merged({}, params.get("metadata"), name)
