"""Admins sign in with the pair of the settings; everything after that is as with users."""

from starlette.requests import Request

from paygres.server.errors import Authentication
from paygres.server.flows.begin_sign_in import begin_admin
from paygres.server.flows.requests.sign_in import AdminSignInRequest, ClientType, RefreshRequest
from paygres.server.http.authenticate import network_of, require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.hand_over import hand_over, refreshed, signed_out
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
    began = await begin_admin(parts)
    return hand_over(request, began, {"admin": began.subject, "accessToken": began.access_token})


async def refresh(request: Request) -> Json:
    found = await refreshed(request, "admin")
    if isinstance(found, Json):
        return found
    return hand_over(request, found, {"accessToken": found.access_token, "admin": found.subject})


async def current(request: Request) -> Json:
    return Json({"admin": {"sub": await require_admin(request)}})


async def logout(request: Request) -> Json:
    return await signed_out(request, "admin")


_A = "/api/auth/admin"
ROUTES = [
    Documented(
        "POST",
        f"{_A}/sessions",
        sign_in,
        "Sign in as the admin of ROOT_ADMIN_USERNAME; the token lasts 15 minutes",
        "public",
        shapes.AdminSignInAnswer,
        body=AdminSignInRequest,
        query=ClientType,
        errors=(400, 401, 413, 429, 503),
    ),
    Documented(
        "POST",
        f"{_A}/refresh",
        refresh,
        "The next access token of an admin's sign-in",
        "public",
        shapes.AdminRefreshAnswer,
        body=RefreshRequest,
        query=ClientType,
        errors=(400, 401, 403, 413, 503),
    ),
    Documented(
        "GET",
        f"{_A}/sessions/current",
        current,
        "Who is signed in",
        "admin",
        shapes.AdminAnswer,
        errors=(401, 403, 503),
    ),
    Documented(
        "POST",
        f"{_A}/logout",
        logout,
        "End an admin's sign-in",
        "public",
        shapes.SignOutAnswer,
        body=RefreshRequest,
        query=ClientType,
        errors=(400, 403, 413, 503),
    ),
]
