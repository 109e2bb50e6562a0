"""Paygres in a FastAPI or Starlette app: one AsyncClient for the process, one clone of it for each request.

app = FastAPI(lifespan=payments_lifespan())
install_error_handlers(app)

@app.post("/checkout")
async def checkout(payments: PaymentsDep): ...
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

import paygres
from paygres.client.client import AsyncPayments

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]
TokenOf = Callable[[Request], str | None]


def bearer_token(request: Request) -> str | None:
    """The token of `Authorization: Bearer …`, None without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def payments_lifespan(
    base_url: str | None = None,
    anon_key: str | None = None,
    *,
    token_of: TokenOf = bearer_token,
    within: Lifespan | None = None,
    **options: Any,
) -> Lifespan:
    """A lifespan that opens the client and closes it. `token_of` finds the user's token in a request; `within` is a
    lifespan of your own, entered after the client is open; the rest is as in `create_async_client`."""

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[Any]:
        async with AsyncExitStack() as stack:
            client = paygres.create_async_client(base_url, anon_key, **options)
            app.state.paygres = await stack.enter_async_context(client)
            app.state.paygres_token_of = token_of
            yield await stack.enter_async_context(within(app)) if within is not None else None

    return lifespan


def user_payments(request: Request) -> AsyncPayments:
    """The payments of the signed-in user; a request without a token is refused (401)."""
    client, token = _of(request)
    if token is None:
        raise paygres.AuthenticationError(
            "No token provided",
            status_code=401,
            error="AUTH_INVALID_CREDENTIALS",
            next_actions="Sign in, and send the token as Authorization: Bearer …",
        )
    return client.with_token(token).payments


def guest_payments(request: Request) -> AsyncPayments:
    """The payments of the user when there is a token, else of a guest."""
    client, token = _of(request)
    return client.with_token(token).payments if token is not None else client.payments


PaymentsDep = Annotated[AsyncPayments, Depends(user_payments)]
GuestPaymentsDep = Annotated[AsyncPayments, Depends(guest_payments)]


def install_error_handlers(app: FastAPI) -> None:
    """Answer a PaygresError as the server itself would: its status, its code, what to do. Without an answer of the
    server it is 503, so that callers try again."""

    @app.exception_handler(paygres.PaygresError)
    async def answer(request: Request, error: paygres.PaygresError) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        status = error.status_code if 400 <= error.status_code < 600 and error.status_code != 408 else 503
        body = {"error": error.error, "message": error.message, "statusCode": status}
        body |= {"nextActions": error.next_actions} if error.next_actions else {}
        body |= {"requestId": error.request_id} if error.request_id else {}
        headers: dict[str, str] = {}
        if isinstance(error, paygres.RateLimitError) and error.retry_after is not None:
            headers["retry-after"] = f"{error.retry_after:.0f}"
        return JSONResponse(body, status_code=status, headers=headers)


def _of(request: Request) -> tuple[paygres.AsyncClient, str | None]:
    client = getattr(request.app.state, "paygres", None)
    if client is None:
        raise RuntimeError(
            "Paygres is not open: make the app with FastAPI(lifespan=payments_lifespan()). A mounted app gets no"
            " lifespan of its own: give it to the outermost one, and read request.app there"
        )
    return client, request.app.state.paygres_token_of(request)
