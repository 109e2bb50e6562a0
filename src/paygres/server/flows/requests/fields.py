"""What bodies are built from: unknown keys are refused, strings are trimmed first, lengths count UTF-16 units
(what a JavaScript client counts). http/validation.py words their errors."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError, Url, core_schema

# What JavaScript's String.trim() removes; Python's strip() removes another set.
_JS_SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_EMAIL = re.compile(
    r"(?!\.)(?!.*\.\.)[A-Z0-9_'+\-.]*[A-Z0-9_+-]@(?:[A-Z0-9][A-Z0-9\-]*\.)+[A-Z]{2,}",
    re.IGNORECASE | re.ASCII,
)
RESERVED_METADATA = "insforge_"

CrossField = tuple[str, str]
"""A rule between fields that does not hold: (path, text)."""


def wrong(text: str, *more: str) -> PydanticCustomError:
    """A value of the right type that breaks a rule, or several; rules between fields are still told beside it."""
    return PydanticCustomError("rule", "{text}", {"text": text, "more": more})


def utf16(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) + sum(1 for c in text if c > "\uffff") if not text.isascii() else len(text)


@dataclass(frozen=True, slots=True)
class Length:
    """Bounds in UTF-16 units, with the text for each end."""

    least: int
    most: int | None = None
    short: str | None = None
    long: str | None = None

    def __get_pydantic_core_schema__(self, source: object, of: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, of(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, of: GetJsonSchemaHandler) -> dict[str, Any]:
        most = {} if self.most is None else {"maxLength": self.most}
        return {**of(schema), "minLength": self.least, **most}

    def _check(self, text: str) -> str:
        length = utf16(text)
        if length < self.least:
            raise wrong(self.short or f"String must contain at least {self.least} character(s)")
        if self.most is not None and length > self.most:
            raise wrong(self.long or f"String must contain at most {self.most} character(s)")
        return text


def trim(text: str) -> str:
    return text.strip(_JS_SPACE)


def url(complaint: str) -> AfterValidator:
    def check(text: str) -> str:
        try:
            Url(text)  # the WHATWG parser: any scheme; the original text is kept, placeholders survive
        except ValueError:
            raise wrong(complaint) from None
        return text

    return AfterValidator(check)


def email(text: str) -> str:
    if _EMAIL.fullmatch(text) is None:
        raise wrong("Invalid email")
    return text


@dataclass(frozen=True, slots=True)
class NotNull:
    """Annotates `T | None = None`: the field may be absent, never JSON null."""

    expected: str

    def __get_pydantic_core_schema__(self, source: object, of: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, of(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, of: GetJsonSchemaHandler) -> dict[str, Any]:
        alternatives = of(schema).get("anyOf", [])
        return next((one for one in alternatives if one.get("type") != "null"), {})

    def _check(self, value: object) -> object:
        if value is None:
            raise PydanticCustomError("type", "{text}", {"text": f"Expected {self.expected}, received null"})
        return value


def whole(value: object) -> object:
    """JSON has one kind of number: 2.0 is the integer 2."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, float):
        raise wrong("Expected integer, received float")
    return value


def between(least_exclusive: int, most: int) -> AfterValidator:
    def check(value: int) -> int:
        if value <= least_exclusive:
            raise wrong(f"Number must be greater than {least_exclusive}")
        if value > most:
            raise wrong(f"Number must be less than or equal to {most}")
        return value

    return AfterValidator(check)


Trimmed = Annotated[str, AfterValidator(trim)]
IdempotencyKey = Annotated[
    Trimmed,
    Length(1, 200, short="Idempotency key is required", long="Idempotency key must be 200 characters or fewer"),
]


class Body(BaseModel):
    """A strict request body: camelCase on the wire, snake_case here."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )

    @classmethod
    def between_fields(cls, body: Mapping[str, JsonValue]) -> list[CrossField]:
        """Rules between fields, checked on the raw body when every type in it is right."""
        return []


class Subject(Body):
    """Whom a payment is for: `type` 1 to 100, `id` 1 to 255 UTF-16 units, trimmed."""

    type: Annotated[Trimmed, Length(1, 100)]
    id: Annotated[Trimmed, Length(1, 255)]
