"""What is not here: unknown routes, and routes of the reference that we leave out on purpose."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paygres.server.errors import NotFound
from paygres.server.http.authenticate import require_admin
from paygres.server.http.documented import Application

_STRIPE_ROUTES = "/api/payments/stripe/"
_LONGEST_ECHO = 500
_USE_SQL = (
    "Connect to the database itself (psql with your DATABASE_URL) and create policies and triggers there,"
    " as the role that owns your tables."
)
_SECRETS_STAY = "Secrets only go in: set them in the server's environment, with PUT …/config or POST /api/secrets."
_LEFT_OUT = {
    "/api/metadata/api-key": (
        "API keys are stored as hashes and cannot be shown",
        "To rotate, POST /api/paygres/keys with rotate: true, or set ACCESS_API_KEY to a new value and restart;"
        " the old key holds for another 24 hours.",
    ),
    "/api/database/advance/rawsql": ("SQL over HTTP is not offered", _USE_SQL),
    "/api/database/advance/rawsql/unrestricted": ("SQL over HTTP is not offered", _USE_SQL),
    "/api/secrets": ("Secrets cannot be read over HTTP", _SECRETS_STAY),
    "/api/secrets/{key}": ("Secrets cannot be read over HTTP", _SECRETS_STAY),
}


async def unknown(request: Request) -> NotFound:
    """The refusal of every path or method that no route has; below `stripe/` only admins learn that."""
    path: str = request.scope["path"]
    if path.startswith(_STRIPE_ROUTES) and len(path) > len(_STRIPE_ROUTES):
        await require_admin(request)
    raw: bytes = request.scope.get("raw_path") or path.encode()
    query: bytes = request.scope["query_string"]
    original = (raw + (b"?" + query if query else b"")).decode("latin-1")
    shown = original if len(original) <= _LONGEST_ECHO else f"{original[:_LONGEST_ECHO]}…"
    return NotFound(
        f"Endpoint {shown} not found",
        next_actions="Please check the API documentation for available endpoints",
    )


def _left_out(path: str, message: str, next_actions: str) -> Route:
    async def refuse(request: Request) -> Response:
        await require_admin(request)
        raise NotFound(message, next_actions=next_actions)

    return Route(path, Application(refuse), methods=["GET", "POST", "PUT", "DELETE"])


ROUTES = [_left_out(path, *words) for path, words in _LEFT_OUT.items()]
