"""The official library on one aiohttp session. Imported lazily, in a thread: it is slow to load.

Two things the library does not do: the body is read inside the error boundary (a connection that breaks in
the middle of an answer is a connection error), and good bodies bypass its JSON reader and its debug log.
"""

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, cast

import aiohttp
import stripe

from paygres.server.errors import RateLimit
from paygres.server.stripe_gateway import errors as translated

MAX_NETWORK_RETRIES = 2
_CONNECT_SECONDS = 5.0
_KEEP_ALIVE_SECONDS = 30.0

# Whether Stripe may have acted on an attempt of the request that is being sent, for all that its answer says: the
# library tells of the last attempt only.
_in_doubt: ContextVar[bool] = ContextVar("in_doubt", default=False)

# Otherwise it writes an id into the home directory and reports platform and timings with every request.
stripe.enable_telemetry = False


class Reply(Mapping[str, str]):
    """An answer's headers (case-insensitive, as the library expects) with its exact bytes."""

    __slots__ = ("_headers", "raw")

    def __init__(self, headers: Mapping[str, str], raw: bytes) -> None:
        self._headers = headers
        self.raw = raw

    def __getitem__(self, name: str) -> str:
        return self._headers[name]

    def __contains__(self, name: object) -> bool:
        return name in self._headers

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)


class Wire(stripe.AIOHTTPClient):
    """Our aiohttp session behind the library's retries. Build it inside a running event loop."""

    def __init__(self, *, timeout: float, secure: bool) -> None:
        # No limit on connections: the budget bounds the rate; a slow Stripe must not make a queue here.
        connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            ssl=ssl.create_default_context(cafile=stripe.ca_bundle_path) if secure else False,
        )
        self._http = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        self._limits = aiohttp.ClientTimeout(total=timeout, sock_connect=_CONNECT_SECONDS)
        super().__init__(session=self._http)

    def client(self, key: str, *, api_base: str, version: str) -> stripe.StripeClient:
        """A client for `key` on the shared session, with version and retries stated."""
        return stripe.StripeClient(
            key,
            stripe_version=version,
            max_network_retries=MAX_NETWORK_RETRIES,
            base_addresses={"api": api_base},
            http_client=self,
        )

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One attempt. The library calls this inside its retry loop."""
        body = post_data.encode() if isinstance(post_data, str) else post_data
        try:
            async with self._http.request(
                method,
                url,
                headers=_without_traces(headers),
                data=body,
                timeout=self._limits,
                allow_redirects=False,
            ) as response:
                raw = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _in_doubt.set(True)
            raise stripe.APIConnectionError(_reason(error), should_retry=True) from error
        if response.status >= 500 or response.status == 409:
            _in_doubt.set(True)
        reply = Reply(response.headers, raw)
        return (b"{}" if 200 <= response.status < 300 else raw), response.status, reply

    async def close_async(self) -> None:
        """Close the session and give its sockets a turn of the loop to go away."""
        await self._http.close()
        await asyncio.sleep(0)


async def call(
    client: stripe.StripeClient,
    method: str,
    path: str,
    params: Mapping[str, Any],
    idempotency_key: str | None,
) -> Reply:
    """Send one request with the library's retries; raises our errors, never a `stripe.*` exception."""
    options = {"idempotency_key": idempotency_key} if idempotency_key else {}
    _in_doubt.set(False)
    try:
        response = await client.raw_request_async(method, path, **params, **options)
    except stripe.StripeError as error:
        told = _translate(error)
        if isinstance(told, RateLimit):
            told.definite = not _in_doubt.get()
        raise told from None  # its arguments hold the raw body and headers
    return cast(Reply, response.headers)


def _translate(error: stripe.StripeError) -> Exception:
    if error.http_status is None:
        return translated.unreachable(error.user_message or type(error).__name__)
    body = error.json_body
    fault = cast(dict[str, Any], body).get("error") if isinstance(body, dict) else None
    if not isinstance(fault, dict):
        return translated.not_stripe(error.http_status)
    headers: Mapping[str, str] = error.headers or {}
    return translated.refused(error.http_status, cast(dict[str, Any], fault), headers.get("retry-after"))


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "Stripe did not answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect to {error.host}:{error.port}"
    return f"the connection broke ({type(error).__name__})"


def _without_traces(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The library names coding tools it finds in the environment; what runs us is nobody's business."""
    agent = headers.get("User-Agent", "")
    if " AIAgent/" not in agent:
        return headers
    kept = {name: value for name, value in headers.items() if name != "X-Stripe-Client-User-Agent"}
    kept["User-Agent"] = agent.partition(" AIAgent/")[0]
    return kept
