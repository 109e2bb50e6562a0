"""A real server process for the tests of the HTTP shell, with tokens for every kind of caller."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import jwt

JWT_SECRET = "2f1c0a7b9d3e4f5061728394a5b6c7d8"
API_KEY = "ik_5e1f0c2d3b4a59687786f5e4d3c2b1a0"
ANON_KEY = "anon_0a1b2c3d4e5f60718293a4b5c6d7e8f9"
ADMIN_PASSWORD = "correct horse battery"
USER = "11111111-1111-4111-8111-111111111111"
CHECKOUT = "/api/payments/stripe/test/checkout-sessions"
STATUS = "/api/payments/stripe/status"
BODY: dict[str, Any] = {
    "mode": "payment",
    "lineItems": [{"priceId": "price_1Example", "quantity": 2}],
    "successUrl": "https://shop.example.com/ok?s={CHECKOUT_SESSION_ID}",
    "cancelUrl": "https://shop.example.com/no",
}


def environment(database_url: str, **more: str) -> dict[str, str]:
    """A whole environment for a server process; nothing of the developer's own leaks in."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "JWT_SECRET": JWT_SECRET,
        "ENCRYPTION_KEY": "9d8c7b6a5f4e3d2c1b0a99887766554433221100",
        "ACCESS_API_KEY": API_KEY,
        "ACCESS_ANON_KEY": ANON_KEY,
        "ROOT_ADMIN_USERNAME": "root",
        "ROOT_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "STRIPE_API_BASE": "http://127.0.0.1:9",
        "PAYGRES_LIMITS": "off",
        "PAYGRES_RETURN_ORIGINS": "https://shop.example.com",
        **more,
    }


def token(secret: str = JWT_SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """A JWT with exactly these claims."""
    return jwt.encode(claims, secret, algorithm=algorithm)


def bearer(credential: str) -> dict[str, str]:
    return {"authorization": f"Bearer {credential}"}


def user() -> dict[str, str]:
    return bearer(token(sub=USER, role="authenticated", exp=time.time() + 86400))


def admin() -> dict[str, str]:
    return bearer(API_KEY)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: `client` speaks to it, `database_url` is its database."""

    url: str
    client: httpx2.Client
    database_url: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def checkout(self, headers: Mapping[str, str] | None = None, **changes: Any) -> httpx2.Response:
        """POST a checkout whose body differs from a good one by `changes`."""
        return self.client.post(CHECKOUT, headers=headers or bearer(ANON_KEY), json={**BODY, **changes})


def start(env: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
    """A server process; it prints one line of JSON when it listens."""
    command = [sys.executable, "-m", "paygres.server", *(arguments or ("serve", "--port", "0"))]
    return subprocess.Popen(command, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def listening_url(process: subprocess.Popen[str]) -> str:
    """Read the log up to the line that says where the server listens."""
    assert process.stdout is not None
    for line in process.stdout:
        entry = json.loads(line)
        if entry["event"] == "listening":
            return entry["url"]
    raise AssertionError(f"the server did not start: {process.communicate()[1]}")


@contextmanager
def serving(env: Mapping[str, str]) -> Iterator[Server]:
    """A server until the end of the block."""
    process = start(env)
    try:
        url = listening_url(process)
        with httpx2.Client(base_url=url, timeout=10) as client:
            yield Server(url, client, env["DATABASE_URL"], process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=25)
