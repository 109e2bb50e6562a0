"""Products, prices and the options of checkouts. Amounts are in minor units."""

from datetime import datetime
from typing import Literal

from paygres.client.shapes import Environment, Told


class Product(Told, frozen=True):
    """Product."""

    environment: Environment
    product_id: str
    name: str
    description: str | None
    active: bool
    default_price_id: str | None
    metadata: dict[str, str]
    synced_at: datetime


class Price(Told, frozen=True):
    """`unit_amount` is in minor units of `currency`."""

    environment: Environment
    price_id: str
    product_id: str | None
    active: bool
    currency: str
    unit_amount: int | None
    unit_amount_decimal: str | None
    type: str
    lookup_key: str | None
    billing_scheme: str | None
    tax_behavior: str | None
    recurring_interval: str | None
    recurring_interval_count: int | None
    metadata: dict[str, str]
    synced_at: datetime


class CatalogAnswer(Told, frozen=True):
    """Catalog."""

    products: list[Product]
    prices: list[Price]


class ProductsAnswer(Told, frozen=True):
    """Products."""

    products: list[Product]


class ProductAnswer(Told, frozen=True):
    """Product."""

    product: Product
    prices: list[Price]


class PricesAnswer(Told, frozen=True):
    """Prices."""

    prices: list[Price]


class PriceAnswer(Told, frozen=True):
    """Price."""

    price: Price


class OneProductAnswer(Told, frozen=True):
    """One product."""

    product: Product


class ProductDeletedAnswer(Told, frozen=True):
    """Product deleted."""

    product_id: str
    deleted: bool


class PriceArchivedAnswer(Told, frozen=True):
    """Price archived."""

    price: Price
    archived: bool


class CheckoutOptions(Told, frozen=True):
    """Those of one price, or of the whole environment (`price_id` null)."""

    environment: Environment
    price_id: str | None
    allow_promotion_codes: bool | None
    automatic_tax: bool | None
    tax_id_collection: bool | None
    phone_number_collection: bool | None
    billing_address_collection: Literal["auto", "required"] | None
    locale: str | None
    adjustable_quantity: bool | None
    expires_after_minutes: int | None
    trial_period_days: int | None
    payment_method_collection: Literal["always", "if_required"] | None
    created_at: datetime
    updated_at: datetime


class CheckoutOptionsAnswer(Told, frozen=True):
    """Checkout options."""

    checkout_options: CheckoutOptions


class AllCheckoutOptionsAnswer(Told, frozen=True):
    """All checkout options."""

    checkout_options: list[CheckoutOptions]


class DeletedAnswer(Told, frozen=True):
    """Deleted."""

    deleted: bool
