"""Where messages about fulfillments go, for admins; and the functions in developers' Python that events wait for."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from paygres.server.flows.edit_destinations import (
    add_destination,
    change_destination,
    list_destinations,
    list_messages,
    remove_destination,
    resend_message,
)
from paygres.server.flows.operator import Operator
from paygres.server.flows.register_listeners import forget_listener, list_listeners
from paygres.server.flows.requests.fulfillments import DestinationChange, DestinationRequest, MessagesQuery
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.paging import answer_page
from paygres.server.http.parts import parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import fulfillments as shapes
from paygres.server.http.validation import environment_of, parse, parse_query
from paygres.server.http.wire import Json
from paygres.server.tables.keyset import Page, Place

_MESSAGE = tuple(shapes.Message.__annotations__)


async def many(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    return Json({"destinations": await list_destinations(parts_of(request), environment)})


async def create(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    wanted = parse(DestinationRequest, await read_fields(request))
    operator = Operator(actor, request_id())
    return Json(await add_destination(parts_of(request), environment, wanted, operator), 201)


async def change(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    wanted = parse(DestinationChange, await read_fields(request))
    operator = Operator(actor, request_id())
    return Json(await change_destination(parts_of(request), environment, request.path_params["id"], wanted, operator))


async def delete(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    operator = Operator(actor, request_id())
    await remove_destination(parts_of(request), environment, request.path_params["id"], operator)
    return Json({"deleted": True})


async def messages(request: Request) -> Response:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(MessagesQuery, request)

    async def fetch(after: Place | None, limit: int) -> Page[dict[str, Any]]:
        return await list_messages(parts_of(request), environment, request.path_params["id"], query, after, limit)

    return await answer_page(request, query, fetch, noun="messages", columns=_MESSAGE)


async def resend(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    where = request.path_params
    operator = Operator(actor, request_id())
    message = await resend_message(parts_of(request), environment, where["id"], where["message"], operator)
    return Json({"message": message})


async def listeners(request: Request) -> Json:
    await require_admin(request)
    return Json({"listeners": await list_listeners(parts_of(request))})


async def forget(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    name: str = request.path_params["name"]
    await forget_listener(parts_of(request), name, operator)
    return Json({"name": name, "forgotten": True})


_D = "/api/paygres/{environment}/destinations"
_L = "/api/paygres/listeners"
_ERRORS = (400, 401, 403, 503)
ROUTES = [
    Documented("GET", _D, many, "Who is told of fulfillments", "admin", shapes.DestinationsAnswer, errors=_ERRORS),
    Documented(
        "POST",
        _D,
        create,
        "Send messages about fulfillments to a URL; the signing secret is shown this once",
        "admin",
        shapes.DestinationAnswer,
        status=201,
        body=DestinationRequest,
        errors=(*_ERRORS, 409, 413),
    ),
    Documented(
        "PATCH",
        f"{_D}/{{id}}",
        change,
        "Change a destination, or rotate its secret",
        "admin",
        shapes.DestinationAnswer,
        body=DestinationChange,
        errors=(*_ERRORS, 404, 409, 413),
    ),
    Documented(
        "DELETE",
        f"{_D}/{{id}}",
        delete,
        "Remove a destination with its messages",
        "admin",
        shapes.DeletedDestination,
        errors=(*_ERRORS, 404),
    ),
    Documented(
        "GET",
        f"{_D}/{{id}}/messages",
        messages,
        "Messages to a destination, newest first",
        "admin",
        shapes.MessagesPage,
        query=MessagesQuery,
        also=("text/csv",),
        errors=(*_ERRORS, 404),
    ),
    Documented(
        "POST",
        f"{_D}/{{id}}/messages/{{message}}/resend",
        resend,
        "Send a message again, under the same id",
        "admin",
        shapes.MessageAnswer,
        errors=(*_ERRORS, 404),
    ),
    Documented(
        "GET",
        _L,
        listeners,
        "Functions in developers' Python that events wait for",
        "admin",
        shapes.ListenersAnswer,
        errors=(401, 403, 503),
    ),
    Documented(
        "DELETE",
        f"{_L}/{{name}}",
        forget,
        "Forget a listener that no program has any more; what waited for it goes on",
        "admin",
        shapes.ForgottenAnswer,
        errors=(401, 403, 404, 503),
    ),
]
