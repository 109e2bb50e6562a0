"""`create_client` and `create_async_client`: one pool of connections, cheap clones of it for each user."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import httpx2

from paygres.client.async_payments import AsyncStripePayments
from paygres.client.minted import user_token
from paygres.client.options import Options, Token, options
from paygres.client.payments import StripePayments
from paygres.client.transport import AsyncTransport, Timeout, Transport

DEFAULT_TIMEOUT = 30.0


class Payments:
    """`client.payments`: `stripe` is the one provider there is."""

    def __init__(self, stripe: StripePayments) -> None:
        self.stripe = stripe


class AsyncPayments:
    """`client.payments` of an AsyncClient."""

    def __init__(self, stripe: AsyncStripePayments) -> None:
        self.stripe = stripe


class Client:
    """For one user, or for guests. Immutable and safe to share between threads; `with` closes its connections."""

    def __init__(self, transport: Transport, options: Options, token: Token) -> None:
        self._transport = transport
        self._options = options
        self.payments = Payments(StripePayments(transport, options, token))

    def with_token(self, access_token: str | Callable[[], str | None] | None) -> "Client":
        """A clone for another user (None: a guest) that shares the connections. A callable is asked at each request."""
        return Client(self._transport, self._options, access_token)

    def as_user(
        self,
        sub: str,
        *,
        email: str | None = None,
        claims: Mapping[str, object] | None = None,
        ttl: int = 300,
        jwt_secret: str | None = None,
    ) -> "Client":
        """A clone for a user whom your own app has signed in, under a token of `ttl` seconds made with `jwt_secret`
        (else the environment's JWT_SECRET). On servers only: whoever has the secret is anybody."""
        return self.with_token(user_token(sub, email=email, claims=claims, ttl=ttl, jwt_secret=jwt_secret))

    def close(self) -> None:
        """Close the connections, of all clones; a given `http_client` stays open."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._options.base_url!r})"


class AsyncClient:
    """`Client` for an event loop; `async with` closes its connections."""

    def __init__(self, transport: AsyncTransport, options: Options, token: Token) -> None:
        self._transport = transport
        self._options = options
        self.payments = AsyncPayments(AsyncStripePayments(transport, options, token))

    def with_token(self, access_token: str | Callable[[], str | None] | None) -> "AsyncClient":
        """As `Client.with_token`."""
        return AsyncClient(self._transport, self._options, access_token)

    def as_user(
        self,
        sub: str,
        *,
        email: str | None = None,
        claims: Mapping[str, object] | None = None,
        ttl: int = 300,
        jwt_secret: str | None = None,
    ) -> "AsyncClient":
        """As `Client.as_user`."""
        return self.with_token(user_token(sub, email=email, claims=claims, ttl=ttl, jwt_secret=jwt_secret))

    async def aclose(self) -> None:
        """As `Client.close`."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncClient({self._options.base_url!r})"


def create_client(
    base_url: str | None = None,
    anon_key: str | None = None,
    *,
    access_token: str | Callable[[], str | None] | None = None,
    timeout: Timeout = DEFAULT_TIMEOUT,
    max_retries: int = 3,
    retry_delay: float = 0.5,
    headers: Mapping[str, str] | None = None,
    http_client: httpx2.Client | None = None,
) -> Client:
    """A client for users and guests. INSFORGE_URL and INSFORGE_ANON_KEY stand in for `base_url` and `anon_key`.

    `timeout` in seconds for each attempt, 0 for none. What fails with 500, 502, 503, 504 or without an answer is sent
    again `max_retries` times, after `retry_delay`, twice and four times that; a timeout or 429 never is, a checkout
    only under an idempotency key, a portal never. Raises ValidationError; an API key is refused here.
    """
    chosen = options(base_url, anon_key, headers, max_retries, retry_delay)
    return Client(Transport(chosen, timeout, http_client), chosen, access_token)


def create_async_client(
    base_url: str | None = None,
    anon_key: str | None = None,
    *,
    access_token: str | Callable[[], str | None] | None = None,
    timeout: Timeout = DEFAULT_TIMEOUT,
    max_retries: int = 3,
    retry_delay: float = 0.5,
    headers: Mapping[str, str] | None = None,
    http_client: httpx2.AsyncClient | None = None,
) -> AsyncClient:
    """As `create_client`, for an event loop. Not awaited itself."""
    chosen = options(base_url, anon_key, headers, max_retries, retry_delay)
    return AsyncClient(AsyncTransport(chosen, timeout, http_client), chosen, access_token)
