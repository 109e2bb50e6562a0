"""Commands that are other programs of ours: this process becomes them; signals and exit codes are theirs."""

import importlib.util
import os
import sys
from typing import NoReturn


def become(module: str, arguments: list[str]) -> NoReturn:
    """Replaces this process by `python -m module arguments`; ModuleNotFoundError without its extra."""
    if importlib.util.find_spec("uvicorn") is None:
        raise ModuleNotFoundError("uvicorn is not installed", name="uvicorn")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
