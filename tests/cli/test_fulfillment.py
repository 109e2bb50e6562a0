"""`paygres fulfillment`: recipes become files that a database takes, and takes back."""

import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from paygres.cli.recipes import FOLDER, RECIPES
from tests.fresh_database import FreshDatabase

LEFT = """
select count(*) from pg_catalog.pg_class c where c.relnamespace = 'public'::regnamespace
union all select count(*) from pg_catalog.pg_proc p where p.pronamespace = 'public'::regnamespace
union all select count(*) from pg_catalog.pg_trigger t where t.tgfoid in (
    select p.oid from pg_catalog.pg_proc p where p.pronamespace = 'public'::regnamespace)
"""


def paygres(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "paygres.cli.main", "fulfillment", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def scaffolded(folder: Path, recipe: str) -> tuple[Path, Path]:
    """The files of a recipe: its way there and back."""
    answer = paygres("scaffold", "--recipe", recipe, "--out", str(folder))
    assert answer.returncode == 0, answer.stderr
    up, down = (Path(line) for line in answer.stdout.splitlines())
    return up, down


def test_every_recipe_is_listed_and_has_both_files() -> None:
    listed = paygres("recipes")
    assert [line.split()[0] for line in listed.stdout.splitlines()[1:]] == list(RECIPES)
    assert {path.name for path in FOLDER.glob("*.sql")} == {
        f"{name}{end}" for name in RECIPES for end in (".sql", ".down.sql")
    }


async def test_all_recipes_live_side_by_side_and_leave_nothing_behind(database: FreshDatabase, tmp_path: Path) -> None:
    files = [scaffolded(tmp_path, recipe) for recipe in RECIPES]
    connection = await asyncpg.connect(database.owner_url)
    try:
        before = [row[0] for row in await connection.fetch(LEFT)]
        for _ in range(2):
            for up, _ in files:
                async with connection.transaction():
                    await connection.execute(up.read_text())
            for _, down in files:
                await connection.execute(down.read_text())
                await connection.execute(down.read_text())
            assert [row[0] for row in await connection.fetch(LEFT)] == before
    finally:
        await connection.close()


def test_the_files_are_named_by_their_time_and_a_second_scaffold_writes_nothing(tmp_path: Path) -> None:
    up, down = scaffolded(tmp_path, "team-billing")
    assert re.fullmatch(r"\d{14}_team_billing\.sql", up.name)
    assert down.name == f"{up.stem}.down.sql"
    again = paygres("scaffold", "--recipe", "team-billing", "--out", str(tmp_path))
    assert (again.returncode, len(list(tmp_path.iterdir()))) == (7, 2)
    assert "is there already" in again.stderr


@pytest.mark.parametrize("words", [(), ("scaffold",), ("scaffold", "--recipe", "everything"), ("unheard",)])
def test_wrong_words_are_a_usage_error(words: tuple[str, ...], tmp_path: Path) -> None:
    answer = paygres(*words)
    assert (answer.returncode, answer.stdout) == (64, "")
    assert answer.stderr.startswith("Error: ")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.sql")), ids=lambda path: path.name)
def test_every_function_of_a_recipe_names_its_search_path_and_every_table_has_policies(path: Path) -> None:
    text = path.read_text()
    functions = re.findall(r"create or replace function (.*?) as \$\$", text, re.DOTALL)
    assert all("set search_path = ''" in declared for declared in functions)
    for table in re.findall(r"create table (\S+)", text):
        assert f"alter table {table} enable row level security" in text
        assert f" on {table} " in text
