"""Bodies and queries about checkout options."""

from typing import Annotated, Literal

from pydantic import BeforeValidator

from paygres.server.flows.requests.fields import Body, Length, NotNull, Trimmed, between, whole

# Stripe's list, of API version 2026-05-27.
Locale = Literal[
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr", "hu",
    "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th",
    "tr", "vi", "zh", "zh-HK", "zh-TW",
]  # fmt: skip
PriceId = Annotated[Trimmed, Length(1, 255)]


class CheckoutOptionsRequest(Body):
    """All options of a price or of an environment; one that is absent or null says nothing.

    `expiresAfterMinutes` 30 to 1440, `trialPeriodDays` 1 to 730. The last two count for subscriptions only.
    """

    allow_promotion_codes: bool | None = None
    automatic_tax: bool | None = None
    tax_id_collection: bool | None = None
    phone_number_collection: bool | None = None
    billing_address_collection: Literal["auto", "required"] | None = None
    locale: Locale | None = None
    adjustable_quantity: bool | None = None
    expires_after_minutes: Annotated[int, between(29, 1440), BeforeValidator(whole)] | None = None
    trial_period_days: Annotated[int, between(0, 730), BeforeValidator(whole)] | None = None
    payment_method_collection: Literal["always", "if_required"] | None = None


class CheckoutOptionsQuery(Body):
    """Of which price; without it, of the whole environment."""

    price_id: Annotated[PriceId | None, NotNull("string")] = None
