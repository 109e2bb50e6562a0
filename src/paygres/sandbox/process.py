"""The sandbox's process: listens, opens the sandbox, tells that it is ready, ends on a signal."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator

import orjson
import uvicorn

from paygres.sandbox.objects.catalog import find_route
from paygres.sandbox.opening import opening_of
from paygres.sandbox.seed_file.text import SeedError
from paygres.sandbox.serving import server_config, spare_collections
from paygres.sandbox.settings import Settings
from paygres.sandbox.stage import Stage
from paygres.sandbox.store import StateError

BACKLOG = 2048
EXIT_REJECTED = 8


def run(settings: Settings) -> int:
    """Serves until it is told to stop; the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    try:
        if settings.state is not None:
            settings.state.parent.mkdir(parents=True, exist_ok=True)
        with asyncio.Runner(loop_factory=uvicorn.Config("", loop="auto").get_loop_factory()) as runner:
            runner.run(serve(settings))
    except StateError as problem:
        print(problem, file=sys.stderr)
        return 1
    except SeedError as problem:
        print(problem, file=sys.stderr)
        return EXIT_REJECTED
    except OSError as problem:
        print(f"The sandbox cannot listen on {settings.host}:{settings.port}: {problem.strerror}", file=sys.stderr)
        return 1
    return 0


async def serve(settings: Settings) -> None:
    with listen(settings.host, settings.port) as listening:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        stage = Stage(settings, opening_of(settings), f"http://{host}:{listening.getsockname()[1]}")
        find_route("GET", "/v1/account")
        server = Server(server_config(stage))

        async def announce() -> None:
            await server.is_ready.wait()
            spare_collections()
            sys.stdout.write(orjson.dumps(stage.ready).decode() + "\n")
            sys.stdout.flush()

        if settings.with_parent:
            threading.Thread(target=end_with_standard_input, daemon=True).start()
        announcing = asyncio.create_task(announce())
        try:
            await server.serve(sockets=[listening])
        finally:
            announcing.cancel()


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


def end_with_standard_input() -> None:
    """Waits for the end of standard input, which the system closes when our parent dies, however it dies."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


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
