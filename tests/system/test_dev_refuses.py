"""Bad neighbours: busy ports, folders and databases that are not ours. One line each, nothing touched."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from paygres.server.db.embedded import Urls
from tests.fresh_database import FreshDatabase, cloned, in_its_own_loop
from tests.system.processes import private_folder
from tests.system.running_dev import Dev, free_port, read, refused


@pytest.fixture
def foreign(postgres: Urls) -> Iterator[FreshDatabase]:
    """Somebody's database: one table of theirs."""
    with cloned(postgres, template="template1") as database:
        in_its_own_loop(read(database.owner_url, "create table public.invoices as select 1 as id"))
        yield database


@pytest.fixture
def empty(postgres: Urls) -> Iterator[FreshDatabase]:
    with cloned(postgres, template="template1") as database:
        yield database


def tables(database: FreshDatabase) -> object:
    statement = "select array_agg(relname::text) from pg_class c join pg_namespace n on n.oid = relnamespace"
    kinds = " where relkind = 'r' and nspname not in ('pg_catalog', 'information_schema')"
    return in_its_own_loop(read(database.owner_url, statement + kinds))


def test_a_busy_port_that_was_asked_for_is_refused(dev: Dev, tmp_path: Path) -> None:
    port = dev.ready["baseUrl"].rsplit(":", 1)[1]
    code, said = refused("--port", port, "--data-dir", str(tmp_path / "new"))
    assert (code, said.count("\n")) == (1, 0)
    assert f"port {port} is in use" in said


def test_a_second_dev_on_the_same_folder_is_refused(dev: Dev) -> None:
    code, said = refused("--data-dir", str(dev.folder), "--port", str(free_port()))
    assert (code, said.count("\n")) == (1, 0)
    assert f"another `paygres dev` (process {dev.process.pid})" in said


@pytest.mark.parametrize("option", ["--fresh", "--no-demo"])
def test_a_folder_with_other_files_is_never_used_nor_deleted(tmp_path: Path, option: str) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    code, said = refused("--data-dir", str(tmp_path), option, "--port", str(free_port()))
    assert (code, said.count("\n")) == (1, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_exported_database_with_tables_is_refused(foreign: FreshDatabase, tmp_path: Path) -> None:
    code, said = refused("--data-dir", str(tmp_path / "new"), DATABASE_URL=foreign.owner_url)
    assert (code, said.count("\n")) == (1, 0)
    assert "DATABASE_URL is set to 127.0.0.1" in said
    assert foreign.owner_url not in said
    assert tables(foreign) == ["invoices"]


def test_a_database_given_by_name_gets_the_schema_but_no_demo(foreign: FreshDatabase) -> None:
    with private_folder() as folder, Dev(folder, "--database-url", foreign.owner_url) as running:
        assert running.ready["orderId"] is None
        assert running.value("select to_regclass('public.orders')") is None
        assert running.value("select count(*) from payments.webhook_events") == 0


def test_an_empty_database_of_your_own_gets_the_demo(empty: FreshDatabase) -> None:
    with private_folder() as folder, Dev(folder, "--database-url", empty.owner_url) as running:
        status = running.value("select status from public.orders where id::text = $1", running.ready["orderId"])
        assert status == "paid"


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "postgresql://nobody@[::bad/x"])
def test_an_unreachable_database_ends_with_12(tmp_path: Path, url: str) -> None:
    code, said = refused("--data-dir", str(tmp_path / "new"), "--database-url", url)
    assert (code, said.count("\n")) == (12, 0)
