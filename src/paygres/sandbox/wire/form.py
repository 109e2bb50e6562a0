"""Stripe's nested form encoding: `a[b][c]=1`, `a[0][b]=1` and `a[]=1` become nested dicts of strings.
Lists stay dicts with their indices as keys until the parameter's schema says that they are lists."""

from typing import Any
from urllib.parse import unquote

from paygres.sandbox.wire.errors import Refusal

Form = dict[str, Any]

MAX_DEPTH = 12
MAX_FIELDS = 4000


def decode(encoded: bytes) -> Form:
    """The decoded form. A name used both as a value and as a hash is refused, as is text that is not UTF-8."""
    form: Form = {}
    if not encoded:
        return form
    pairs = encoded.split(b"&")
    if len(pairs) > MAX_FIELDS:
        raise Refusal(f"A request can have up to {MAX_FIELDS} parameters.", stored=False)
    for pair in pairs:
        if not pair:
            continue
        encoded_name, _, encoded_value = pair.partition(b"=")
        name, value = _decoded(encoded_name), _decoded(encoded_value)
        if "\x00" in value or "\x00" in name:
            raise Refusal("Invalid string: null bytes are not allowed.", stored=False)
        if "[" in name:
            _put(form, name, value)
        elif isinstance(form.get(name), dict):
            raise _mixed(name)
        else:
            form[name] = value
    return form


def _decoded(encoded: bytes) -> str:
    try:
        text = encoded.decode("ascii")
        if "+" in text:
            text = text.replace("+", " ")
        if "%" in text:
            # The brackets of names are most of what clients escape.
            text = text.replace("%5B", "[").replace("%5D", "]")
        return unquote(text, errors="strict") if "%" in text else text
    except UnicodeDecodeError:
        raise Refusal("Invalid form encoding: the body must be URL-encoded UTF-8.", stored=False) from None


def _put(form: Form, name: str, value: str) -> None:
    first, *rest = name.split("[", MAX_DEPTH)
    if not all(part.endswith("]") for part in rest):
        raise Refusal(f"Invalid parameter name: {name}", stored=False)
    place, key = form, first
    for number, part in enumerate(rest):
        inner = place.setdefault(key, {})
        if not isinstance(inner, dict):
            raise _mixed(name)
        place, key = inner, part[:-1] or _next_index(inner, [step[:-1] for step in rest[number + 1 :]])
    if isinstance(place.get(key), dict):
        raise _mixed(name)
    place[key] = value


def _next_index(listed: Form, rest: list[str]) -> str:
    """Where `a[]` puts its value: at the end. Of `a[][b]=1&a[][c]=2`, the second goes into the first's hash, until a
    name comes a second time."""
    last = listed.get(str(len(listed) - 1))
    if rest and isinstance(last, dict) and not _has(last, rest):
        return str(len(listed) - 1)
    return str(len(listed))


def _has(place: Any, steps: list[str]) -> bool:
    for step in steps:
        # An empty one is one more of a list within, whatever is there.
        if not step or not isinstance(place, dict) or step not in place:
            return False
        place = place[step]
    return True


def check_content_type(content_type: str) -> None:
    """Raises Stripe's refusal of a body that is no form. `content_type` may be empty: then it is taken for one."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in ("", "application/x-www-form-urlencoded"):
        raise Refusal(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any "
            "questions, we can help at https://support.stripe.com/.",
            stored=False,
        )


def _mixed(name: str) -> Refusal:
    return Refusal(f"Invalid object: {name} is sent both as a value and as a hash.", param=name, stored=False)
