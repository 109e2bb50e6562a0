"""The thin HTTP part: one request, its JSON object, and the server's own words when it refuses.

Errors become Failures with the exit code of their kind. No retries: the caller decides.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2

from paygres import __version__
from paygres.cli import exit_codes
from paygres.cli.failure import Failure
from paygres.cli.project import Link

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NOT_THERE = (
    "Payments are not available on this backend. Is this the address of a Paygres server, and is it up to date?"
)
Events = Iterator[tuple[str, dict[str, Any]]]


class Backend:
    """One server, one credential. `timeout` is in seconds, for every read."""

    def __init__(self, link: Link, *, timeout: float) -> None:
        self._url = link.url
        parts = urlsplit(link.url)
        self._host = parts.netloc
        self._timeout = timeout
        self._client = httpx2.Client(
            headers={
                "Authorization": f"Bearer {link.key}",
                "Content-Type": "application/json",
                "User-Agent": f"paygres-cli/{__version__}",
            },
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 10.0)),
            # A proxy from the environment cannot reach this machine's own loopback.
            trust_env=parts.hostname not in _LOOPBACK,
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """The answer's JSON object."""
        content = None if body is None else json.dumps(body).encode()
        try:
            answer = self._client.request(method, self._url + path, content=content, params=query)
        except httpx2.HTTPError as error:
            raise self._unreachable(error) from None
        return self._read(path, answer)

    def events(self, method: str, path: str, *, body: dict[str, Any] | None = None) -> Events:
        """(event, its JSON object) of a stream of server-sent events; a plain answer is one `result`."""
        content = None if body is None else json.dumps(body).encode()
        accept = {"Accept": "text/event-stream"}
        try:
            with self._client.stream(method, self._url + path, headers=accept, content=content) as answer:
                if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                    answer.read()
                    yield "result", self._read(path, answer)
                    return
                yield from _events(answer.iter_lines())
        except httpx2.HTTPError as error:
            raise self._unreachable(error) from None
        except ValueError:
            raise Failure(f"{self._host} sent an event that is no JSON.", code="INVALID_ANSWER") from None

    def close(self) -> None:
        """Lets the connection go."""
        self._client.close()

    def _read(self, path: str, answer: httpx2.Response) -> dict[str, Any]:
        try:
            found: object = answer.json()
        except ValueError:
            found = None
        body: dict[str, Any] | None = found if isinstance(found, dict) else None
        if answer.is_success and body is not None:
            return body
        if answer.is_success or answer.is_redirect:
            where = answer.headers.get("location")
            raise Failure(
                f"{self._host} did not answer like a Paygres server"
                + (f": it redirects to {where}." if where else "."),
                code="INVALID_ANSWER",
                status=answer.status_code,
                next_actions="Check the address: --url, PAYGRES_URL or .insforge/project.json.",
            )
        raise refusal(path, answer.status_code, body or {}, answer.headers)

    def _unreachable(self, error: httpx2.HTTPError) -> Failure:
        if isinstance(error, httpx2.ConnectTimeout | httpx2.ReadTimeout | httpx2.WriteTimeout | httpx2.PoolTimeout):
            said = f"{self._host} did not answer within {self._timeout:g} s."
            advice = "It may still be at work. Look before you repeat it, or allow more time with --timeout."
        elif isinstance(error, httpx2.ConnectError):
            reason = str(error).lower()
            refused = "refused" in reason or "all connection attempts failed" in reason
            said = f"Connection to {self._host} refused." if refused else f"Cannot connect to {self._host}: {error}."
            advice = "Is the server running (paygres serve), and is the address right?"
        else:
            said = f"The connection to {self._host} broke: {str(error) or type(error).__name__}."
            advice = "Look with `paygres status` whether it was done before you repeat it."
        return Failure(said, exit_code=exit_codes.UNREACHABLE, code="NETWORK_ERROR", next_actions=advice)


def refusal(path: str, status: int, body: dict[str, Any], headers: Any = None) -> Failure:
    """The Failure for an error body {error, message, nextActions?, requestId?}; any of them may be missing."""
    code, message = _text(body, "error"), _text(body, "message")
    next_actions = _text(body, "nextActions")
    sent: dict[str, str] = headers or {}
    if status == 404 and code in (None, "NOT_FOUND") and path.startswith("/api/payments"):
        message, next_actions = _NOT_THERE, None
    retry_after = sent.get("retry-after")
    if next_actions is None and retry_after:
        next_actions = f"Try again in {retry_after} s."
    return Failure(
        message or code or f"The server answered {status} without a reason.",
        exit_code=exit_codes.for_answer(status, code),
        code=code,
        status=status,
        next_actions=next_actions,
        request_id=_text(body, "requestId") or sent.get("x-request-id"),
    )


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) and value else None


def _events(lines: Iterator[str]) -> Events:
    """Events are parted by empty lines; comments and other fields are passed over."""
    name, content = "message", ""
    for line in lines:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            content += line[5:].removeprefix(" ")
        elif not line:
            if content:
                found: object = json.loads(content)
                yield name, found if isinstance(found, dict) else {}
            name, content = "message", ""
