"""docs/testing.md does what it says: its shop is tested by pytest with the plugin, its program prints what the page
shows, its commands run in a shell."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.running import Receiver
from tests.test_docs import FENCED, ROOT

PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
BLOCKS = [(language, body) for language, body in FENCED.findall(PAGE)]
NAMED = {found[1]: body for _, body in BLOCKS if (found := re.match(r"# (\S+\.\w+)\n", body))}
FOREIGN = ("PYTEST", "STRIPE_", "PAYGRES_", "COV_")


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text(NAMED[name], encoding="utf-8")


def environment(**more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return clean | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"} | more


def test_the_shop_of_the_page_is_tested_as_the_page_says(tmp_path: Path) -> None:
    write(tmp_path, "shop.py", "conftest.py", "test_shop.py", "shop.yaml")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "paygres.contrib.pytest_plugin", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYTHONPATH=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert "3 passed" in ran.stdout, ran.stdout + ran.stderr


def test_the_program_of_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    write(tmp_path, "sandbox.py", "shop.yaml")
    ran = subprocess.run(
        [sys.executable, "sandbox.py"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    [shown] = [body for language, body in BLOCKS if language == "text"]
    assert (ran.stdout, ran.stderr) == (shown, "")


def test_the_commands_of_the_page_run_in_a_shell(tmp_path: Path, receiver: Receiver, unused_port: int) -> None:
    write(tmp_path, "shop.yaml", "more.yaml")
    start, commands = [body for language, body in BLOCKS if language == "sh" and "paygres sandbox" in body]
    script = f"set -eu\ntrap 'kill $!; wait' EXIT\n{start}\n{commands}"
    script = script.replace("7140", str(unused_port)).replace("http://127.0.0.1:8000/webhook", receiver.url)
    ran = subprocess.run(
        ["sh", "-c", script],
        cwd=tmp_path,
        env=environment(STRIPE_API_BASE=f"http://127.0.0.1:{unused_port}"),
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f'"url":"http://127.0.0.1:{unused_port}"' in ran.stdout
    assert '"duplicate": 0.5' in ran.stdout
    assert "price_seat" in ran.stdout
    assert "customer.subscription.trial_will_end" in ran.stdout
    assert '"type": "invoice.payment_failed"' in ran.stdout
    assert "begins anew" in ran.stdout


@pytest.mark.parametrize("name", sorted(NAMED))
def test_no_named_block_is_forgotten(name: str) -> None:
    assert name in ("shop.py", "conftest.py", "test_shop.py", "shop.yaml", "sandbox.py", "more.yaml", "pytest.ini")
