"""HTTP to a sandbox: its controls in JSON, Stripe's API in forms; refusals become exceptions."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2

from paygres.contrib.payments_sandbox.errors import Declined, SandboxError

# Longer than the payment page's wait for a webhook's answer, and than a long walk of the clock.
TIMEOUT = 60.0
LIVE = ("sk_live_", "rk_live_")


def refuse_live(key: str) -> None:
    if key.startswith(LIVE):
        raise SandboxError("This is a live key. The sandbox is a simulator and refuses it; so does this library.")


class Wire:
    """`log` answers the sandbox's last log lines, "" when it is not ours."""

    def __init__(self, url: str, secret_key: str, log: Callable[[], str]) -> None:
        self.url = url.rstrip("/")
        self.secret_key = secret_key
        self._log = log
        # A proxy from the environment cannot reach this machine's own loopback.
        self._client = httpx2.Client(base_url=self.url, timeout=TIMEOUT, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """A control that shows something."""
        return self._ask("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """A control that does something; what is None is left out."""
        return self._ask("POST", path, json={name: value for name, value in body.items() if value is not None})

    def delete(self, path: str) -> dict[str, Any]:
        """A control that takes something back."""
        return self._ask("DELETE", path)

    def stripe(self, method: str, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Stripe's API with our key."""
        fields = dict(_fields(params))
        sent = {"params": fields} if method.upper() in ("GET", "DELETE") else {"data": fields}
        return self._ask(method.upper(), path, headers={"Authorization": f"Bearer {self.secret_key}"}, **sent)

    def _ask(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        try:
            answer = self._client.request(method, path, **sent)
            if answer.status_code >= 500 and answer.headers.get("content-type") != "application/json":
                said = f"The sandbox failed at {method} {path} ({answer.status_code}); its log says how."
                raise SandboxError(said, status=answer.status_code, log=self._log())
            body: Any = answer.json()
        except httpx2.HTTPError as problem:
            said = f"The sandbox at {self.url} did not answer {method} {path}: {problem or type(problem).__name__}."
            raise SandboxError(said, log=self._log()) from None
        except ValueError:
            raise SandboxError(f"{self.url} is no sandbox of ours: {method} {path} answered no JSON.") from None
        if answer.is_success:
            return body
        error: dict[str, Any] = body.get("error") or {}
        message = str(error.get("message") or f"{method} {path} was answered {answer.status_code}.")
        if answer.status_code == 402:
            raise Declined(message, code=error.get("code"), decline_code=error.get("decline_code"))
        log = self._log() if answer.status_code >= 500 else ""
        raise SandboxError(message, status=answer.status_code, code=error.get("code"), log=log)


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Stripe's form encoding: `items[0][price]=…`."""
    if isinstance(value, Mapping):
        inner: Iterator[tuple[Any, Any]] = iter(value.items())
    elif isinstance(value, list | tuple):
        inner = iter(enumerate(value))
    else:
        yield name, "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        return
    for key, one in inner:
        yield from _fields(one, f"{name}[{key}]" if name else str(key))
