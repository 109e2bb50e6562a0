"""How a sign-in travels: pages keep the refresh token in a cookie that no script reads and send a CSRF token beside it,
other clients have it in the body. Refreshing and signing out are alike for users and admins."""

import time
from typing import Any

from starlette.requests import Request

from paygres.server.auth.refresh_tokens import LASTS, Kind, RefreshToken, read_refresh_token
from paygres.server.errors import Authentication, InvalidRequest
from paygres.server.flows.begin_sign_in import SignedIn
from paygres.server.flows.refresh_sign_in import refresh_sign_in, refused
from paygres.server.flows.requests.sign_in import RefreshRequest
from paygres.server.flows.sign_out import sign_out, sign_out_by_id
from paygres.server.http.authenticate import access_claims
from paygres.server.http.bodies import read_fields
from paygres.server.http.parts import parts_of
from paygres.server.http.render_errors import render
from paygres.server.http.request_id import request_id
from paygres.server.http.validation import parse
from paygres.server.http.wire import Json

_COOKIES: dict[Kind, tuple[str, str]] = {
    "user": ("insforge_refresh_token", "/api/auth"),
    "admin": ("insforge_admin_refresh_token", "/api/auth/admin"),
}
_NO_PAGES = ("mobile", "desktop", "server")


def is_page(request: Request) -> bool:
    """Whether the client keeps cookies; the ones that do not say so in `client_type`."""
    return request.query_params.get("client_type") not in _NO_PAGES


def hand_over(request: Request, signed_in: SignedIn, answer: dict[str, Any]) -> Json:
    """The answer, with the refresh token where this client keeps it."""
    token, lasts = signed_in.refresh_token, int(LASTS.total_seconds())
    text = token.text(int(time.time()) + lasts)
    if is_page(request):
        cookie = _cookie(token.kind, text, lasts)
        return Json({**answer, "csrfToken": signed_in.csrf_token}, headers={"set-cookie": cookie})
    return Json({**answer, "refreshToken": text})


async def refreshed(request: Request, kind: Kind) -> SignedIn | Json:
    """The next access token; or the refusal, which takes a page's cookie away when its token does not hold."""
    page = is_page(request)
    try:
        token = await _presented(request, kind, page)
        csrf = request.headers.get("x-csrf-token", "") if page else None
        return await refresh_sign_in(parts_of(request), token, kind, csrf, request_id())
    except Authentication as error:
        if not page:
            raise
        response = render(error, request_id() or "")
        response.headers["set-cookie"] = _cookie(kind, "", 0)
        return response


async def signed_out(request: Request, kind: Kind) -> Json:
    """Ends the sign-in of the refresh token; without one, that of the access token."""
    page = is_page(request)
    text = request.cookies.get(_COOKIES[kind][0]) if page else parse(RefreshRequest, await read_fields(request)).token
    if text:
        csrf = request.headers.get("x-csrf-token", "") if page else None
        await sign_out(parts_of(request), read_refresh_token(text), kind, csrf)
    else:
        claims = await access_claims(request)
        await sign_out_by_id(parts_of(request), None if claims is None else claims.sid)
    headers = {"set-cookie": _cookie(kind, "", 0)} if page else None
    return Json({"success": True, "message": "Logged out successfully"}, headers=headers)


async def _presented(request: Request, kind: Kind, page: bool) -> RefreshToken:
    text = request.cookies.get(_COOKIES[kind][0]) if page else parse(RefreshRequest, await read_fields(request)).token
    if not text:
        if page:
            raise refused("No refresh token provided")
        raise InvalidRequest("refreshToken: Required")
    token = read_refresh_token(text)
    if token is None:
        looks_like_access = text.count(".") == 2
        raise refused("Invalid refresh token type" if looks_like_access else "Invalid or expired refresh token")
    return token


def _cookie(kind: Kind, text: str, seconds: int) -> str:
    name, path = _COOKIES[kind]
    # SameSite=None: the app's pages are usually of another site than this server; the CSRF token stands in for it.
    return f"{name}={text}; Max-Age={seconds}; Path={path}; HttpOnly; Secure; SameSite=None"
