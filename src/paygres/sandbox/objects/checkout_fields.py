"""What a shop adds to the page of a checkout session: fields of its own, which buyers fill in, and texts."""

import re
from typing import Any

from paygres.sandbox.objects.routes import Params
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, missing_parameter

MOST, LONGEST = 3, 255
KEY = re.compile(r"[A-Za-z0-9]{1,200}\Z")
RULES = ("default_value", "maximum_length", "minimum_length")


def made(params: Params) -> list[Object]:
    """The `custom_fields` of a new session, not filled in."""
    given: list[Params] = params.get("custom_fields") or []
    if len(given) > MOST:
        raise Refusal(f"You can only pass up to {MOST} custom fields.", param="custom_fields")
    keys = [one["key"] for one in given]
    for place, key in enumerate(keys):
        if not KEY.match(key) or key in keys[:place]:
            raise Refusal(
                "The key of a custom field must be alphanumeric, and unique among them.",
                param=f"custom_fields[{place}][key]",
            )
    return [_field(one, f"custom_fields[{place}]") for place, one in enumerate(given)]


def texts(params: Params) -> Object:
    """The `custom_text` of a new session."""
    given: Params = params.get("custom_text") or {}
    return {place: {"message": text["message"]} for place, text in given.items() if text}


def filled(session: Object, typed: dict[str, str]) -> tuple[list[Object], tuple[str, str] | None]:
    """The fields with what was typed as `custom_<key>`, and (sentence, key) of the first one that is wrong."""
    found: list[Object] = []
    wrong: tuple[str, str] | None = None
    for field in session["custom_fields"]:
        kind, key, label = field["type"], field["key"], field["label"]["custom"]
        value = typed.get(f"custom_{key}", "").strip()
        rules: Object = field[kind]
        sentence = None
        if not value:
            sentence = None if field["optional"] else f"{label} is missing."
        elif kind == "dropdown":
            choices = [one["value"] for one in rules["options"]]
            sentence = None if value in choices else f"{label} is none of the choices."
        elif kind == "numeric" and not (value.isascii() and value.isdigit()):
            sentence = f"{label} must be a number."
        elif not (rules["minimum_length"] or 0) <= len(value) <= (rules["maximum_length"] or LONGEST):
            sentence = f"{label} is too {'long' if len(value) > (rules['minimum_length'] or 0) else 'short'}."
        if sentence is not None and wrong is None:
            wrong = sentence, key
        found.append({**field, kind: {**rules, "value": value or None}})
    return found, wrong


def _field(given: Params, place: str) -> Object:
    kind = given["type"]
    rules: dict[str, Any] = given.get(kind, {})
    if kind == "dropdown":
        if not rules.get("options"):
            raise missing_parameter(f"{place}[dropdown]")
        more: Object = {"default_value": rules.get("default_value"), "options": rules["options"], "value": None}
    else:
        more = {**{name: rules.get(name) for name in RULES}, "value": None}
    label = {"custom": given["label"]["custom"], "type": "custom"}
    return {"key": given["key"], "label": label, "optional": given.get("optional", False), "type": kind, kind: more}
