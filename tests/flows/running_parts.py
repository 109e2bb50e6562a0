"""The real parts on a fresh database, and the sandbox as a process, for tests that call flows directly."""

import json
import secrets
import string
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from paygres.server.app import running
from paygres.server.flows.parts import Parts
from paygres.server.settings import Settings
from tests.fresh_database import FreshDatabase

BASE_URL = "http://127.0.0.1:7130"
WEBHOOK_URL = f"{BASE_URL}/api/webhooks/stripe/test"


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox. Accounts appear when their key is first used, so every test has its own."""

    url: str

    @staticmethod
    def new_account() -> tuple[str, str]:
        """The letters that make an account, and a full key of it."""
        letters = "".join(secrets.choice(string.ascii_letters) for _ in range(15))
        return f"acct_1{letters}", f"sk_test_51{letters}{secrets.token_hex(20)}"


@contextmanager
def sandbox_process() -> Iterator[Sandbox]:
    """`python -m paygres.sandbox`, stopped at the end."""
    command = [sys.executable, "-m", "paygres.sandbox", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Sandbox(json.loads(process.stdout.readline())["url"])
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@asynccontextmanager
async def parts_on(database: FreshDatabase, stripe_url: str, **changes: Any) -> AsyncIterator[Parts]:
    """What the server runs with, talking to the Stripe at `stripe_url`."""
    settings = Settings(
        **{
            "database_url": database.server_url,
            "direct_database_url": database.owner_url,
            "jwt_secret": "a JWT secret of thirty-two letters and more",
            "encryption_key": "an encryption key of thirty-two letters",
            "admin_password": "an admin password",
            "api_base_url": BASE_URL,
            "stripe_api_base": stripe_url,
            **changes,
        }
    )
    async with running(settings) as parts:
        yield parts


async def rows(database: FreshDatabase, statement: str, *args: Any) -> list[dict[str, Any]]:
    """What the database says, read by its superuser."""
    connection = await asyncpg.connect(database.superuser_url)
    try:
        return [dict(row) for row in await connection.fetch(statement, *args)]
    finally:
        await connection.close()


async def endpoints(parts: Parts, key: str) -> list[dict[str, Any]]:
    """The account's webhook endpoints, oldest first."""
    answer = await parts.gateway.request(key, "get", "/v1/webhook_endpoints", {"limit": 100})
    return answer.object["data"][::-1]
