"""`paygres dev --json` as a test sees it: started, ready, its rows read, ended."""

import json
import socket
import subprocess
from pathlib import Path
from typing import Self

import asyncpg
import psutil

from tests.fresh_database import in_its_own_loop
from tests.system.processes import LIMIT, end, family, spawn

COMMAND = ("paygres.cli.main", "dev")


class Dev:
    """A running installation; `with` ends it by SIGTERM."""

    def __init__(self, folder: Path, *options: str) -> None:
        port = str(free_port())
        self.folder = folder
        self.process = spawn(*COMMAND, "--json", "--data-dir", str(folder), "--port", port, *options)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        self.line = line
        self.ready: dict[str, str] = json.loads(line)
        self.family = family(self.process)

    def child(self, *words: str) -> psutil.Process:
        """The process whose command line has all these words."""
        return next(p for p in self.family if all(word in p.cmdline() for word in words))

    def value(self, statement: str, *arguments: object) -> object:
        """One value, read as the developer would with `databaseUrl`."""
        return in_its_own_loop(read(self.ready["databaseUrl"], statement, *arguments))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        end(self.process)


async def read(url: str, statement: str, *arguments: object) -> object:
    """The first column of the first row."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def refused(*options: str, **environment: str) -> tuple[int, str]:
    """Runs `paygres dev` to its end; the exit code and what it said on stderr."""
    process: subprocess.Popen[str] = spawn(*COMMAND, *options, **environment)
    _, said = process.communicate(timeout=LIMIT)
    return process.returncode, said.strip()
