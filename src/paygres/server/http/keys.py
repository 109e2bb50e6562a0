"""Access keys of this installation, for admins."""

import re

from starlette.requests import Request

from paygres.server.errors import InvalidRequest
from paygres.server.flows.access_keys import create_key, list_keys, revoke_key
from paygres.server.flows.operator import Operator
from paygres.server.flows.requests.keys import KeyRequest
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import keys as shapes
from paygres.server.http.validation import parse
from paygres.server.http.wire import Json

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


async def many(request: Request) -> Json:
    await require_admin(request)
    return Json(await list_keys(parts_of(request).db))


async def create(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    wanted = parse(KeyRequest, await read_fields(request))
    return Json(await create_key(parts_of(request), wanted, operator), 201)


async def revoke(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    key_id = request.path_params["id"].strip().lower()
    if _UUID.fullmatch(key_id) is None:
        raise InvalidRequest("id: Expected the id of a key, not the key itself")
    return Json(await revoke_key(parts_of(request), key_id, operator))


_K = "/api/paygres/keys"
_ERRORS = (400, 401, 403, 503)
ROUTES = [
    Documented("GET", _K, many, "Access keys, never an API key itself", "admin", shapes.KeysAnswer, errors=_ERRORS),
    Documented(
        "POST",
        _K,
        create,
        "Make a key, shown this once; with rotate the earlier ones run out",
        "admin",
        shapes.NewKeyAnswer,
        status=201,
        body=KeyRequest,
        errors=(*_ERRORS, 413),
    ),
    Documented(
        "DELETE",
        f"{_K}/{{id}}",
        revoke,
        "Revoke a key",
        "admin",
        shapes.KeyAnswer,
        errors=(*_ERRORS, 404, 409),
    ),
]
