"""Products and prices of the connected accounts, for admins, from our own tables."""

from starlette.requests import Request

from paygres.server.errors import InvalidRequest
from paygres.server.flows.read_catalog import (
    read_catalog,
    read_price,
    read_prices,
    read_product,
    read_products,
)
from paygres.server.http.authenticate import require_admin
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import catalog as shapes
from paygres.server.http.validation import environment_of
from paygres.server.http.wire import Json

_LONGEST_ID = 255


async def catalog(request: Request) -> Json:
    await require_admin(request)
    return Json(await read_catalog(parts_of(request).db, environment_of(request.path_params)))


async def products(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    return Json({"products": await read_products(parts_of(request).db, environment)})


async def product(request: Request) -> Json:
    await require_admin(request)
    environment, wanted = environment_of(request.path_params), _id(request, "productId")
    return Json(await read_product(parts_of(request).db, environment, wanted))


async def prices(request: Request) -> Json:
    """The query may hold `productId` and nothing else."""
    await require_admin(request)
    environment = environment_of(request.path_params)
    unknown = [name for name in dict.fromkeys(request.query_params) if name != "productId"]
    if unknown:
        named = ", ".join(f"'{name[:100]}'" for name in unknown[:20])
        raise InvalidRequest(f"(root): Unrecognized key(s) in object: {named}")
    wanted = request.query_params.get("productId")
    if wanted is not None:
        wanted = _usable("productId", wanted)
    return Json({"prices": await read_prices(parts_of(request).db, environment, wanted)})


async def price(request: Request) -> Json:
    await require_admin(request)
    environment, wanted = environment_of(request.path_params), _id(request, "priceId")
    return Json({"price": await read_price(parts_of(request).db, environment, wanted)})


def _id(request: Request, name: str) -> str:
    return _usable(name, request.path_params[name])


def _usable(name: str, text: str) -> str:
    text = text.strip()
    if not text:
        raise InvalidRequest(f"{name}: String must contain at least 1 character(s)")
    if len(text) > _LONGEST_ID:
        raise InvalidRequest(f"{name}: String must contain at most {_LONGEST_ID} character(s)")
    if "\x00" in text:
        raise InvalidRequest(f"{name}: String must not contain the NUL character")
    return text


_C = "/api/payments/stripe/{environment}/catalog"
_ERRORS = (400, 401, 403, 503)
ROUTES = [
    Documented("GET", _C, catalog, "Products and prices", "admin", shapes.CatalogAnswer, errors=_ERRORS),
    Documented("GET", f"{_C}/products", products, "Products", "admin", shapes.ProductsAnswer, errors=_ERRORS),
    Documented(
        "GET",
        f"{_C}/products/{{productId}}",
        product,
        "One product and its prices",
        "admin",
        shapes.ProductAnswer,
        errors=(*_ERRORS, 404),
    ),
    Documented(
        "GET",
        f"{_C}/prices",
        prices,
        "Prices, of one product when the query has productId",
        "admin",
        shapes.PricesAnswer,
        errors=_ERRORS,
    ),
    Documented(
        "GET",
        f"{_C}/prices/{{priceId}}",
        price,
        "One price",
        "admin",
        shapes.PriceAnswer,
        errors=(*_ERRORS, 404),
    ),
]
