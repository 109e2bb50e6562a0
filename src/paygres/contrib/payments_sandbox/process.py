"""The sandbox as a process of ours: started, ready, stopped, and its log."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paygres.contrib.payments_sandbox.errors import SandboxError

LAST_LINES = 20
ENDS_WITHIN = 5.0


class Process:
    """`python -m paygres.sandbox`. `ready` is what it printed: url, secretKey, accountId …; it ends with us, however
    we end."""

    def __init__(self, arguments: Sequence[str], *, timeout: float, seed: Mapping[str, Any] | None = None) -> None:
        if importlib.util.find_spec("uvicorn") is None or importlib.util.find_spec("aiohttp") is None:
            raise SandboxError("The sandbox needs more than the SDK: pip install 'paygres[sandbox]'")
        self._folder = tempfile.TemporaryDirectory(prefix="paygres-sandbox-", ignore_cleanup_errors=True)
        self._log = Path(self._folder.name) / "log"
        if seed is not None:
            file = Path(self._folder.name) / "seed.json"
            file.write_text(json.dumps(seed, default=str), encoding="utf-8")
            arguments = [*arguments, "--seed", str(file)]
        command = [sys.executable, "-m", "paygres.sandbox", "--with-parent", *arguments]
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env={**os.environ}
            )
        try:
            self.ready: dict[str, Any] = json.loads(self._first_line(timeout))
        except BaseException:
            self.stop()
            raise

    def log(self) -> str:
        """The last lines that it logged."""
        try:
            lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-LAST_LINES:])

    def ended(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._child.poll()

    def stop(self) -> None:
        """Ends it and forgets its log. A second time does nothing."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        self._folder.cleanup()

    def _first_line(self, timeout: float) -> bytes:
        read: list[bytes] = []
        assert self._child.stdout is not None
        reading = threading.Thread(target=lambda out: read.append(out.readline()), args=(self._child.stdout,))
        reading.start()
        reading.join(timeout)
        if reading.is_alive():
            self._child.kill()
            reading.join()
            raise SandboxError(f"The sandbox was not ready within {timeout:g} s.", log=self.log())
        if not read[0]:
            code, said = self._child.wait(), self.log()
            if said.count("\n") == 0 and said:  # one sentence, which is how it refuses its arguments
                raise SandboxError(said)
            raise SandboxError(f"The sandbox ended with {code} before it was ready.", log=said)
        return read[0]
