"""The pytest plugin in runs of pytest of its own: a Stripe for each test, its marker and ini options, what a failure
tells, and what it costs those who do not use it."""

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.contrib.test_testing_page import environment
from tests.test_docs import ROOT

SHOP = (ROOT / "docs" / "examples" / "shop.yaml").read_text(encoding="utf-8")


def run(folder: Path, test: str, *arguments: str, ini: str = "") -> str:
    """The output of pytest on this file, with the plugin and `filterwarnings = error`."""
    (folder / "test_it.py").write_text(test, encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n{ini}")
    plugin = ["-p", "paygres.contrib.pytest_plugin", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, *arguments],
        cwd=folder,
        env=environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ran.stdout + ran.stderr


EACH = """
import pytest

seen = []

def test_first(payments_sandbox):
    payments_sandbox.request("POST", "/v1/customers", {})
    payments_sandbox.clock.advance(days=400)
    payments_sandbox.faults.set(drop=1.0)
    seen.append(payments_sandbox.secret_key)

def test_second(payments_sandbox):
    assert payments_sandbox.events.list() == []
    assert payments_sandbox.secret_key not in seen
    assert payments_sandbox.faults.read()["drop"] == 0

@pytest.mark.payments_sandbox(seed="more/shop.yaml", clock="2026-03-01", faults={"duplicate": 0.5})
class TestMarked:
    def test_marker(self, payments_sandbox):
        assert payments_sandbox.seeded["prices"]["notebook"] == "price_notebook"
        assert payments_sandbox.clock.now.month == 3
        assert payments_sandbox.faults.read()["duplicate"] == 0.5

    @pytest.mark.payments_sandbox(seed={"customers": {"ada": {"email": "ada@example.com"}}})
    def test_nearest_marker(self, payments_sandbox):
        assert payments_sandbox.seeded.keys() == {"customers"}
        assert payments_sandbox.clock.now.month == 3
"""


def test_each_test_has_a_stripe_of_its_own_and_begins_as_its_marker_says(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "shop.yaml").write_text(SHOP, encoding="utf-8")
    assert "4 passed" in run(tmp_path, EACH)


def test_the_ini_file_says_how_all_tests_begin(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    test = """
def test_it(payments_sandbox):
    assert payments_sandbox.seeded["products"]["notebook"] == "prod_notebook"
    assert payments_sandbox.account_id != "acct_1"
"""
    ini = "payments_sandbox_seed = shop.yaml\npayments_sandbox_options = --validate --delivery-width 4\n"
    assert "1 passed" in run(tmp_path, test, ini=ini)


def test_a_failure_tells_what_happened_in_the_sandbox(tmp_path: Path) -> None:
    test = """
def test_it(payments_sandbox):
    payments_sandbox.webhook("http://127.0.0.1:9/nobody")
    payments_sandbox.request("POST", "/v1/customers", {})
    payments_sandbox.events.wait("invoice.paid", timeout=0.1)
"""
    said = run(tmp_path, test)
    assert "TooLate: There were 0 of 1 events invoice.paid after 0.1 s. There happened: customer.created (1)." in said
    assert "Captured payments sandbox teardown" in said
    assert "customer.created  cus_" in said
    assert "not delivered: customer.created to we_" in said


WRONG = """
import pytest

@pytest.mark.payments_sandbox(sed="x")
def test_name(payments_sandbox): ...

@pytest.mark.payments_sandbox("x")
def test_place(payments_sandbox): ...

@pytest.mark.payments_sandbox(seed="x.yaml")
def test_file(payments_sandbox): ...
"""


def test_a_wrong_marker_is_told(tmp_path: Path) -> None:
    said = run(tmp_path, WRONG)
    assert "3 errors" in said
    assert "it does not know `sed`" in said
    assert "takes its arguments by name" in said
    assert "x.yaml cannot be read" in said


def test_whoever_does_not_use_it_pays_next_to_nothing(tmp_path: Path) -> None:
    test = """
import sys

def test_it(request):
    heavy = {"httpx2", "aiohttp", "starlette", "pydantic", "yaml", "paygres.contrib.payments_sandbox"}
    assert not heavy & sys.modules.keys()
    assert "paygres.contrib.pytest_plugin" in sys.modules
"""
    assert "1 passed" in run(tmp_path, test)
    program = (
        "import pytest, time; began = time.thread_time(); import paygres.contrib.pytest_plugin;"
        "print(time.thread_time() - began)"
    )
    spent = [
        float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(spent) < 0.02  # seconds of this thread's own work


def test_pytest_finds_it_by_the_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"paygres": "paygres.contrib.pytest_plugin"}
    assert (ROOT / "src" / "paygres" / "contrib" / "pytest_plugin.py").is_file()
