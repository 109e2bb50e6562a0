"""Who sends this request: the credential is chosen by its shape and never falls back to a weaker kind.
Buyers' routes use `runtime_caller`, admin routes `require_admin`; both come before anything else is read."""

from starlette.requests import Request

from paygres.server.auth.tokens import Claims
from paygres.server.caller import Caller
from paygres.server.errors import Authentication, PermissionDenied
from paygres.server.http.network import client_network
from paygres.server.http.parts import Parts, parts_of

CHECK_TOKEN = "Check the token is valid or login to get a new token."
CHECK_ADMIN = "Check the admin token is valid or login as admin to get a new token."


async def runtime_caller(request: Request) -> Caller | None:
    """The caller of a buyers' route; None for a valid API key, which is nobody's user token.

    The role may be one that no flow supports. Raises Authentication.
    """
    parts = parts_of(request)
    bearer, api_key = _credentials(request)
    claims = await _user_claims(parts, bearer, api_key)
    network = network_of(request)
    if claims is not None:
        sub = claims.sub if claims.role != "anon" else None
        return Caller(role=claims.role, sub=sub, email=claims.email, network=network)
    if bearer is not None and bearer.startswith("ik_"):
        await parts.keys.require_api_key(bearer)
        return None
    if api_key is not None:
        await parts.keys.require_api_key(api_key)
        return None
    if bearer is None:
        raise Authentication("No token provided", next_actions=CHECK_TOKEN)
    await parts.keys.require_anon_key(bearer)
    return Caller(role="anon", network=network)


async def require_admin(request: Request) -> str:
    """An API key or a project_admin token; returns who it is, for records of who did what."""
    parts = parts_of(request)
    bearer, api_key = _credentials(request)
    if bearer is not None and bearer.startswith("ik_"):
        await parts.keys.require_api_key(bearer)
        return "api-key"
    claims = await _user_claims(parts, bearer, api_key)
    if claims is None and api_key is not None:
        await parts.keys.require_api_key(api_key)
        return "api-key"
    if bearer is None:
        raise Authentication("No admin token provided", next_actions=CHECK_TOKEN)
    if claims is None:
        raise Authentication("Invalid token", code="AUTH_UNAUTHORIZED")
    if claims.role != "project_admin":
        raise PermissionDenied("Admin access required", next_actions=CHECK_ADMIN)
    return claims.sub


def network_of(request: Request) -> str:
    """The client's network in CIDR form, behind TRUST_PROXY proxies."""
    hops = parts_of(request).trust_proxy
    forwarded = ",".join(request.headers.getlist("x-forwarded-for")) if hops else ""
    peer = request.client.host if request.client is not None else None
    return client_network(peer, forwarded, hops)


async def access_claims(request: Request) -> Claims | None:
    """The claims of a valid access token; None for anything else, which is no reason to refuse."""
    bearer, _ = _credentials(request)
    try:
        return await _user_claims(parts_of(request), bearer, None)
    except Authentication:
        return None


async def _user_claims(parts: Parts, bearer: str | None, api_key: str | None) -> Claims | None:
    """Claims of a JWT; None when the credential is of another kind.

    An API key beside a JWT never overrides a valid one; beside an invalid one the API key counts.
    """
    if bearer is None or bearer.startswith(("ik_", "anon_")):
        return None
    try:
        return await parts.tokens.verify(bearer)
    except Authentication:
        if api_key is None:
            raise
        return None


def _credentials(request: Request) -> tuple[str | None, str | None]:
    """(Bearer token, x-api-key); `Bearer ` is case-sensitive with one space, other schemes count as none."""
    authorization: bytes | None = None
    api_key: bytes | None = None
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            if authorization is not None:
                raise Authentication("Send exactly one Authorization header", next_actions=CHECK_TOKEN)
            authorization = value
        elif name == b"x-api-key":
            if api_key is not None:
                raise Authentication("Send exactly one x-api-key header", next_actions=CHECK_TOKEN)
            api_key = value
    bearer = None
    if authorization is not None and authorization.startswith(b"Bearer "):
        bearer = authorization[7:].decode("latin-1")
    return bearer or None, api_key.decode("latin-1") if api_key else None
