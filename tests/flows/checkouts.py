"""A whole shop for tests of checkouts: PostgreSQL, the sandbox and the API server, each a real process."""

import socket
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx2
import orjson

from paygres.server.db.embedded import Urls
from paygres.server.flows.requests.checkout_sessions import CheckoutRequest, LineItem
from tests.flows.webhooks import sql
from tests.fresh_database import FreshDatabase, cloned, in_its_own_loop
from tests.http.running import ANON_KEY, BODY, CHECKOUT, Server, admin, bearer, environment, listening_url, start, token
from tests.sandbox.running import Sandbox

ADA, BOB = "user_ada", "22222222-2222-4222-8222-222222222222"
SESSIONS = "/v1/checkout/sessions"


def signed_in(sub: str) -> dict[str, str]:
    return bearer(token(sub=sub, role="authenticated", exp=time.time() + 600))


def guest(address: str) -> dict[str, str]:
    """A guest whose requests come through our proxy from this address."""
    return {**bearer(ANON_KEY), "x-forwarded-for": address}


def subject(kind: str, ident: str) -> dict[str, str]:
    return {"type": kind, "id": ident}


def checkout_request(price: str, **changes: Any) -> CheckoutRequest:
    """The same checkout for flows that are called directly; `changes` in the names of the model."""
    return CheckoutRequest(
        mode="payment",
        line_items=[LineItem(price_id=price, quantity=2)],
        success_url="https://shop.example.com/ok",
        cancel_url="https://shop.example.com/no",
    ).model_copy(update=changes)


def without_endpoints(sandbox: Sandbox) -> Sandbox:
    """Rid of the webhook endpoints of earlier tests, for whose undelivered events a connection would wait."""
    endpoints = sandbox.stripe.v1.webhook_endpoints
    for one in endpoints.list().data:
        endpoints.delete(one.id)
    return sandbox


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Shop:
    """One price to sell (`price`, 1500 minor units) and a server that sells it."""

    database: FreshDatabase
    sandbox: Sandbox
    server: Server
    price: str
    env: Mapping[str, str]

    def post(self, headers: Mapping[str, str] | None = None, **changes: Any) -> httpx2.Response:
        """A checkout of two pieces; `changes` replace fields of the body."""
        body = {**BODY, "lineItems": [{"priceId": self.price, "quantity": 2}], **changes}
        return self.server.client.post(CHECKOUT, headers=headers or bearer(ANON_KEY), json=body)

    def buy(self, headers: Mapping[str, str] | None = None, **changes: Any) -> dict[str, Any]:
        """The created session."""
        answer = self.post(headers, **changes)
        assert answer.status_code == 201, answer.text
        return answer.json()["checkoutSession"]

    def refused(self, status: int, headers: Mapping[str, str] | None = None, **changes: Any) -> dict[str, Any]:
        """The error of a checkout that must fail with this status."""
        answer = self.post(headers, **changes)
        assert answer.status_code == status, answer.text
        return answer.json()

    def sim(self, control: str, **asked: Any) -> dict[str, Any]:
        answer = self.sandbox.http.browser.post(f"/_sim/{control}", json=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pay(self, session: Mapping[str, Any]) -> None:
        """As the hosted page does it: returns when the webhook was answered."""
        self.sim("pay", session=session["checkoutSessionId"])

    def expire(self, session: Mapping[str, Any]) -> None:
        """As if 24 hours had passed; returns when the webhook has arrived."""
        self.sim("expire", session=session["checkoutSessionId"])
        self.wait(lambda: self.row(session["id"])["status"] == "expired")

    def row(self, row_id: str) -> dict[str, Any]:
        (found,) = self.sql("select * from payments.stripe_checkout_sessions where id = $1", uuid.UUID(row_id))
        return found

    def sent(self, row_id: str) -> dict[str, Any]:
        """What Stripe was sent, or will be."""
        (found,) = self.sql("select params from payments.checkout_attempts where id = $1", uuid.UUID(row_id))
        params: dict[str, Any] = orjson.loads(found["params"])
        return params

    def rows(self, key: str) -> list[dict[str, Any]]:
        """The rows of an idempotency key, oldest generation first."""
        return self.sql(
            "select * from payments.stripe_checkout_sessions where idempotency_key = $1 order by generation", key
        )

    def at_stripe(self, metadata_key: str) -> list[dict[str, Any]]:
        """What the sandbox holds of sessions stamped with this order."""
        listed = self.sandbox.http.api("GET", SESSIONS, {"limit": "100"}).json()["data"]
        return [one for one in listed if one["metadata"].get("order_id") == metadata_key]

    def sql(self, statement: str, *args: Any) -> list[dict[str, Any]]:
        return sql(self.database, statement, *args, role="paygres_service")

    def force(self, statement: str) -> None:
        """A statement that no trigger sees: how tests put a row into an old state."""

        async def run() -> None:
            connection = await asyncpg.connect(self.database.superuser_url)
            try:
                await connection.execute(f"set session_replication_role = replica; {statement}")
            finally:
                await connection.close()

        in_its_own_loop(run())

    @staticmethod
    def wait(until: Any, seconds: float = 8.0) -> None:
        deadline = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.02)

    # the server process

    def stop(self) -> None:
        self.server.client.close()
        self.server.process.terminate()
        self.server.process.communicate(timeout=25)

    def kill(self) -> None:
        """kill -9."""
        self.server.process.kill()
        self.server.process.communicate(timeout=10)
        self.server.client.close()

    def restart(self) -> None:
        """On the same port, with the same settings."""
        self.server = _started(self.env)


def _started(env: Mapping[str, str]) -> Server:
    process = start(env, "serve", "--port", env["PORT"])
    url = listening_url(process)
    return Server(url, httpx2.Client(base_url=url, timeout=30), env["DATABASE_URL"], process)


def shop_environment(database: FreshDatabase, sandbox: Sandbox, **more: str) -> dict[str, str]:
    """A server of its own port that talks to the sandbox, behind one proxy of ours."""
    return environment(
        database.server_url,
        **{
            "PORT": str(free_port()),
            "STRIPE_API_BASE": sandbox.url,
            "STRIPE_TEST_SECRET_KEY": sandbox.key,
            "TRUST_PROXY": "1",
            **more,
        },
    )


@contextmanager
def shop(postgres: Urls, **more: str) -> Iterator[Shop]:
    """Opened when the test environment is connected, its webhook endpoint included."""
    with cloned(postgres) as database, Sandbox() as sandbox:
        env = shop_environment(database, sandbox, **more)
        opened = Shop(database, sandbox, _started(env), sandbox.price(), env)
        try:
            opened.wait(lambda: _is_connected(opened.server), 15)
            yield opened
        finally:
            opened.stop()


def _is_connected(server: Server) -> bool:
    test, _ = server.client.get("/api/payments/stripe/status", headers=admin()).json()["connections"]
    return test["status"] == "connected" and test["lastSyncStatus"] == "succeeded"
