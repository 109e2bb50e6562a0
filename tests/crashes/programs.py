"""The processes that are killed and started again: PostgreSQL with its recovery, the server, the worker; and the
sandbox. All of them die with this process, however it ends."""

import asyncio
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from paygres.server.db.embedded import EmbeddedPostgres, Urls
from tests.crashes.forked import run
from tests.system.processes import gone

START_SECONDS = 60.0
END_SECONDS = 30.0


async def until(true: Callable[[], Any], what: str, seconds: float = START_SECONDS) -> Any:
    """The first truthy answer; raises TimeoutError with `what` when there is none in time."""
    give_up = time.monotonic() + seconds
    while not (answer := true()):
        if time.monotonic() > give_up:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(0.02)
    return answer


_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(["tests.crashes.forked"])


class Program:
    """`python -m arguments`; its output goes to a file, for whoever has to find out what went wrong."""

    def __init__(self, name: str, arguments: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._arguments = arguments
        self._environment = dict(environment)
        self._process: ForkServerProcess | None = None
        self.log.touch(0o600)

    def start(self) -> None:
        self._process = _forking.Process(target=run, args=(self._arguments, self._environment, str(self.log)))
        self._process.start()

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def kill(self) -> None:
        """kill -9, and gone when this returns."""
        if self._process is not None:
            self._process.kill()
            self._process.join()

    async def end(self) -> None:
        """SIGTERM; kill -9 for one that does not listen. The proxies must go on meanwhile."""
        if self._process is not None:
            self._process.terminate()
            await asyncio.to_thread(self._process.join, END_SECONDS)
            self.kill()

    async def listens(self, port: int) -> None:
        """Returns when it answers at the port; raises with its last words when it ended instead."""
        give_up = time.monotonic() + START_SECONDS
        while True:
            if not self.runs or time.monotonic() > give_up:
                raise RuntimeError(f"{self.name} did not start: {self.last_words()}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return

    async def said(self) -> dict[str, str]:
        """The line of JSON that says it is ready."""
        return json.loads(await until(lambda: self.log.read_text().partition("\n")[0], f"{self.name} is ready"))

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


class Cluster:
    """An embedded PostgreSQL whose commits are on disk, since it is killed with all its processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: EmbeddedPostgres | None = None
        self._files = Path()
        self.urls: Urls

    def start(self) -> None:
        """From the main thread; recovers from a kill. Blocks until it is ready, half a second or so."""
        self._server = EmbeddedPostgres(self._folder)
        self.urls = self._server.start()

    async def find(self) -> None:
        """Once, while it runs: where its files are."""
        connection = await asyncpg.connect(self.urls.superuser)
        self._files = Path(await connection.fetchval("show data_directory"))
        await connection.close()

    def kill(self) -> None:
        """kill -9 the postmaster and everything below it."""
        postmaster = psutil.Process(int((self._files / "postmaster.pid").read_text().split()[0]))
        everyone = [postmaster, *postmaster.children(recursive=True)]
        for process in everyone:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        give_up = time.monotonic() + 10
        while not gone(everyone[1:]) and time.monotonic() < give_up:
            time.sleep(0.005)
        self.stop()  # lets the folder go; there is nothing left to stop

    @property
    def is_down(self) -> bool:
        return self._server is None or self._server.exit_code is not None

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
