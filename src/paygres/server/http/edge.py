"""The outermost ASGI layer: request ids, CORS, and the one place where exceptions become responses."""

import re
import secrets
from collections.abc import Sequence
from time import perf_counter

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paygres.server.errors import InvalidRequest
from paygres.server.http.absent import unknown
from paygres.server.http.cors import Header, cors_headers, preflight_headers
from paygres.server.http.render_errors import log_bug, render
from paygres.server.metrics import request_answered

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")


class Edge:
    """Wraps the whole application. `origins` is the allow-list of live routes, lower case."""

    def __init__(self, app: ASGIApp, origins: Sequence[str] = ()) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        path: str = scope["path"]
        request_id, origin, requested = _interesting(scope["headers"])
        extra: list[Header] = [(b"x-request-id", request_id.encode())]
        if origin is not None:
            extra += cors_headers(path, origin, tuple(self._origins))
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *extra]
                request_answered(_template(scope), scope["method"], message["status"], perf_counter() - began)
            await send(message)

        if scope["method"] == "OPTIONS":
            await _preflight(send_with_headers, requested if len(extra) > 2 else None)
            return
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            if "\x00" in path:
                raise InvalidRequest("The path must not contain the NUL character")
            await self._answer(scope, receive, send_with_headers)
        except Exception as error:
            if started:
                log_bug(error, method=scope["method"], path=path)
                raise
            response = render(error, request_id, method=scope["method"], path=path)
            await response(scope, receive, send_with_headers)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except HTTPException:  # the router's: it has no such path or method
            raise await unknown(Request(scope, receive, send)) from None


def _template(scope: Scope) -> str:
    """The path of the route that answers, ids left as names."""
    return getattr(scope.get("route"), "path", "other")


def _interesting(headers: Sequence[Header]) -> tuple[str, bytes | None, bytes | None]:
    """(request id, Origin, Access-Control-Request-Headers); a caller's id is kept when it is harmless."""
    request_id = origin = requested = None
    for name, value in headers:
        if name == b"x-request-id":
            request_id = value
        elif name == b"origin":
            origin = value
        elif name == b"access-control-request-headers":
            requested = value
    if request_id is None or _REQUEST_ID.fullmatch(request_id) is None:
        return f"req_{secrets.token_hex(12)}", origin, requested
    return request_id.decode(), origin, requested


async def _preflight(send: Send, requested: bytes | None) -> None:
    headers = [*preflight_headers(requested), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
