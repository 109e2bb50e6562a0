"""Admin sign-in, and the public key that clients without a user carry."""

from starlette.requests import Request

from paygres.server.errors import Authentication, NotFound
from paygres.server.flows.requests.sign_in import AdminSignInRequest
from paygres.server.http.authenticate import network_of, require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import sign_in as shapes
from paygres.server.http.validation import parse
from paygres.server.http.wire import Json


async def sign_in(request: Request) -> Json:
    parts = parts_of(request)
    wanted = parse(AdminSignInRequest, await read_fields(request))
    if parts.sign_in is None:
        raise Authentication("Invalid admin credentials", code="AUTH_UNAUTHORIZED")
    parts.sign_in.check(wanted.username, wanted.password, network_of(request))
    token = parts.tokens.issue_admin(parts.admin_username)
    return Json({"admin": {"sub": f"local:{parts.admin_username}"}, "accessToken": token, "csrfToken": None})


async def current_admin(request: Request) -> Json:
    return Json({"admin": {"sub": await require_admin(request)}})


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
        "POST",
        "/api/auth/admin/sessions",
        sign_in,
        "Sign in as the admin of ROOT_ADMIN_USERNAME; the token lasts 15 minutes",
        "public",
        shapes.AdminSignInAnswer,
        body=AdminSignInRequest,
        errors=(400, 401, 413, 429),
    ),
    Documented(
        "GET",
        "/api/auth/admin/sessions/current",
        current_admin,
        "Who is signed in",
        "admin",
        shapes.AdminAnswer,
        errors=(401, 403, 503),
    ),
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
