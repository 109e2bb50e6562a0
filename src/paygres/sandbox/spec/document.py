"""The derived schema file in memory: read once at the start of the process (about 30 ms), then looked up."""

import gzip
from functools import cache
from pathlib import Path
from typing import Any

import orjson

Schema = dict[str, Any]

VERSION = "2026-05-27.dahlia"
FILE = Path(__file__).with_name("stripe-2026-05-27.json.gz")


@cache
def document() -> Schema:
    return orjson.loads(gzip.decompress(FILE.read_bytes()))


def definitions() -> dict[str, Schema]:
    return document()["definitions"]


def operations() -> dict[str, Schema]:
    return document()["operations"]


def resolve(schema: Schema) -> Schema:
    """The schema itself, or the definition it refers to."""
    reference = schema.get("$ref")
    return definitions()[reference.rsplit("/", 1)[1]] if reference else schema


def properties_of(schema: Schema) -> dict[str, Schema]:
    return resolve(schema).get("properties", {})


def one_of(schema: Schema, value: dict[str, Any]) -> Schema | None:
    """The object schema that describes `value` where the published schema leaves a choice: the only one there is,
    or the one whose `object` names the value's (and whose `deleted` agrees). None when there is no object schema."""
    choices = _choices(schema)
    if len(choices) <= 1:
        return choices[0] if choices else None
    named = [one for one in choices if value.get("object") in one["properties"].get("object", {}).get("enum", ())]
    for choice in named:
        if ("deleted" in choice["properties"]) == bool(value.get("deleted")):
            return choice
    return named[0] if named else None


def leaves_choice(schema: Schema) -> bool:
    """Whether `one_of` has to look at the value."""
    return len(_choices(schema)) > 1


def _choices(schema: Schema) -> list[Schema]:
    return [one for one in map(resolve, schema.get("anyOf", [schema])) if "properties" in one]
