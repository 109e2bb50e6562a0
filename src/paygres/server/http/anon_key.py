"""The public key that clients without a user carry, for admins."""

from starlette.requests import Request

from paygres.server.errors import NotFound
from paygres.server.http.authenticate import require_admin
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import sign_in as shapes
from paygres.server.http.wire import Json


async def anon_key(request: Request) -> Json:
    await require_admin(request)
    return Json({"anonKey": await _anon_key(request)})


async def anon_token(request: Request) -> Json:
    """The older name of the same thing."""
    await require_admin(request)
    return Json({"accessToken": await _anon_key(request)})


async def _anon_key(request: Request) -> str:
    key = await parts_of(request).keys.anon_key()
    if key is None:
        raise NotFound("There is no anon key", next_actions="Set ACCESS_ANON_KEY and restart the server.")
    return key


ROUTES = [
    Documented(
        "GET",
        "/api/metadata/anon-key",
        anon_key,
        "The anonymous key, for clients",
        "admin",
        shapes.AnonKeyAnswer,
        errors=(401, 403, 404, 503),
    ),
    Documented(
        "POST",
        "/api/auth/tokens/anon",
        anon_token,
        "The anonymous key under its older name",
        "admin",
        shapes.AnonTokenAnswer,
        errors=(401, 403, 404, 503),
    ),
]
