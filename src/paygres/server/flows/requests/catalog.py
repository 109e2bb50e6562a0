"""Bodies about products and prices (contract 1.5.3 to 1.5.6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, JsonValue
from pydantic_core import CoreSchema, core_schema

from paygres.server.flows.requests.fields import (
    Body,
    CrossField,
    IdempotencyKey,
    Length,
    NotNull,
    Trimmed,
    wrong,
)

_TAX_WORDS = "'exclusive' | 'inclusive' | 'unspecified'"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, 2.0 included, of at least `least`; every fault is told."""

    least: int
    complaint: str

    def __get_pydantic_core_schema__(self, source: object, of: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, of(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, of: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**of(schema), "minimum": self.least}

    def _check(self, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        faults: list[str] = []
        if isinstance(value, float) and not value.is_integer():
            faults.append("Expected integer, received float")
        if value < self.least:
            faults.append(self.complaint)
        if faults:
            raise wrong(*faults)
        return int(value)


def _currency(text: str) -> str:
    if len(text) != 3:
        raise wrong("Currency must be a three-letter ISO currency code")
    return text.lower()


Name = Annotated[Trimmed, Length(1, short="Product name is required")]
Description = Annotated[Trimmed, Length(0, 5000)]
LookupKey = Annotated[Trimmed, Length(1, 200)]
Active = Annotated[bool | None, NotNull("boolean")]
Metadata = Annotated[dict[str, str] | None, NotNull("object")]
TaxBehavior = Annotated[Literal["exclusive", "inclusive", "unspecified"] | None, NotNull(_TAX_WORDS)]
Key = Annotated[IdempotencyKey | None, NotNull("string")]


class CreateProductRequest(Body):
    """POST …/catalog/products."""

    name: Name
    description: Description | None = None
    active: Active = None
    metadata: Metadata = None
    idempotency_key: Key = None


class UpdateProductRequest(Body):
    """PATCH …/catalog/products/{productId}: at least one field. A description of null or "" is taken away."""

    name: Annotated[Name | None, NotNull("string")] = None
    description: Description | None = None
    active: Active = None
    metadata: Metadata = None

    @classmethod
    def between_fields(cls, body: Mapping[str, JsonValue]) -> list[CrossField]:
        return _at_least_one(cls, body, "At least one product field is required")


class Recurring(Body):
    """How often a recurring price is charged: every `intervalCount` (1 when missing) intervals."""

    interval: Literal["day", "week", "month", "year"]
    interval_count: Annotated[int | None, Whole(1, "Number must be greater than 0"), NotNull("number")] = None


class CreatePriceRequest(Body):
    """POST …/catalog/prices. `unitAmount` is in minor units of `currency`."""

    product_id: Annotated[Trimmed, Length(1)]
    currency: Annotated[Trimmed, AfterValidator(_currency)]
    unit_amount: Annotated[int, Whole(0, "Number must be greater than or equal to 0")]
    lookup_key: LookupKey | None = None
    active: Active = None
    recurring: Annotated[Recurring | None, NotNull("object")] = None
    tax_behavior: TaxBehavior = None
    metadata: Metadata = None
    idempotency_key: Key = None


class UpdatePriceRequest(Body):
    """PATCH …/catalog/prices/{priceId}: at least one field. A lookup key of null is taken away."""

    active: Active = None
    lookup_key: LookupKey | None = None
    tax_behavior: TaxBehavior = None
    metadata: Metadata = None

    @classmethod
    def between_fields(cls, body: Mapping[str, JsonValue]) -> list[CrossField]:
        return _at_least_one(cls, body, "At least one price field is required")


class PricesQuery(Body):
    """GET …/catalog/prices."""

    product_id: Annotated[Annotated[Trimmed, Length(1, 255)] | None, NotNull("string")] = None


def _at_least_one(model: type[Body], body: Mapping[str, JsonValue], text: str) -> list[CrossField]:
    known = {field.alias for field in model.model_fields.values()}
    return [] if known & body.keys() else [("(root)", text)]
