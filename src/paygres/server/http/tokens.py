"""Access tokens for tests and operators, for admins."""

from starlette.requests import Request

from paygres.server.flows.mint_token import mint_token
from paygres.server.flows.operator import Operator
from paygres.server.flows.requests.keys import TokenRequest
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import keys as shapes
from paygres.server.http.validation import parse
from paygres.server.http.wire import Json


async def create(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    wanted = parse(TokenRequest, await read_fields(request))
    return Json(await mint_token(parts_of(request), wanted, operator), 201)


ROUTES = [
    Documented(
        "POST",
        "/api/paygres/tokens",
        create,
        "Sign a user's or guest's access token",
        "admin",
        shapes.TokenAnswer,
        status=201,
        body=TokenRequest,
        errors=(400, 401, 403, 413, 503),
    ),
]
