"""Products and prices as they are answered (contract 1.6); times are ISO-8601 UTC."""

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment


class Product(TypedDict):
    environment: Environment
    productId: str
    name: str
    description: str | None
    active: bool
    defaultPriceId: str | None
    metadata: dict[str, str]
    syncedAt: str


class Price(TypedDict):
    """`unitAmount` is in minor units of `currency`."""

    environment: Environment
    priceId: str
    productId: str | None
    active: bool
    currency: str
    unitAmount: int | None
    unitAmountDecimal: str | None
    type: str
    lookupKey: str | None
    billingScheme: str | None
    taxBehavior: str | None
    recurringInterval: str | None
    recurringIntervalCount: int | None
    metadata: dict[str, str]
    syncedAt: str


class CatalogAnswer(TypedDict):
    products: list[Product]
    prices: list[Price]


class ProductsAnswer(TypedDict):
    products: list[Product]


class ProductAnswer(TypedDict):
    product: Product
    prices: list[Price]


class PricesAnswer(TypedDict):
    prices: list[Price]


class PriceAnswer(TypedDict):
    price: Price


class OneProductAnswer(TypedDict):
    product: Product


class ProductDeletedAnswer(TypedDict):
    productId: str
    deleted: bool


class PriceArchivedAnswer(TypedDict):
    price: Price
    archived: bool
