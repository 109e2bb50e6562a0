"""Products, prices, and the options that checkouts of a price get."""

from collections.abc import Mapping
from typing import Any, Literal

from paygres.client.admin.catalog_shapes import (
    AllCheckoutOptionsAnswer,
    CatalogAnswer,
    CheckoutOptions,
    CheckoutOptionsAnswer,
    DeletedAnswer,
    OneProductAnswer,
    Price,
    PriceAnswer,
    PriceArchivedAnswer,
    PricesAnswer,
    Product,
    ProductAnswer,
    ProductDeletedAnswer,
    ProductsAnswer,
)
from paygres.client.admin.desk import KEEP, Desk, Keep
from paygres.client.calls import extension, runtime, segment
from paygres.client.shapes import Environment

TaxBehavior = Literal["inclusive", "exclusive", "unspecified"]
Interval = Literal["day", "week", "month", "year"]


class Catalog:
    """`admin.catalog`: what is sold. Writing goes to Stripe, and is readable here at once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def all(self, environment: Environment) -> CatalogAnswer:
        """Every product and price."""
        return self._desk.send("GET", _path(environment), CatalogAnswer)

    def products(self, environment: Environment) -> list[Product]:
        """Every product."""
        return self._desk.send("GET", f"{_path(environment)}/products", ProductsAnswer).products

    def product(self, environment: Environment, product_id: str) -> ProductAnswer:
        """One product with its prices."""
        return self._desk.send("GET", _product(environment, product_id), ProductAnswer)

    def create_product(
        self,
        environment: Environment,
        *,
        name: str,
        description: str | None = None,
        active: bool | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Product:
        """Make a product at Stripe."""
        body = {"name": name, "description": description, "active": active, "metadata": metadata}
        body["idempotency_key"] = idempotency_key
        path = f"{_path(environment)}/products"
        return self._desk.send("POST", path, OneProductAnswer, body=body, again=bool(idempotency_key)).product

    def update_product(
        self,
        environment: Environment,
        product_id: str,
        *,
        name: str | Keep = KEEP,
        description: str | Keep | None = KEEP,
        active: bool | Keep = KEEP,
        metadata: Mapping[str, str] | Keep = KEEP,
    ) -> Product:
        """Change a product; a description of None is taken away."""
        body: dict[str, Any] = {"name": name, "description": description, "active": active, "metadata": metadata}
        return self._desk.send("PATCH", _product(environment, product_id), OneProductAnswer, body=body).product

    def delete_product(self, environment: Environment, product_id: str) -> ProductDeletedAnswer:
        """Delete a product without prices, else archive it."""
        return self._desk.send("DELETE", _product(environment, product_id), ProductDeletedAnswer)

    def prices(self, environment: Environment, *, product_id: str | None = None) -> list[Price]:
        """Every price, or those of a product."""
        query = {"product_id": product_id}
        return self._desk.send("GET", f"{_path(environment)}/prices", PricesAnswer, query=query).prices

    def price(self, environment: Environment, price_id: str) -> Price:
        """One price."""
        return self._desk.send("GET", _price(environment, price_id), PriceAnswer).price

    def create_price(
        self,
        environment: Environment,
        *,
        product_id: str,
        currency: str,
        unit_amount: int,
        interval: Interval | None = None,
        interval_count: int | None = None,
        lookup_key: str | None = None,
        active: bool | None = None,
        tax_behavior: TaxBehavior | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Price:
        """Make a price at Stripe. `unit_amount` in minor units; with `interval` it is charged again and again."""
        body: dict[str, Any] = {"product_id": product_id, "currency": currency, "unit_amount": unit_amount}
        if interval is not None:
            count = {} if interval_count is None else {"intervalCount": interval_count}
            body["recurring"] = {"interval": interval, **count}
        body |= {"lookup_key": lookup_key, "active": active, "tax_behavior": tax_behavior, "metadata": metadata}
        body["idempotency_key"] = idempotency_key
        path = f"{_path(environment)}/prices"
        return self._desk.send("POST", path, PriceAnswer, body=body, again=bool(idempotency_key)).price

    def update_price(
        self,
        environment: Environment,
        price_id: str,
        *,
        active: bool | Keep = KEEP,
        lookup_key: str | Keep | None = KEEP,
        tax_behavior: TaxBehavior | Keep = KEEP,
        metadata: Mapping[str, str] | Keep = KEEP,
    ) -> Price:
        """Change a price; a lookup key of None is taken away. Amounts never change: make a new price."""
        body = {"active": active, "lookup_key": lookup_key, "tax_behavior": tax_behavior, "metadata": metadata}
        return self._desk.send("PATCH", _price(environment, price_id), PriceAnswer, body=body).price

    def archive_price(self, environment: Environment, price_id: str) -> PriceArchivedAnswer:
        """Take a price off the market; subscriptions to it go on."""
        return self._desk.send("DELETE", _price(environment, price_id), PriceArchivedAnswer)


class CheckoutOptionsDesk:
    """`admin.checkout_options`: promotion codes, tax, trials and the like, for one price or a whole environment."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def list(self, environment: Environment, *, price_id: str | None = None) -> list[CheckoutOptions]:
        """All of the environment, or those of a price."""
        answer = self._desk.send("GET", _options(environment), AllCheckoutOptionsAnswer, query={"price_id": price_id})
        return answer.checkout_options

    def set(self, environment: Environment, *, price_id: str | None = None, **options: Any) -> CheckoutOptions:
        """Replace them. `allow_promotion_codes`, `automatic_tax`, `tax_id_collection`, `phone_number_collection`,
        `billing_address_collection`, `locale`, `adjustable_quantity`, `expires_after_minutes`, `trial_period_days`,
        `payment_method_collection`; what is not given says nothing."""
        query = {"price_id": price_id}
        answer = self._desk.send("PUT", _options(environment), CheckoutOptionsAnswer, body=options, query=query)
        return answer.checkout_options

    def delete(self, environment: Environment, *, price_id: str | None = None) -> bool:
        """Whether there were any."""
        query = {"price_id": price_id}
        return self._desk.send("DELETE", _options(environment), DeletedAnswer, query=query).deleted


def _path(environment: Environment) -> str:
    return f"{runtime(environment)}/catalog"


def _product(environment: Environment, product_id: str) -> str:
    return f"{_path(environment)}/products/{segment('product_id', product_id)}"


def _price(environment: Environment, price_id: str) -> str:
    return f"{_path(environment)}/prices/{segment('price_id', price_id)}"


def _options(environment: Environment) -> str:
    return f"{extension(environment)}/checkout-options"
