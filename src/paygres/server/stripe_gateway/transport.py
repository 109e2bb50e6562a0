"""Requests to Stripe: what is sent is written here, how often it is tried again is the official library's to say.

Imported lazily, in a thread: the library is slow to load. Its clients would build the request, too, but format a
debug log nobody reads and look for coding tools in the environment, half of what a checkout costs this server.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import aiohttp
import stripe

from paygres import __version__
from paygres.server.errors import RateLimit
from paygres.server.stripe_gateway import errors as translated
from paygres.server.stripe_gateway.answer import read_object
from paygres.server.stripe_gateway.form import form

MAX_NETWORK_RETRIES = 2
_CONNECT_SECONDS = 5.0
_KEEP_ALIVE_SECONDS = 30.0

# Otherwise it reports timings with every request.
stripe.enable_telemetry = False


class Reply(NamedTuple):
    """An answer: its exact bytes and its headers, in any case."""

    raw: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class _Sending:
    """What every attempt of a request sends, and whether Stripe may have acted on one that brought no answer to it:
    the library tells of the last attempt only."""

    body: bytes | None
    in_doubt: bool = False


class Wire(stripe.AIOHTTPClient):
    """Our aiohttp session below the library's retries. Build it inside a running event loop."""

    def __init__(self, *, api_base: str, version: str, timeout: float, secure: bool) -> None:
        # No limit on connections: the budget bounds the rate; a slow Stripe must not make a queue here.
        connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            ssl=ssl.create_default_context(cafile=stripe.ca_bundle_path) if secure else False,
        )
        self._http = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        self._limits = aiohttp.ClientTimeout(total=timeout, sock_connect=_CONNECT_SECONDS)
        self._api_base = api_base
        self._always = {"Stripe-Version": version, "User-Agent": f"Paygres/{__version__}"}
        super().__init__(session=self._http)

    async def send(
        self, key: str, method: str, path: str, params: Mapping[str, Any], idempotency_key: str | None
    ) -> Reply:
        """Send one request with the library's retries; raises our errors, never a `stripe.*` exception."""
        url, body = self._api_base + path, form(params)
        headers = {**self._always, "Authorization": f"Bearer {key}"}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        if method == "post":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif body:
            url = f"{url}?{body}"
        sending = _Sending(body.encode() if method == "post" else None)
        try:
            raw, status, told = await self.request_with_retries_async(
                method, url, headers, sending, MAX_NETWORK_RETRIES
            )
        except stripe.APIConnectionError as error:
            raise translated.unreachable(error.user_message or type(error).__name__) from None
        if 200 <= status < 300:
            return Reply(raw, told)
        refusal = _refusal(status, raw, told)
        if isinstance(refusal, RateLimit):
            refusal.definite = not sending.in_doubt
        raise refusal

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One attempt. The library calls this inside its retry loop; `post_data` is a `_Sending`.

        The body is read here: a connection that breaks in the middle of an answer is a connection error.
        """
        sending = cast(_Sending, post_data)
        try:
            async with self._http.request(
                method,
                url,
                headers=headers,
                data=sending.body,
                timeout=self._limits,
                allow_redirects=False,
            ) as response:
                raw = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            sending.in_doubt = True
            raise stripe.APIConnectionError(_reason(error), should_retry=True) from error
        if response.status >= 500 or response.status == 409:
            sending.in_doubt = True
        return raw, response.status, response.headers

    async def close_async(self) -> None:
        """Close the session and give its sockets a turn of the loop to go away."""
        await self._http.close()
        await asyncio.sleep(0)


def _refusal(status: int, raw: bytes, headers: Mapping[str, str]) -> Exception:
    fault = (read_object(raw) or {}).get("error")
    if not isinstance(fault, dict):
        return translated.not_stripe(status)
    return translated.refused(status, cast(dict[str, Any], fault), headers.get("Retry-After"))


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "Stripe did not answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect to {error.host}:{error.port}"
    return f"the connection broke ({type(error).__name__})"
