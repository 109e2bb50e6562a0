"""Where the programs of others are that judge ours: Node, npm's packages, Stripe's CLI, an older stripe-python, a
browser. The only place where a test may be skipped: what is missing here is optional on a developer's machine, and
required where JUDGES=required (`.ci/run` sets it)."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER = Path(__file__).resolve().parents[2] / ".judges"
REQUIRED = os.environ.get("JUDGES") == "required"
INSTALL = "python3 run.py judges"
OLDEST_NODE = 20
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# A browser for tests: as root, without a screen, silent on the network.
BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def node() -> str:
    """The `node` program, new enough for Stripe's library."""
    found = shutil.which("node") or _missing("Node.js", "apt install nodejs npm, or nodejs.org")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        _missing(f"Node.js {OLDEST_NODE} (found {version})", "nodejs.org, or your system's backports")
    return found


def npm_packages() -> Path:
    """The `node_modules` folder with stripe 23.x and @insforge/sdk. Node finds packages from a script's own place
    only, so a script gets this path and loads them with `createRequire`."""
    found = FOLDER / "node_modules"
    return found if (found / "stripe").is_dir() else _missing("npm's `stripe`", INSTALL)


def bundler() -> list[str]:
    """The command of esbuild, which makes a page's script of TypeScript and packages."""
    found = npm_packages() / "esbuild" / "bin" / "esbuild"
    if not found.is_file() or not (npm_packages() / "postgres").is_dir():
        _missing("npm's `esbuild` and `postgres`", INSTALL)
    return [node(), str(found)]


def stripe_cli() -> Path:
    """Stripe's own CLI, the binary itself."""
    found = sorted((FOLDER / "node_modules" / "@stripe").glob("cli-*/bin/stripe"))
    if not found:
        _missing("Stripe's CLI (@stripe/cli)", INSTALL)
    return found[0]


def stripe_python(version: str) -> dict[str, str]:
    """Environment variables with which this Python imports that stripe-python; "16.1.0" is .venv's own."""
    if version.startswith("16."):
        return {}
    folder = FOLDER / f"stripe-{version.partition('.')[0]}"
    if not (folder / "stripe").is_dir():
        _missing(f"stripe-python {version}", INSTALL)
    return {"PYTHONPATH": str(folder)}


@contextmanager
def browser() -> Iterator["Browser"]:
    """A headless Chromium, started by Playwright's synchronous API."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None) or _missing("Chromium", "apt install chromium")
    folder = FOLDER / "browser"
    if not (folder / "playwright").is_dir():
        _missing("Playwright", INSTALL)
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, headless=True, args=list(BROWSER_FLAGS))
        try:
            yield started
        finally:
            started.close()


def _missing(what: str, how: str) -> NoReturn:
    sentence = f"{what} is missing; to get it: {how}"
    if REQUIRED:
        pytest.fail(sentence)
    pytest.skip(sentence)
