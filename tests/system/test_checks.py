"""The repository's own rules catch what they are for: each is shown one planted violation."""

import ast
from pathlib import Path

import pytest

from checks import code_rules, name_rules, test_rules
from checks.sources import ROOT, Source


def planted(text: str, path: str = "src/paygres/server/flows/example.py") -> list[Source]:
    return [Source(Path(ROOT / path), text.count("\n"), ast.parse(text))]


@pytest.mark.parametrize(
    "body",
    [
        "await parts.gateway.request(key, 'get', '/v1/account')",
        "async for page in gateway.pages(key, '/v1/prices', {}): pass",
        "if row: await asyncio.sleep(1)",
    ],
)
@pytest.mark.parametrize("door", ["parts.db.as_service('webhook')", "db.as_caller(caller)"])
def test_waiting_inside_a_transaction_is_found(door: str, body: str) -> None:
    source = planted(f"async def f():\n    async with {door} as tx:\n        {body}\n")
    assert len(list(code_rules.stripe_inside_a_transaction(source))) == 1


def test_waiting_after_the_transaction_is_fine() -> None:
    source = planted(
        "async def f():\n    async with db.as_service() as tx:\n        await tx.fetch('')\n    gateway.request()\n"
    )
    assert list(code_rules.stripe_inside_a_transaction(source)) == []


def test_acquiring_a_connection_belongs_in_db() -> None:
    text = "async def f():\n    await self._pool.acquire()\n"
    assert len(list(code_rules.acquire_outside_db(planted(text)))) == 1
    assert list(code_rules.acquire_outside_db(planted(text, "src/paygres/server/db/database.py"))) == []


@pytest.mark.parametrize("name", ["EventHandler", "BaseTable", "HTTPUtils", "CustomerInfo"])
def test_class_names_that_say_nothing_are_found(name: str) -> None:
    assert len(list(name_rules.banned_names(planted(f"class {name}: ...")))) == 1


def test_names_that_only_contain_such_letters_are_fine() -> None:
    assert (
        list(name_rules.banned_names(planted("class Database: ...\nclass Information: ...", "src/paygres/informed.py")))
        == []
    )


def test_a_long_module_and_a_silent_one_are_found() -> None:
    long = planted("x = 1\n" * (name_rules.LIMIT + 1))
    assert len([*name_rules.too_long(long), *name_rules.missing_docstrings(long)]) == 2


@pytest.mark.parametrize("text", ["import pytest\n@pytest.mark.skip\ndef f(): ...", "from unittest.mock import patch"])
def test_skips_and_mocks_are_found(text: str) -> None:
    assert len(list(test_rules.skips_and_mocks(planted(text)))) == 1


def test_a_skip_is_allowed_where_the_judges_are_looked_for_and_nowhere_else_below_them() -> None:
    text = "import pytest\ndef node():\n    pytest.skip('missing')\n"
    assert list(test_rules.skips_and_mocks(planted(text, "tests/judges/installed.py"))) == []
    assert len(list(test_rules.skips_and_mocks(planted(text, "tests/judges/test_listen.py")))) == 1
