"""`python -m` in a fork of a process that has imported everything already: a restart costs milliseconds instead of a
second, so that far more can be killed in the same time. What runs is the program itself, from its first line on."""

import ctypes
import os
import random
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence

# Preloaded by the process that forks. The programs load the library of Stripe and its transport by themselves, later.
import aiohttp
import stripe
import uvicorn
import uvloop

import paygres.sandbox.app
import paygres.server.app
from paygres.server.db.embedded_account import PR_SET_PDEATHSIG

PRELOADED = (aiohttp, stripe, uvicorn, uvloop, paygres.sandbox.app, paygres.server.app)


def run(arguments: Sequence[str], environment: Mapping[str, str], log: str) -> None:
    """Becomes `python -m arguments` with this environment and nothing else of ours; its output goes to the file."""
    if sys.platform == "linux":  # elsewhere an orphan is possible when the one that forks is killed
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = list(arguments)
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
