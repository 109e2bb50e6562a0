#!/usr/bin/env python3
"""Every target of this repository with nothing but Python: `python3 run.py run|test|check|fix|bench|judges|lock`.
Makes .venv and installs the pinned, hashed requirements when they changed; `make` only calls this file."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed-from"
LOCKS = ("requirements.lock", "requirements-nodeps.lock")
TYPES_LOCK = "requirements-types.lock"
TYPES_STAMP = VENV / "types-installed-from"

USAGE = """usage: python3 run.py <target> [arguments]
  run    start everything, make one sample purchase     run --once stops after the proof; run --help
  test   the whole test suite                           test tests/http -k checkout
  check  lint, types, import rules, module sizes, tests check --no-tests leaves the tests out
  fix    format the code and repair what the linter can
  bench  the benchmarks
  chaos  the crash proof, its long form                 chaos --deliveries 10000 --seed 1
  judges install the programs of others that the tests use to judge ours (Stripe's CLI, a browser's driver …)
  conform-live  compare the sandbox with the real Stripe: needs STRIPE_CONFORM_KEY=sk_test_…
  lock   pin the dependencies of pyproject.toml anew"""

# Tests wait (for processes, disks and deadlines), so there are more workers than cores. Their order: tests/conftest.py.
SIDE_BY_SIDE = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder"]

EDITABLE = ["--no-build-isolation", "-e", "."]

CHECKS = {
    "lint": ["-m", "ruff", "check", "--quiet", "--output-format=concise", "."],
    "format": ["-m", "ruff", "format", "--check", "--quiet", "."],
    "import rules": ["-c", "from importlinter.cli import lint_imports as l; exit(l(no_logo=True))"],
    "own rules": ["-m", "checks"],
    "types": ["-m", "basedpyright"],
    "types of the SDK": ["-m", "checks.sdk_types"],
}


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 (the sentence is for those who have an older one)
        found = ".".join(map(str, sys.version_info[:2]))
        return fail("Paygres needs Python 3.11 or newer; this is %s. Try: python3.13 run.py run" % found)  # noqa: UP031
    targets = {
        "run": run,
        "test": test,
        "check": check,
        "fix": fix,
        "bench": bench,
        "chaos": chaos,
        "judges": judges,
        "conform-live": conform_live,
        "lock": lock,
    }
    if not arguments or arguments[0] not in targets:
        print(USAGE, file=sys.stderr)
        return 0 if arguments and arguments[0] in ("help", "--help", "-h") else 64
    os.chdir(ROOT)
    if arguments[0] != "lock":
        problem = install(types=arguments[0] == "check")
        if problem:
            return fail(problem)
    return targets[arguments[0]](arguments[1:])


def run(arguments: list[str]) -> int:
    return become(["-m", "paygres.cli.main", "dev", *arguments])


def test(arguments: list[str]) -> int:
    write_bytecode()  # of what has changed since
    return become(["-m", "pytest", *(arguments or SIDE_BY_SIDE)])


def check(arguments: list[str]) -> int:
    if arguments not in ([], ["--no-tests"]):
        return fail("check knows one option: --no-tests")
    steps = CHECKS if arguments else CHECKS | {"tests": ["-m", "pytest", "-q", *SIDE_BY_SIDE]}
    failed = [name for name, command in steps.items() if not passes(name, command)]
    return fail("failed: " + ", ".join(failed)) if failed else 0


def passes(name: str, command: list[str]) -> bool:
    began = time.monotonic()
    ended = subprocess.run([PYTHON, *command], check=False)
    verdict = "FAIL" if ended.returncode else "ok  "
    print(f"{verdict}  {name}  ({time.monotonic() - began:.1f} s)", flush=True)
    return ended.returncode == 0


def fix(arguments: list[str]) -> int:
    subprocess.run([PYTHON, "-m", "ruff", "format", "--quiet", "."], check=False)
    return subprocess.run([PYTHON, "-m", "ruff", "check", "--fix", ".", *arguments], check=False).returncode


def bench(arguments: list[str]) -> int:
    return become(["-m", "bench", *arguments])


def chaos(arguments: list[str]) -> int:
    return become(["-m", "tests.crashes", *arguments])


def judges(arguments: list[str]) -> int:
    return become(["checks/judges.py", *arguments])


def conform_live(arguments: list[str]) -> int:
    return become(["-m", "tests.judges.conform_live", *arguments])


def lock(arguments: list[str]) -> int:
    return subprocess.run([sys.executable, "checks/lock.py", *arguments], check=False).returncode


def install(*, types: bool) -> str | None:
    """Brings .venv up to date; returns one sentence when that cannot be. The type checker only on demand."""
    try:
        import fcntl
    except ImportError:
        return "Paygres runs on Linux and macOS; on Windows use WSL: wsl --install, then this command in it."
    here = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(here, fcntl.LOCK_EX)  # two targets started at once install once
    try:
        hashed = ["--require-hashes", "-r"]
        everything = [*hashed, LOCKS[0]], ["--no-deps", *hashed, LOCKS[1]], ["--no-deps", *EDITABLE]
        problem = ensure(STAMP, fingerprint(*LOCKS, "pyproject.toml"), *everything)
        if problem or not types:
            return problem
        return ensure(TYPES_STAMP, fingerprint(TYPES_LOCK), [*hashed, TYPES_LOCK])
    except OSError as error:
        return f"Cannot write {VENV}: {error.strerror}. Use a folder of your own."
    finally:
        os.close(here)


def ensure(stamp: Path, wanted: str, *steps: list[str]) -> str | None:
    if stamp.is_file() and stamp.read_text() == wanted and PYTHON.exists():
        return None
    problem = make_environment()
    if problem:
        return problem
    say("installing the pinned requirements (once; a minute or so)")
    stamp.unlink(missing_ok=True)
    pip = [PYTHON, "-m", "pip", "-qq", "--disable-pip-version-check", "install"]
    for step in steps:
        if subprocess.run([*pip, *step], stdout=sys.stderr, check=False).returncode != 0:
            return "Installing failed; pip's reason is above. Is a package index reachable?"
    write_bytecode()
    stamp.write_text(wanted)
    return None


def write_bytecode() -> None:
    """Every process we start would compile our sources again where writing bytecode is turned off."""
    subprocess.run([PYTHON, "-m", "compileall", "-q", "src", "tests"], check=False)


def fingerprint(*names: str) -> str:
    """What decides whether the environment is current: these files, Python, and where we are."""
    parts = [(ROOT / name).read_bytes() for name in names]
    parts += [sys.version.encode(), os.fsencode(ROOT)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_environment() -> str | None:
    if is_usable():
        return None
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info[1]}-venv"
        return f"This Python cannot make virtual environments: apt install python3-venv (or {package})."
    say(f"making {VENV}")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], stdout=sys.stderr, check=False)
    return "Making .venv failed; the reason is above." if made.returncode else None


def is_usable() -> bool:
    """Whether .venv works, was made here (environments cannot be moved) and by this Python."""
    if not PYTHON.exists():
        return False
    said = subprocess.run([PYTHON, "-c", "import sys, pip; print(sys.version)"], capture_output=True, text=True)
    config = (VENV / "pyvenv.cfg").read_text()
    return said.stdout.strip() == sys.version.strip() and (str(VENV) in config or "command" not in config)


def become(command: list[str]) -> int:
    """Replaces this process, so that signals and the exit code are the program's own."""
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), *command])


def say(text: str) -> None:
    print(f"paygres: {text}", file=sys.stderr, flush=True)


def fail(text: str) -> int:
    say(text)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
