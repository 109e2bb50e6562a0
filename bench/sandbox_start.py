"""How long the sandbox takes from the start of its process to the first answer of its API."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.processes import cpu_seconds, stop


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the process's start to its first answer, and the CPU time of that."""

    answered: float
    cpu: float


def first_answer(folder: Path, environment: Mapping[str, str]) -> Start:
    with (folder / "start.err").open("wb") as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "paygres.sandbox"], stdout=subprocess.PIPE, stderr=err, env=dict(environment)
        )
    try:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        connection = http.client.HTTPConnection("127.0.0.1", int(line["url"].rpartition(":")[2]))
        connection.request("GET", "/v1/account", headers={"Authorization": f"Bearer {line['secretKey']}"})
        connection.getresponse().read()
        answered = time.perf_counter() - began
        connection.close()
        return Start(answered, cpu_seconds(process.pid))
    finally:
        stop(process)
