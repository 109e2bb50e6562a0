"""Stripe's own CLI at work against a sandbox: one command, or `stripe listen` for as long as a test needs it."""

import hashlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.judges import installed


class Cli:
    """The CLI with a configuration of its own, pointed at one sandbox."""

    def __init__(self, url: str, home: Path) -> None:
        self._url = url
        self._program = str(installed.stripe_cli())
        self._environment = {
            **os.environ,
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
        }

    def run(self, key: str, *arguments: str, seconds: float = 60) -> str:
        """What one command says on both of its channels."""
        ended = subprocess.run(
            [self._program, *arguments, *self._address(arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
            env={**self._environment, "STRIPE_API_KEY": key},
        )
        return ended.stdout

    def triggers(self) -> list[str]:
        """The events that `stripe trigger` offers."""
        offered = self.run("", "trigger", "--help").partition("Supported events:")[2].partition("Usage:")[0]
        return offered.split()

    @contextmanager
    def listen(self, key: str, *arguments: str) -> Iterator["Listener"]:
        """`stripe listen`, connected when the block begins."""
        started = subprocess.Popen(
            [self._program, "listen", *arguments, *self._address(arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**self._environment, "STRIPE_API_KEY": key},
        )
        listener = Listener(started)
        try:
            listener.wait("Ready!")
            yield listener
        finally:
            started.terminate()
            started.wait(10)
            listener.close()

    def _address(self, arguments: tuple[str, ...]) -> list[str]:
        return [] if "--help" in arguments else ["--api-base", self._url]


class Listener:
    """What a running `stripe listen` has said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.said = ""
        self._process = process
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def wait(self, words: str, count: int = 1, seconds: float = 15.0) -> None:
        until = time.monotonic() + seconds
        while self.said.count(words) < count:
            assert time.monotonic() < until, f"`stripe listen` did not say {words!r}: {self.said}"
            time.sleep(0.02)

    def close(self) -> None:
        self._reading.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said += line


def key_of(name: str) -> str:
    """A test key, and with it an account, of its own for each name."""
    return f"sk_test_51{hashlib.sha256(name.encode()).hexdigest()}"
