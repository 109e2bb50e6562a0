"""The command line's own manners: usage errors, exit codes, and a --help that loads nothing."""

import subprocess
import sys

import pytest

from tests.system.processes import LIMIT, spawn


def said(*arguments: str) -> tuple[int, str, str]:
    process = spawn("paygres.cli.main", *arguments)
    out, errors = process.communicate(timeout=LIMIT)
    return process.returncode, out, errors


@pytest.mark.parametrize(
    "arguments", [(), ("frobnicate",), ("dev", "--bogus"), ("dev", "extra"), ("dev", "--port", "x"), ("db",)]
)
def test_wrong_usage_is_64_and_no_traceback(arguments: tuple[str, ...]) -> None:
    code, _, errors = said(*arguments)
    assert code == 64
    assert "Traceback" not in errors


HELP = [("--help",), ("dev", "--help"), ("db", "--help"), ("--version",), ("version",)]


@pytest.mark.parametrize("arguments", HELP)
def test_help_and_version_succeed(arguments: tuple[str, ...]) -> None:
    code, out, errors = said(*arguments)
    assert (code, errors) == (0, "")
    assert "paygres" in out


def test_help_imports_none_of_the_heavy_packages() -> None:
    heavy = "typer rich httpx2 asyncpg pydantic asyncio"
    program = f"import sys; from paygres.cli import main; print({{*sys.modules}} & {{*{heavy.split()}}})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "set()"


def test_run_py_names_its_targets() -> None:
    process = subprocess.run([sys.executable, "run.py", "nonsense"], capture_output=True, text=True, check=False)
    assert process.returncode == 64
    for target in ("run", "test", "check", "fix", "bench", "chaos", "lock"):
        assert f"\n  {target} " in process.stderr
