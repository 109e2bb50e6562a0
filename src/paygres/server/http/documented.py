"""A route and what the OpenAPI document says of it, side by side, so that neither is forgotten."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from paygres.server.flows.requests.fields import Body

Endpoint = Callable[[Request], Awaitable[Response]]
Access = Literal["public", "runtime", "admin", "stripe"]


@dataclass(frozen=True, slots=True)
class Documented:
    """One method of one path. `answer` is a shape of shapes/, `errors` the refusals' statuses, `query` the model of
    its query parameters, `also` other media types the answer may have (text/csv, text/event-stream)."""

    method: str
    path: str
    endpoint: Endpoint
    summary: str
    access: Access
    answer: Any
    status: int = 200
    body: type[Body] | None = None
    query: type[Body] | None = None
    also: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()
    extension: bool = False

    def route(self) -> Route:
        """The route for the application."""
        return Route(self.path, Application(self.endpoint), methods=[self.method])


@dataclass(frozen=True, slots=True)
class Application:
    """An endpoint as ASGI has it. Starlette would wrap a plain function in layers that look for exceptions; here that
    is the edge's matter, and every request would pay for them."""

    endpoint: Endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.endpoint(Request(scope, receive, send))
        await response(scope, receive, send)
