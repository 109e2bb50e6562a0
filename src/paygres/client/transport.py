"""The two shells that send a `Call`: one waits, one awaits. Everything they decide is decided elsewhere."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2

from paygres.client.calls import ANSWER_SECONDS, Answer, Call, read
from paygres.client.errors import NetworkError, PaygresError, RequestTimeoutError, from_answer, unparsable
from paygres.client.options import Options
from paygres.client.shapes import Told

Timeout = float | httpx2.Timeout


class Transport:
    """Sends, and sends again what may be sent again."""

    def __init__(self, options: Options, timeout: Timeout, client: httpx2.Client | None) -> None:
        self._options = options
        self._timeout = timeout
        self._owned = client is None
        self._client = client if client is not None else httpx2.Client(timeout=timeout)

    def send(self, call: Call[Answer], bearer: str | None) -> Answer:
        """The answer; raises `PaygresError`."""
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._client.send(_request(self._client, self._options, call, bearer, self._timeout))
            except httpx2.TimeoutException:
                raise _late(self._timeout) from None
            except httpx2.TransportError as error:
                if not self._options.retries.again(attempt, call.idempotent, None):
                    raise _unreachable(self._options, error) from None
            else:
                if not self._options.retries.again(attempt, call.idempotent, answer.status_code):
                    return _read(call, answer)
            time.sleep(self._options.retries.pause(attempt))

    def text(self, path: str, bearer: str, query: Mapping[str, str]) -> str:
        """What a GET answers that is no JSON; raises `PaygresError`."""
        call = Call("GET", path, Told, query=query)
        with self._reached():
            answer = self._client.send(_request(self._client, self._options, call, bearer, self._timeout))
        if not answer.is_success:
            raise from_answer(answer.status_code, answer.headers, _json(answer))
        return answer.text

    def lines(
        self,
        method: str,
        path: str,
        bearer: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        patience: float,
    ) -> Iterator[str]:
        """The lines of server-sent events, as they come; raises `PaygresError` for a refusal or a broken connection."""
        call = Call(method, path, Told, body=None if body is None else dict(body), patience=patience)
        request = _request(self._client, self._options, call, bearer, self._timeout)
        request.headers.update({"accept": "text/event-stream", **headers})
        with self._reached():
            answer = self._client.send(request, stream=True)
            try:
                if not answer.is_success:
                    answer.read()
                    raise from_answer(answer.status_code, answer.headers, _json(answer))
                yield from answer.iter_lines()
            finally:
                answer.close()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """What is not sent again: the library's failures in our words."""
        try:
            yield
        except httpx2.TimeoutException:
            raise _late(self._timeout) from None
        except httpx2.TransportError as error:
            raise _unreachable(self._options, error) from None

    def close(self) -> None:
        if self._owned:
            self._client.close()


class AsyncTransport:
    """`Transport` for an event loop."""

    def __init__(self, options: Options, timeout: Timeout, client: httpx2.AsyncClient | None) -> None:
        self._options = options
        self._timeout = timeout
        self._owned = client is None
        self._client = client if client is not None else httpx2.AsyncClient(timeout=timeout)

    async def send(self, call: Call[Answer], bearer: str | None) -> Answer:
        """The answer; raises `PaygresError`."""
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = await self._client.send(_request(self._client, self._options, call, bearer, self._timeout))
            except httpx2.TimeoutException:
                raise _late(self._timeout) from None
            except httpx2.TransportError as error:
                if not self._options.retries.again(attempt, call.idempotent, None):
                    raise _unreachable(self._options, error) from None
            else:
                if not self._options.retries.again(attempt, call.idempotent, answer.status_code):
                    return _read(call, answer)
            await asyncio.sleep(self._options.retries.pause(attempt))

    async def aclose(self) -> None:
        if self._owned:
            await self._client.aclose()


def _request(
    client: httpx2.Client | httpx2.AsyncClient,
    options: Options,
    call: Call[Any],
    bearer: str | None,
    timeout: Timeout,
) -> httpx2.Request:
    headers = {**options.headers, "accept": "application/json"}
    if bearer is not None:
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        headers["authorization"] = f"Bearer {bearer}"
    return client.build_request(
        call.method,
        f"{options.base_url}{call.path}",
        params=dict(call.query) or None,
        json=call.body,
        headers=headers,
        timeout=_patient(timeout, call.patience),
    )


def _patient(timeout: Timeout, patience: float) -> httpx2.Timeout:
    """The limit, widened for what the server was asked to wait for."""
    limit = timeout if isinstance(timeout, httpx2.Timeout) else httpx2.Timeout(timeout or None)
    if patience and limit.read is not None:
        longest = None if patience == float("inf") else max(limit.read, patience + ANSWER_SECONDS)
        parts = {**limit.as_dict(), "read": longest}
        return httpx2.Timeout(**parts)
    return limit


def _read(call: Call[Answer], answer: httpx2.Response) -> Answer:
    body = _json(answer)
    headers: Mapping[str, str] = answer.headers
    if not answer.is_success:
        raise from_answer(answer.status_code, headers, body)
    found = read(call.answer, body)
    if found is None:
        raise unparsable(answer.status_code, headers)
    return found


def _json(answer: httpx2.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _late(timeout: Timeout) -> PaygresError:
    limit = timeout.read if isinstance(timeout, httpx2.Timeout) else timeout
    return RequestTimeoutError(f"Request timed out after {limit:g} s" if limit else "Request timed out")


def _unreachable(options: Options, error: httpx2.TransportError) -> PaygresError:
    return NetworkError(f"Network request failed: {options.base_url}: {error or type(error).__name__}")
