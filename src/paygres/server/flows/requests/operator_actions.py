"""Bodies of operators' actions: refunds, and changes of subscriptions."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue

from paygres.server.flows.requests.fields import (
    Body,
    CrossField,
    IdempotencyKey,
    Length,
    NotNull,
    Trimmed,
    between,
    whole,
)

_MOST = 99_999_999_999  # more than any currency's largest payment at Stripe
Note = Annotated[Trimmed, Length(1, 500)]
Quantity = Annotated[int, between(0, 1_000_000), BeforeValidator(whole)]


class OperatorBody(Body):
    """`note` is kept in the audit log; the same `idempotencyKey` and body is the same request."""

    note: Annotated[Note | None, NotNull("string")] = None
    idempotency_key: Annotated[IdempotencyKey | None, NotNull("string")] = None

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked for, apart from why and under which key."""
        return self.model_dump(mode="json", exclude={"note", "idempotency_key"})


class RefundRequest(OperatorBody):
    """`amount` in minor units; all that is left when it is absent. `reason` is Stripe's."""

    amount: Annotated[Annotated[int, between(0, _MOST), BeforeValidator(whole)] | None, NotNull("number")] = None
    reason: Annotated[Literal["duplicate", "fraudulent", "requested_by_customer"] | None, NotNull("string")] = None


class CancelRequest(OperatorBody):
    """`period_end` lets the paid period run out; `now` ends it at once, `prorate` with a credit for the rest."""

    when: Literal["period_end", "now"] = "period_end"
    prorate: bool = False


class ResumeRequest(OperatorBody):
    """Undo a cancellation that is still to come, or go on after a pause."""


class ChangeItem(Body):
    """A price, and how many of it."""

    price_id: Annotated[Trimmed, Length(1, 255)]
    quantity: Quantity = 1


class ChangeRequest(OperatorBody):
    """What the subscription shall consist of from now on. `prorationDate` (Unix seconds) of a preview makes the change
    cost what the preview said."""

    items: Annotated[list[ChangeItem], Field(min_length=1, max_length=20)]
    proration: Literal["create_prorations", "always_invoice", "none"] = "create_prorations"
    proration_date: Annotated[Annotated[int, between(0, 2**40), BeforeValidator(whole)] | None, NotNull("number")] = (
        None
    )

    @classmethod
    def between_fields(cls, body: Mapping[str, JsonValue]) -> list[CrossField]:
        items = body.get("items")
        prices = [i.get("priceId") for i in items if isinstance(i, Mapping)] if isinstance(items, list) else []
        if len(prices) != len({str(price) for price in prices}):
            return [("items", "Every price may be there once")]
        return []
