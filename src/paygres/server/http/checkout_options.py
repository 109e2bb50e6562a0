"""Defaults of checkouts, for admins: of one price with ?priceId=, else of the whole environment."""

from starlette.requests import Request

from paygres.server.flows.requests.checkout_options import CheckoutOptionsQuery, CheckoutOptionsRequest
from paygres.server.flows.set_checkout_options import (
    delete_checkout_options,
    read_checkout_options,
    set_checkout_options,
)
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import checkout_options as shapes
from paygres.server.http.validation import environment_of, parse, parse_query
from paygres.server.http.wire import Json

_PATH = "/api/paygres/{environment}/checkout-options"


async def show(request: Request) -> Json:
    """All rows without a query."""
    await require_admin(request)
    environment = environment_of(request.path_params)
    price_id = parse_query(CheckoutOptionsQuery, request).price_id
    return Json({"checkoutOptions": await read_checkout_options(parts_of(request), environment, price_id)})


async def put(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    price_id = parse_query(CheckoutOptionsQuery, request).price_id
    wanted = parse(CheckoutOptionsRequest, await read_fields(request))
    kept = await set_checkout_options(
        parts_of(request), environment, price_id, wanted, actor=actor, request_id=request_id()
    )
    return Json({"checkoutOptions": kept})


async def delete(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    price_id = parse_query(CheckoutOptionsQuery, request).price_id
    deleted = await delete_checkout_options(
        parts_of(request), environment, price_id, actor=actor, request_id=request_id()
    )
    return Json({"deleted": deleted})


ROUTES = [
    Documented(
        "GET",
        _PATH,
        show,
        "Defaults of checkouts, such as promotion codes, tax and trials: all rows, or those of one price",
        "admin",
        shapes.AllCheckoutOptionsAnswer,
        query=CheckoutOptionsQuery,
        errors=(400, 401, 403, 503),
    ),
    Documented(
        "PUT",
        _PATH,
        put,
        "Replace the defaults of one price, or of the whole environment",
        "admin",
        shapes.CheckoutOptionsAnswer,
        body=CheckoutOptionsRequest,
        query=CheckoutOptionsQuery,
        errors=(400, 401, 403, 404, 413, 503),
    ),
    Documented(
        "DELETE",
        _PATH,
        delete,
        "Remove the defaults of one price, or of the whole environment",
        "admin",
        shapes.DeletedAnswer,
        query=CheckoutOptionsQuery,
        errors=(400, 401, 403, 503),
    ),
]
