"""Users sign up, in and out with e-mail and password (contract 1.3.5), unless a platform looks after them."""

import re

from starlette.requests import Request

from paygres.server.errors import Authentication, InvalidRequest, NotFound
from paygres.server.flows.begin_sign_in import shown
from paygres.server.flows.operator import Operator
from paygres.server.flows.requests.sign_in import ClientType, RefreshRequest, SignInRequest, SignUpRequest
from paygres.server.flows.sign_in import sign_in as sign_in_user
from paygres.server.flows.sign_out import sign_out_user
from paygres.server.flows.sign_up import create_user
from paygres.server.flows.sign_up import sign_up as sign_up_user
from paygres.server.http.authenticate import network_of, require_admin, runtime_caller
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.hand_over import hand_over, refreshed, signed_out
from paygres.server.http.parts import Parts, parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import sign_in as shapes
from paygres.server.http.validation import parse
from paygres.server.http.wire import Json
from paygres.server.tables import users

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


async def sign_up(request: Request) -> Json:
    """Guests and users sign up and are signed in; an admin's credential makes a user and signs nobody in."""
    parts = _own(request)
    caller = await runtime_caller(request)
    wanted = parse(SignUpRequest, await read_fields(request))
    if caller is None or caller.role == "project_admin":
        actor = "api-key" if caller is None else caller.sub or "admin"
        user = await create_user(parts, wanted, Operator(actor, request_id()))
        return Json({"user": shown(user), "accessToken": None, "requireEmailVerification": False})
    began = await sign_up_user(parts, wanted, network_of(request))
    answer = {"user": began.subject, "accessToken": began.access_token, "requireEmailVerification": False}
    return hand_over(request, began, answer)


async def sign_in(request: Request) -> Json:
    parts = _own(request)
    wanted = parse(SignInRequest, await read_fields(request))
    began = await sign_in_user(parts, wanted, network_of(request))
    return hand_over(request, began, {"user": began.subject, "accessToken": began.access_token})


async def refresh(request: Request) -> Json:
    _own(request)
    found = await refreshed(request, "user")
    if isinstance(found, Json):
        return found
    return hand_over(request, found, {"accessToken": found.access_token, "user": found.subject})


async def logout(request: Request) -> Json:
    _own(request)
    return await signed_out(request, "user")


async def current(request: Request) -> Json:
    parts = _own(request)
    caller = await runtime_caller(request)
    if caller is None or caller.role != "authenticated":
        raise Authentication("User not authenticated", next_actions="Send the access token of a signed-in user.")
    user = await users.select(parts.db, caller.sub or "")
    if user is None:
        raise Authentication("User not found", next_actions="Its token holds, but this server has no such user.")
    return Json({"user": shown(user)})


async def public_config(request: Request) -> Json:
    """What a sign-in form needs to know."""
    rules = parts_of(request).sign_in_rules
    return Json(
        {
            "oAuthProviders": [],
            "customOAuthProviders": [],
            "requireEmailVerification": False,
            "passwordMinLength": rules.password_least,
            "requireNumber": False,
            "requireLowercase": False,
            "requireUppercase": False,
            "requireSpecialChar": False,
            "verifyEmailMethod": "code",
            "resetPasswordMethod": "code",
            "disableSignup": not (rules.own and rules.sign_ups),
        }
    )


async def end_sessions(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    parts = _own(request)
    user_id = request.path_params["id"].strip()
    if _UUID.fullmatch(user_id) is None:
        raise InvalidRequest("id: Expected the id of a user")
    return Json({"ended": await sign_out_user(parts, user_id, operator)})


def _own(request: Request) -> Parts:
    """The parts, where users sign in here."""
    parts = parts_of(request)
    if not parts.sign_in_rules.own:
        raise NotFound(
            "Users do not sign in here (PAYGRES_AUTH=external)",
            next_actions="Sign in with your own platform and send its access token as Authorization: Bearer …;"
            " PAYGRES_JWT_ISSUERS says whose tokens hold.",
        )
    return parts


_P = "/api/auth"
ROUTES = [
    Documented(
        "POST",
        f"{_P}/users",
        sign_up,
        "Sign up with e-mail and password",
        "runtime",
        shapes.SignUpAnswer,
        body=SignUpRequest,
        query=ClientType,
        errors=(400, 401, 403, 404, 409, 413, 429, 503),
    ),
    Documented(
        "POST",
        f"{_P}/sessions",
        sign_in,
        "Sign in with e-mail and password",
        "public",
        shapes.SignInAnswer,
        body=SignInRequest,
        query=ClientType,
        errors=(400, 401, 404, 413, 429, 503),
    ),
    Documented(
        "POST",
        f"{_P}/refresh",
        refresh,
        "The next access token of a sign-in",
        "public",
        shapes.RefreshAnswer,
        body=RefreshRequest,
        query=ClientType,
        errors=(400, 401, 403, 404, 413, 503),
    ),
    Documented(
        "POST",
        f"{_P}/logout",
        logout,
        "End a sign-in",
        "public",
        shapes.SignOutAnswer,
        body=RefreshRequest,
        query=ClientType,
        errors=(400, 403, 404, 413, 503),
    ),
    Documented(
        "GET",
        f"{_P}/sessions/current",
        current,
        "The signed-in user",
        "runtime",
        shapes.CurrentUserAnswer,
        errors=(401, 404, 503),
    ),
    Documented("GET", f"{_P}/public-config", public_config, "How users sign in", "public", shapes.PublicConfigAnswer),
    Documented(
        "DELETE",
        "/api/paygres/users/{id}/sessions",
        end_sessions,
        "End every sign-in of a user",
        "admin",
        shapes.EndedAnswer,
        errors=(400, 401, 403, 404, 503),
    ),
]
