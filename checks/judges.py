"""Installs the programs of others that judge ours into .judges: Stripe's Node library and CLI, InsForge's client, an
older stripe-python, Playwright. Pinned and hashed; run by `python3 run.py judges`, anew only when a pin changed."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "tests" / "judges"
FOLDER = ROOT / ".judges"
NPM_FILES = ("package.json", "package-lock.json")
# What pip puts where. Each folder is put before .venv's packages by the process that wants it.
PIP_FOLDERS = {"stripe-15": "stripe-15.lock", "browser": "browser.lock"}


def main() -> int:
    """Brings .judges up to date, each part when its pins changed; exit code 1 when one could not be installed."""
    FOLDER.mkdir(exist_ok=True)
    parts = {"npm": NPM_FILES, **{name: (lock,) for name, lock in PIP_FOLDERS.items()}}
    for name, files in parts.items():
        stamp, wanted = FOLDER / f"{name}.installed-from", _fingerprint(*files)
        if stamp.is_file() and stamp.read_text() == wanted:
            continue
        stamp.unlink(missing_ok=True)
        problem = _install_npm() if name == "npm" else _install_pip(name, *files)
        if problem:
            print(f"paygres: {problem}", file=sys.stderr)
            return 1
        stamp.write_text(wanted)
    return 0


def _install_npm() -> str | None:
    npm = shutil.which("npm")
    if npm is None:
        return "npm is missing; it comes with Node.js (Debian: apt install nodejs npm)"
    for name in NPM_FILES:
        shutil.copyfile(PINS / name, FOLDER / name)
    # The CLI's install script only looks whether its platform's package is there. Not `npm ci`: that wants the CLI of
    # every platform in the lock file, and the one of this platform is enough. What the lock file has is held to it.
    quiet = ["--no-save", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"]
    return None if _runs([npm, "install", *quiet], FOLDER) else "npm could not install; its reason is above"


def _install_pip(name: str, lock: str) -> str | None:
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", "install", "--no-deps"]
    whole = [*pip, "--require-hashes", "--target", str(FOLDER / name), "-r", str(PINS / lock)]
    return None if _runs(whole, ROOT) else "pip could not install; its reason is above"


def _fingerprint(*files: str) -> str:
    """What decides whether a part is current: its pins, Python, and where we are."""
    parts = [(PINS / name).read_bytes() for name in files]
    return hashlib.sha256(b"\0".join([*parts, sys.version.encode(), os.fsencode(ROOT)])).hexdigest()


def _runs(command: list[str], folder: Path) -> bool:
    return subprocess.run(command, cwd=folder, stdout=sys.stderr, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
