"""The API as an application sees it: a few calls with a key, and the first of them connect the sandbox."""

from typing import Any

import httpx2

from paygres.cli.dev.errors import DevError

STRIPE = "/api/payments/stripe"


class Api:
    """One key's view of the API. Raises DevError with the API's own sentence."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx2.Client(base_url=url, headers=headers, timeout=30.0, trust_env=False)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer's JSON object."""
        try:
            answer = self._client.request(method, path, json=body)
        except httpx2.HTTPError as error:
            raise DevError(f"the API did not answer {method} {path}: {error!r}") from None
        if not answer.is_success:
            raise DevError(f"the API answered {answer.status_code} to {method} {path}: {answer.text[:500]}")
        return answer.json()

    def close(self) -> None:
        """Lets the connection go."""
        self._client.close()


def connect(api: Api, secret_key: str) -> dict[str, Any]:
    """Gives the API the sandbox's key, sees to webhook endpoint and first sync, returns the connection.

    Nothing is sent to Stripe when all of that is as it was left. The API does nothing for a key it already
    has, so an endpoint that points at an old port is renewed here.
    """
    found = _test_connection(api)
    if found["status"] != "connected" or not str(found["maskedKey"]).endswith(secret_key[-4:]):
        api.call("PUT", f"{STRIPE}/test/config", {"secretKey": secret_key})
        found = _test_connection(api)
    if found["webhookEndpointUrl"] != f"{api.url}/api/webhooks/stripe/test":
        api.call("POST", f"{STRIPE}/test/webhook")
    if found["lastSyncStatus"] != "succeeded":
        api.call("POST", f"{STRIPE}/test/sync")
    found = _test_connection(api)
    if found["status"] != "connected":
        raise DevError(f"the test environment is {found['status']}: {found['lastSyncError']}")
    return found


def _test_connection(api: Api) -> dict[str, Any]:
    connections: list[dict[str, Any]] = api.call("GET", f"{STRIPE}/status")["connections"]
    return next(c for c in connections if c["environment"] == "test")
