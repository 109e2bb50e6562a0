"""Products and prices for admins: read from our own tables, written at Stripe."""

from starlette.requests import Request

from paygres.server.errors import InvalidRequest
from paygres.server.flows.edit_prices import archive_price, create_price, update_price
from paygres.server.flows.edit_products import create_product, delete_product, update_product
from paygres.server.flows.operator import Operator
from paygres.server.flows.read_catalog import (
    read_catalog,
    read_price,
    read_prices,
    read_product,
    read_products,
)
from paygres.server.flows.requests.catalog import (
    CreatePriceRequest,
    CreateProductRequest,
    PricesQuery,
    UpdatePriceRequest,
    UpdateProductRequest,
)
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import catalog as shapes
from paygres.server.http.validation import environment_of, parse, parse_query
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
    wanted = parse_query(PricesQuery, request).product_id
    return Json({"prices": await read_prices(parts_of(request).db, environment, wanted)})


async def price(request: Request) -> Json:
    await require_admin(request)
    environment, wanted = environment_of(request.path_params), _id(request, "priceId")
    return Json({"price": await read_price(parts_of(request).db, environment, wanted)})


async def make_product(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    environment = environment_of(request.path_params)
    wanted = parse(CreateProductRequest, await read_fields(request))
    return Json({"product": await create_product(parts_of(request), environment, wanted, operator)}, 201)


async def change_product(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    environment, product_id = environment_of(request.path_params), _id(request, "productId")
    wanted = parse(UpdateProductRequest, await read_fields(request))
    return Json({"product": await update_product(parts_of(request), environment, product_id, wanted, operator)})


async def remove_product(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    environment, product_id = environment_of(request.path_params), _id(request, "productId")
    return Json(await delete_product(parts_of(request), environment, product_id, operator))


async def make_price(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    environment = environment_of(request.path_params)
    wanted = parse(CreatePriceRequest, await read_fields(request))
    return Json({"price": await create_price(parts_of(request), environment, wanted, operator)}, 201)


async def change_price(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    environment, price_id = environment_of(request.path_params), _id(request, "priceId")
    wanted = parse(UpdatePriceRequest, await read_fields(request))
    return Json({"price": await update_price(parts_of(request), environment, price_id, wanted, operator)})


async def remove_price(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    environment, price_id = environment_of(request.path_params), _id(request, "priceId")
    return Json(await archive_price(parts_of(request), environment, price_id, operator))


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
_WRITE_ERRORS = (400, 401, 402, 403, 404, 409, 413, 429, 502, 503)
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
        query=PricesQuery,
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
    Documented(
        "POST",
        f"{_C}/products",
        make_product,
        "Create a product at Stripe",
        "admin",
        shapes.OneProductAnswer,
        status=201,
        body=CreateProductRequest,
        errors=_WRITE_ERRORS,
    ),
    Documented(
        "PATCH",
        f"{_C}/products/{{productId}}",
        change_product,
        "Change a product at Stripe",
        "admin",
        shapes.OneProductAnswer,
        body=UpdateProductRequest,
        errors=_WRITE_ERRORS,
    ),
    Documented(
        "DELETE",
        f"{_C}/products/{{productId}}",
        remove_product,
        "Delete a product at Stripe, which refuses one that has prices",
        "admin",
        shapes.ProductDeletedAnswer,
        errors=_WRITE_ERRORS,
    ),
    Documented(
        "POST",
        f"{_C}/prices",
        make_price,
        "Create a price at Stripe",
        "admin",
        shapes.PriceAnswer,
        status=201,
        body=CreatePriceRequest,
        errors=_WRITE_ERRORS,
    ),
    Documented(
        "PATCH",
        f"{_C}/prices/{{priceId}}",
        change_price,
        "Change a price at Stripe",
        "admin",
        shapes.PriceAnswer,
        body=UpdatePriceRequest,
        errors=_WRITE_ERRORS,
    ),
    Documented(
        "DELETE",
        f"{_C}/prices/{{priceId}}",
        remove_price,
        "Archive a price at Stripe, so that it is not sold any more",
        "admin",
        shapes.PriceArchivedAnswer,
        errors=_WRITE_ERRORS,
    ),
]
