"""Bodies about checkout sessions (contract 1.5.1)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue

from paygres.server.flows.requests.fields import (
    RESERVED_METADATA,
    Body,
    CrossField,
    IdempotencyKey,
    Length,
    NotNull,
    Subject,
    Trimmed,
    between,
    email,
    url,
    whole,
)


class LineItem(Body):
    """One Stripe price and how many of it (1 to 999)."""

    price_id: Annotated[Trimmed, Length(1, short="Stripe price id is required")]
    quantity: Annotated[int, between(0, 999), BeforeValidator(whole)] = 1


class CheckoutRequest(Body):
    """POST …/checkout-sessions (contract 1.5.1)."""

    mode: Literal["payment", "subscription"]
    line_items: Annotated[list[LineItem], Field(min_length=1, max_length=100)]
    success_url: Annotated[Trimmed, url("Success URL must be a valid URL")]
    cancel_url: Annotated[Trimmed, url("Cancel URL must be a valid URL")]
    subject: Annotated[Subject | None, NotNull("object")] = None
    customer_email: Annotated[Trimmed, AfterValidator(email)] | None = None
    metadata: Annotated[dict[str, str] | None, NotNull("object")] = None
    idempotency_key: Annotated[IdempotencyKey | None, NotNull("string")] = None

    @classmethod
    def between_fields(cls, body: Mapping[str, JsonValue]) -> list[CrossField]:
        broken: list[CrossField] = []
        if body.get("mode") == "subscription" and body.get("subject") is None:
            broken.append(("subject", "Subscription checkout requires a billing subject"))
        metadata = body.get("metadata")
        if isinstance(metadata, Mapping) and any(key.startswith(RESERVED_METADATA) for key in metadata):
            broken.append(("metadata", "Metadata keys starting with insforge_ are reserved"))
        return broken
