"""docs/python-sdk.md: its code runs from top to bottom against a real server, and its tables name what there is."""

import inspect
import re

import pytest

import paygres
from tests.http.running import ANON_KEY, API_KEY, JWT_SECRET
from tests.test_docs import ROOT
from tests.typescript.reading import blocks
from tests.typescript.selling import Stall

PAGE = "python-sdk.md"
TEXT = (ROOT / "docs" / PAGE).read_text(encoding="utf-8")


def test_the_code_runs_as_it_stands(
    selling: Stall, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"INSFORGE_URL": selling.url, "INSFORGE_ANON_KEY": ANON_KEY, "JWT_SECRET": JWT_SECRET}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    own = {
        "http://localhost:7130": selling.url,
        "anon_…": ANON_KEY,
        "ik_…": API_KEY,
        "price_1Example": selling.price,
        "price_1Monthly": selling.plan,
    }
    names: dict[str, object] = {}
    for block in blocks(PAGE, "python"):
        code = block.text
        for documented, real in own.items():
            code = code.replace(documented, real)
        exec(code, names)
    for name in ("client", "admin"):
        names[name].close()  # pyright: ignore[reportAttributeAccessIssue]
    printed = capsys.readouterr().out
    for expected in (
        "False payment\n",
        "Nothing to manage yet\n",
        "UpstreamError No such price: 'price_1Unknown'",
        "\nopen\n",
        "test connected\nlive unconfigured\n",
        "(400, 'The header webhook-id is missing')\n",
    ):
        assert expected in printed


def table(heading: str) -> dict[str, str]:
    """First cell (without backticks): second cell, of the table under a heading."""
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|", section, re.MULTILINE)
    return {name.strip("`"): rest for name, rest in rows if name.startswith("`")}


def test_every_error_is_in_the_table() -> None:
    public = [getattr(paygres, name) for name in paygres.__all__]
    errors = {one.__name__ for one in public if inspect.isclass(one) and issubclass(one, paygres.PaygresError)}
    assert set(table("Errors")) == errors - {"PaygresError"}


def test_every_noun_and_method_of_the_admin_client_is_in_the_table() -> None:
    with paygres.create_admin_client("http://localhost:9", API_KEY) as admin:
        nouns = {name: value for name, value in vars(admin).items() if not name.startswith("_")}
        real = {
            name: {method for method, _ in inspect.getmembers(noun, inspect.ismethod) if not method.startswith("_")}
            for name, noun in nouns.items()
        }
    told = {noun: set(re.findall(r"`(\w+)`", methods)) for noun, methods in table("Operators").items()}
    assert told == real


def test_every_argument_of_a_client_is_in_the_table() -> None:
    told = {name for names in table("Clients") for name in re.findall(r"\w+", names)}
    assert set(inspect.signature(paygres.create_client).parameters) == told
