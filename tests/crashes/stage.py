"""Everything that runs: PostgreSQL, the sandbox, the proxies, server and worker; what is sold, and whose shop it is."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx2

from paygres.server.db.migrate import migrate
from tests.crashes.programs import Cluster, Program
from tests.crashes.wire import Proxy, Strike
from tests.flows.checkouts import free_port
from tests.http.running import STATUS, admin, environment

SECRET = "whsec_0123456789abcdef0123456789abcdef"
SHOP = Path(__file__).with_name("shop.sql")
# Stripe's schedule, compressed from days to seconds: an outage outlasts no delivery.
RETRIES = ",".join(["0.3", "0.6", "1", "1.5", *["2"] * 26])
SANDBOX = ("--retries", RETRIES, "--delivery-width", "8", "--delivery-timeout", "5", "--redirect-hold", "0.01",
           "--settle-after", "0.5")  # fmt: skip


@dataclass
class Stage:
    """`stripe` speaks to the sandbox with the key, `api` to the server; both forgive nothing. `beside`: another server
    and another worker, if wanted, whom nobody kills; `apis` speak to both servers."""

    cluster: Cluster
    sandbox: Program
    server: Program
    worker: Program
    port: int
    stripe: httpx2.AsyncClient
    api: httpx2.AsyncClient
    environments: Mapping[str, Mapping[str, str]]
    folder: Path
    beside: list[Program] = field(default_factory=list[Program])
    apis: list[httpx2.AsyncClient] = field(default_factory=list[httpx2.AsyncClient])
    before: set[str] = field(default_factory=set[str])  # events from before the shop opened
    prices: dict[str, str] = field(default_factory=dict[str, str])

    async def start_server(self) -> None:
        self.server.start()
        await self.server.listens(self.port)

    async def at_stripe(self, method: str, path: str, form: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """An answer of the sandbox's API; raises unless it is a success."""
        query = form if method == "GET" else None
        answer = await self.stripe.request(method, path, params=query, data=None if query else form)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def listed(self, path: str, **narrowed: str) -> list[dict[str, Any]]:
        """Every object of a list at Stripe, oldest first."""
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {"has_more": True}
        while page["has_more"]:
            cursor = {"starting_after": found[-1]["id"]} if found else {}
            page = await self.at_stripe("GET", path, {"limit": "100", **narrowed, **cursor})
            found += page["data"]
        return found[::-1]

    async def sim(self, control: str, **asked: Any) -> dict[str, Any]:
        """One of the sandbox's test controls."""
        answer = await self.stripe.post(f"/_sim/{control}", json=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def counts(self) -> dict[str, int]:
        return (await self.stripe.get("/_sim/deliveries/counts")).json()

    async def rows(self, statement: str, *args: Any, database: str = "paygres") -> list[dict[str, Any]]:
        """As the superuser, past the proxies."""
        connection = await asyncpg.connect(at(self.cluster.urls.superuser, database))
        try:
            return [dict(row) for row in await connection.fetch(statement, *args)]
        finally:
            await connection.close()

    async def force(self, statements: str, database: str = "paygres") -> None:
        """Several statements that no trigger sees."""
        connection = await asyncpg.connect(at(self.cluster.urls.superuser, database))
        try:
            await connection.execute(f"set session_replication_role = replica; {statements}")
        finally:
            await connection.close()


def at(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@asynccontextmanager
async def standing(cluster: Cluster, folder: Path, strike: Strike, *, beside: bool) -> AsyncIterator[Stage]:
    """A shop that is connected and open. `cluster` runs; whatever else was started has ended afterwards."""
    await cluster.find()
    await migrate(cluster.urls.owner, server_role="paygres_server")
    started: list[Program] = []
    listening = [Proxy(name, int(urlsplit(cluster.urls.server).port or 0), strike) for name in ("server", "worker")]
    try:
        for proxy in listening:
            await proxy.listen()
        sandbox = Program("sandbox", ["paygres.sandbox", *SANDBOX], environment(""), folder)
        started.append(sandbox)
        sandbox.start()
        ready = await sandbox.said()
        port, other = free_port(), free_port()
        own = {
            "PORT": str(port),
            "API_BASE_URL": f"http://127.0.0.1:{port}",
            "STRIPE_API_BASE": ready["url"],
            "STRIPE_TEST_SECRET_KEY": ready["secretKey"],
            "STRIPE_TEST_WEBHOOK_SECRET": SECRET,
            "PAYGRES_POOL_SIZE": "5",
        }
        ways = {proxy.program: environment(proxy.url(cluster.urls.server), **own) for proxy in listening}
        server = Program("server", ["paygres.server", "serve", "--no-worker"], ways["server"], folder)
        worker = Program("worker", ["paygres.server", "worker"], ways["worker"], folder)
        started += [server, worker]
        key = {"authorization": f"Bearer {ready['secretKey']}"}
        async with (
            # PostgreSQL's recovery blocks this loop for seconds: a connection may have been closed meanwhile.
            httpx2.AsyncClient(
                base_url=ready["url"], headers=key, timeout=30, limits=httpx2.Limits(keepalive_expiry=1.0)
            ) as stripe,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=25) as api,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{other}", timeout=25) as other_api,
        ):
            stage = Stage(cluster, sandbox, server, worker, port, stripe, api, ways, folder, apis=[api])
            await _open(stage)
            if beside:
                stage.beside = _others(stage, other)
                started += stage.beside
                for program in stage.beside:
                    program.start()
                await stage.beside[0].listens(other)
                stage.apis.append(other_api)
            yield stage
    finally:
        for program in reversed(started):
            await program.end()
        for proxy in listening:
            proxy.close()


def _others(stage: Stage, port: int) -> list[Program]:
    """A server and a worker that go straight to PostgreSQL: nobody kills them, they meet what the dead left behind."""
    direct = {"DATABASE_URL": stage.cluster.urls.server, "PORT": str(port)}
    return [
        Program(f"other-{name}", arguments, {**stage.environments[name], **direct}, stage.folder)
        for name, arguments in (
            ("server", ["paygres.server", "serve", "--no-worker"]),
            ("worker", ["paygres.server", "worker"]),
        )
    ]


async def _open(stage: Stage) -> None:
    product = (await stage.at_stripe("POST", "/v1/products", {"name": "Pocket notebook"}))["id"]
    for name, more in {
        "usd": {"currency": "usd"},
        "eur": {"currency": "eur"},
        "monthly": {"currency": "usd", "recurring[interval]": "month"},
    }.items():
        price = {"product": product, "unit_amount": "1500", **more}
        stage.prices[name] = (await stage.at_stripe("POST", "/v1/prices", price))["id"]
    await stage.start_server()
    give_up = time.monotonic() + 30
    while not await _is_connected(stage.api):
        assert time.monotonic() < give_up, stage.server.last_words()
        await asyncio.sleep(0.05)
    connection = await asyncpg.connect(stage.cluster.urls.owner)
    await connection.execute(SHOP.read_text("utf-8"))
    await connection.close()
    await stage.server.end()
    stage.before = {event["id"] for event in await stage.listed("/v1/events")}
    await stage.rows("create database calm template paygres owner paygres_owner", database="postgres")
    await stage.start_server()
    stage.worker.start()


async def _is_connected(api: httpx2.AsyncClient) -> bool:
    test, _ = (await api.get(STATUS, headers=admin())).json()["connections"]
    return test["status"] == "connected" and test["lastSyncStatus"] == "succeeded"
