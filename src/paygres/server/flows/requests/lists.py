"""Query parameters of lists (contract 1.5.7; cursor pages are ours)."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, JsonValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from paygres.server.flows.requests.fields import Body, CrossField, Length, Trimmed, trim, wrong

_DECIMAL = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|Infinity)", re.ASCII)
_OF_RADIX = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def js_number(value: object) -> float:
    """What JavaScript's `Number()` makes of a query parameter; NaN when it is no number."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else math.nan
    if not isinstance(value, str):
        return math.nan
    text = trim(value)
    if not text:
        return 0.0
    if _OF_RADIX.fullmatch(text):
        return float(min(int(text, 0), 2**64))
    return float(text) if _DECIMAL.fullmatch(text) else math.nan


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number between two bounds, written as JavaScript reads one (`7`, `1e1`, `0x10`)."""

    least: int
    most: int

    def __get_pydantic_core_schema__(self, source: object, of: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._read, of(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, of: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def _read(self, value: object) -> int:
        number = js_number(value)
        if math.isnan(number):
            raise PydanticCustomError("type", "{text}", {"text": "Expected number, received nan"})
        faults: list[str] = []
        if not number.is_integer():
            faults.append("Expected integer, received float")
        if number < self.least:
            faults.append(f"Number must be greater than or equal to {self.least}")
        if number > self.most:
            faults.append(f"Number must be less than or equal to {self.most}")
        if faults:
            raise wrong(*faults)
        return int(number)


def _moment(value: object) -> object:
    """ISO 8601, a day or a time of it; without an offset it is UTC."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(trim(value))
    except ValueError:
        raise wrong("Expected a date or time in ISO 8601, such as 2026-05-01 or 2026-05-01T09:00:00Z") from None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise wrong("Expected a time between the years 1 and 9999") from None


def _flag(value: object) -> object:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise wrong("Expected 'true' | 'false'")
        return value == "true"
    return value


Moment = Annotated[datetime, BeforeValidator(_moment, json_schema_input_type=str)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Word = Annotated[Trimmed, Length(1, 255)]
Currency = Annotated[Trimmed, Length(3, 3), AfterValidator(str.lower)]
Order = Literal["-created", "created"]
BY_ADDRESS = "email"


def subject_pair(query: Mapping[str, JsonValue]) -> list[CrossField]:
    """What is wrong when only one half of a subject was given."""
    if ("subjectType" in query) == ("subjectId" in query):
        return []
    return [("(root)", "subjectType and subjectId must be provided together")]


class LimitQuery(Body):
    """A compatible list's `limit`; without paging."""

    limit: Annotated[int, Count(1, 100)] = 50


class SubjectLimitQuery(LimitQuery):
    """A compatible list, of one subject when both halves are there."""

    subject_type: Annotated[Trimmed, Length(1, 100)] | None = None
    subject_id: Annotated[Trimmed, Length(1, 255)] | None = None

    @classmethod
    def between_fields(cls, body: Mapping[str, JsonValue]) -> list[CrossField]:
        return subject_pair(body)


class PageQuery(Body):
    """One page of a list. `cursor` is the `nextCursor` of the page before; `format=csv` sends all rows at once."""

    limit: Annotated[int, Count(1, 100)] = 50
    cursor: Annotated[str, Length(1, 500)] | None = None
    sort: Order = "-created"
    format: Literal["json", "csv"] | None = None
    since: Annotated[Moment | None, Field(alias="from", description="created at or after")] = None
    until: Annotated[Moment | None, Field(alias="to", description="created before")] = None

    @property
    def order(self) -> str:
        """What the rows are sorted by. A cursor holds for one order only."""
        return self.sort


class SubjectPageQuery(PageQuery):
    """A page, of one subject when both halves are there."""

    """A page of a list, of one subject when both halves are there."""

    subject_type: Annotated[Trimmed, Length(1, 100)] | None = None
    subject_id: Annotated[Trimmed, Length(1, 255)] | None = None

    @classmethod
    def between_fields(cls, body: Mapping[str, JsonValue]) -> list[CrossField]:
        return subject_pair(body)


def subject_of(query: SubjectLimitQuery | SubjectPageQuery) -> tuple[str, str] | None:
    """(type, id) of the subject the query names."""
    if query.subject_type is None or query.subject_id is None:
        return None
    return query.subject_type, query.subject_id


class TransactionsQuery(SubjectPageQuery):
    """`q` is a whole id (of the payment, refund, invoice, charge, session or customer) or a whole e-mail address."""

    status: Literal["succeeded", "failed", "pending", "refunded", "partially_refunded"] | None = None
    type: Literal["one_time_payment", "subscription_invoice", "refund", "failed_payment"] | None = None
    customer_id: Word | None = None
    currency: Currency | None = None
    q: Word | None = None


class SubscriptionsQuery(SubjectPageQuery):
    """`status` is Stripe's word."""

    status: Word | None = None
    customer_id: Word | None = None
    price_id: Word | None = None


class CustomersQuery(PageQuery):
    """`email` is a whole address, or its beginning when it ends in `*`: those come by address."""

    email: Word | None = None
    deleted: Flag | None = None

    @property
    def email_begins(self) -> str | None:
        """The beginning of the wanted addresses."""
        return self.email[:-1] if self.email is not None and self.email.endswith("*") else None

    @property
    def order(self) -> str:
        return self.sort if self.email_begins is None else BY_ADDRESS
