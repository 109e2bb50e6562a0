"""Checkout options as they are answered; null says nothing."""

from typing import Literal

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment


class CheckoutOptions(TypedDict):
    """Those of one price, or of the whole environment (`priceId` null)."""

    environment: Environment
    priceId: str | None
    allowPromotionCodes: bool | None
    automaticTax: bool | None
    taxIdCollection: bool | None
    phoneNumberCollection: bool | None
    billingAddressCollection: Literal["auto", "required"] | None
    locale: str | None
    adjustableQuantity: bool | None
    expiresAfterMinutes: int | None
    trialPeriodDays: int | None
    paymentMethodCollection: Literal["always", "if_required"] | None
    createdAt: str
    updatedAt: str


class CheckoutOptionsAnswer(TypedDict):
    checkoutOptions: CheckoutOptions


class AllCheckoutOptionsAnswer(TypedDict):
    checkoutOptions: list[CheckoutOptions]


class DeletedAnswer(TypedDict):
    deleted: bool
