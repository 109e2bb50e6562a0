"""`python -m paygres.sandbox`: starts the sandbox, prints one JSON line when it is ready, stops on SIGTERM."""

import argparse
import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import uvicorn

from paygres.sandbox.app import create_app
from paygres.sandbox.objects import account as accounts
from paygres.sandbox.objects import checkout_sessions
from paygres.sandbox.objects.catalog import find_route
from paygres.sandbox.settings import Settings
from paygres.sandbox.store import StateError
from paygres.sandbox.wire.authorization import new_account
from paygres.sandbox.world import World

BACKLOG = 2048


def read_settings(arguments: list[str]) -> Settings:
    parser = argparse.ArgumentParser(
        prog="python -m paygres.sandbox", description="A local Stripe for development and tests. Not Stripe."
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=0, help="0 takes any free port (default)")
    add("--state", type=Path, metavar="FILE", help="keep the state in this SQLite file (default: forget it)")
    add("--latency", type=float, default=0.0, metavar="SECONDS", help="wait before answering each POST under /v1")
    add("--validate", action="store_true", help="check every answer and event against Stripe's schemas")
    add("--account-seed", metavar="TEXT", help="the same text gives the same account and key")
    add("--retries", default="1,5,30", metavar="SECONDS,…", help="waits between delivery tries (default: %(default)s)")
    add("--delivery-timeout", type=float, default=10.0, metavar="SECONDS")
    add("--delivery-width", type=int, default=1, metavar="N", help="deliveries to one endpoint at the same time")
    add("--redirect-hold", type=float, default=10.0, metavar="SECONDS", help="longest wait for the webhook's answer")
    add("--settle-after", type=float, default=2.0, metavar="SECONDS", help="when charge.updated follows a payment")
    add(
        "--limits",
        nargs="?",
        const="25,25",
        metavar="N,N",
        help="answer 429 beyond so many requests a second, of an account and of one endpoint (alone: Stripe's 25,25)",
    )
    given = parser.parse_args(arguments)
    try:
        retries = tuple(float(wait) for wait in given.retries.split(",") if wait.strip())
    except ValueError:
        parser.error(f"argument --retries: not a list of seconds: {given.retries!r}")
    given.retries = retries
    if given.limits is not None:
        try:
            account, endpoint = (float(rate) for rate in given.limits.split(","))
            given.limits = (account, endpoint)
        except ValueError:
            parser.error(f"argument --limits: not two numbers: {given.limits!r}")
    return Settings(**vars(given))


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen(BACKLOG)
    return listening


def open_account(world: World) -> tuple[str, str]:
    """(account id, secret key): made once, then kept in the state."""
    account, key = world.store.fact("account"), world.store.fact("secret_key")
    if account is None or key is None:
        account, key = new_account(world.settings.account_seed)
        with world.store.transaction():
            world.store.set_fact("account", account)
            world.store.set_fact("secret_key", key)
    with world.work(account) as work:
        accounts.ensure(work)
    return account, key


class Server(uvicorn.Server):
    """Ends with exit code 0 on SIGTERM and SIGINT, where uvicorn's own would die of the signal."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.is_ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def serve(settings: Settings) -> None:
    listening = listen(settings.host, settings.port)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    world = World(settings)
    world.origin = f"http://{host}:{listening.getsockname()[1]}"
    account, key = open_account(world)
    checkout_sessions.move_open_pages(world)
    find_route("GET", "/v1/account")
    config = uvicorn.Config(
        create_app(world), log_level="warning", access_log=False, lifespan="on", ws="none", timeout_graceful_shutdown=3
    )
    server = Server(config)

    async def announce() -> None:
        await server.is_ready.wait()
        ready = {"url": world.origin, "secretKey": key, "accountId": account}
        sys.stdout.write(orjson.dumps(ready).decode() + "\n")
        sys.stdout.flush()

    announcing = asyncio.create_task(announce())
    try:
        await server.serve(sockets=[listening])
    finally:
        announcing.cancel()


def main() -> int:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    settings = read_settings(sys.argv[1:])
    try:
        if settings.state is not None:
            settings.state.parent.mkdir(parents=True, exist_ok=True)
        with asyncio.Runner(loop_factory=uvicorn.Config("", loop="auto").get_loop_factory()) as runner:
            runner.run(serve(settings))
    except StateError as problem:
        print(problem, file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"The sandbox cannot listen on {settings.host}:{settings.port}: {problem.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
