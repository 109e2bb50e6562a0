"""Parameters as Stripe reads them: a form in which what is nested has a name like `line_items[0][price]`."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")


def form(params: Mapping[str, Any]) -> str:
    """`application/x-www-form-urlencoded`: None leaves a name out, "" unsets it, lists are numbered from 0."""
    pairs: list[str] = []
    for name, value in params.items():
        _add(pairs, _escaped(name), value)
    return "&".join(pairs)


def _add(pairs: list[str], name: str, value: Any) -> None:
    if isinstance(value, str):
        pairs.append(f"{name}={_escaped(value)}")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _add(pairs, f"{name}[{_escaped(str(key))}]", inner)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            _add(pairs, f"{name}[{number}]", inner)
    elif isinstance(value, bool):
        pairs.append(f"{name}={'true' if value else 'false'}")
    elif value is not None:
        pairs.append(f"{name}={_escaped(str(value))}")


def _escaped(text: str) -> str:
    # Most names and ids need nothing; brackets are Stripe's own separators, in names that arrive ready made.
    return text if _PLAIN.fullmatch(text) else quote_plus(text, safe="[]")
