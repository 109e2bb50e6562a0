"""Bodies and queries about checkout sessions (contract 1.5.1)."""

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
from paygres.server.flows.requests.lists import Count, SubjectPageQuery, Word

# Stripe's limits of metadata, in characters; our own keys count, too (contract F46).
_MOST_KEYS, _LONGEST_KEY, _LONGEST_VALUE = 50, 40, 500
_OWN_KEYS, _OWN_KEYS_WITH_SUBJECT = 3, 5


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
        if isinstance(metadata, Mapping):
            broken += _metadata_faults(metadata, _OWN_KEYS if body.get("subject") is None else _OWN_KEYS_WITH_SUBJECT)
        return broken


def _metadata_faults(metadata: Mapping[str, JsonValue], own_keys: int) -> list[CrossField]:
    broken: list[CrossField] = []
    if any(key.startswith(RESERVED_METADATA) for key in metadata):
        broken.append(("metadata", "Metadata keys starting with insforge_ are reserved"))
    if len(metadata) > _MOST_KEYS - own_keys:
        broken.append(("metadata", f"Stripe keeps {_MOST_KEYS} keys, of which {own_keys} are ours"))
    for key, value in metadata.items():
        if not 1 <= len(key) <= _LONGEST_KEY or "[" in key or "]" in key:
            broken.append(("metadata", f"Keys must have 1 to {_LONGEST_KEY} characters and no square brackets"))
            break
        if isinstance(value, str) and len(value) > _LONGEST_VALUE:
            broken.append((f"metadata.{key}", f"String must contain at most {_LONGEST_VALUE} character(s)"))
            break
    return broken


class CheckoutSessionQuery(Body):
    """`wait`: answer when the purchase is projected and fulfilled, at the latest after so many seconds."""

    wait: Annotated[int, Count(0, 30)] | None = None


class CheckoutSessionsQuery(SubjectPageQuery):
    """A page of checkout sessions, by the time of their creation."""

    status: Literal["initialized", "open", "completed", "expired", "failed"] | None = None
    mode: Literal["payment", "subscription"] | None = None
    customer_id: Word | None = None
