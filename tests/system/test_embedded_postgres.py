"""The embedded PostgreSQL: survives kill -9, has one supervisor, keeps its rows and secrets."""

import json
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import asyncpg
import psutil
import pytest

from tests.system.processes import end, family, gone, private_folder, spawn, wait_until


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with private_folder("a deep folder with spaces " + "x" * 60) as path:
        yield path


class Running:
    """A supervisor that has said it is ready; `with` ends it."""

    def __init__(self, folder: Path) -> None:
        self.process = spawn("paygres.server", "postgres", "--data-dir", str(folder))
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        self.urls: dict[str, str] = json.loads(line)

    @property
    def postmaster(self) -> psutil.Process:
        return next(p for p in family(self.process) if "-D" in p.cmdline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        end(self.process)


@pytest.fixture
def running(folder: Path) -> Iterator[Running]:
    with Running(folder) as server:
        yield server


async def one(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_every_login_works_and_the_long_socket_path_is_avoided(running: Running) -> None:
    users = [await one(url, "select current_user::text") for url in running.urls.values()]
    assert users == ["paygres_owner", "paygres_server", "postgres", "paygres_server"]


async def test_neither_owner_nor_server_is_a_superuser(running: Running) -> None:
    powers = "select (rolsuper or rolbypassrls, rolcreaterole)::text from pg_roles where rolname = current_user"
    assert await one(running.urls["ownerUrl"], powers) == "(f,t)"
    assert await one(running.urls["serverUrl"], powers) == "(f,f)"


async def test_a_wrong_password_is_refused(running: Running) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(running.urls["ownerUrl"].replace("paygres_owner:", "paygres_owner:x"))


async def test_text_sorts_the_same_on_every_machine(running: Running) -> None:
    ordered = "select string_agg(t, '' order by t) from unnest(array['b', 'A', 'a', 'B']) t"
    assert await one(running.urls["ownerUrl"], ordered) == "ABab"


def test_passwords_are_readable_by_their_owner_only(folder: Path, running: Running) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()}
    assert set(modes.values()) == {0o600}


async def test_a_private_parent_folder_is_no_obstacle() -> None:
    with private_folder("inner") as folder:
        folder.parent.chmod(0o700)  # as root, PostgreSQL's user cannot pass: the cluster lives elsewhere
        try:
            with Running(folder) as server:
                assert await one(server.urls["ownerUrl"], "select 1") == 1
        finally:
            moved = folder / "moved-to"
            if moved.exists():
                shutil.rmtree(moved.read_text().strip())


def test_it_does_not_run_as_root(running: Running) -> None:
    assert running.postmaster.uids().real != 0


def test_a_second_supervisor_is_refused_in_one_line(folder: Path, running: Running) -> None:
    second = spawn("paygres.server", "postgres", "--data-dir", str(folder))
    _, said = second.communicate(timeout=30)
    assert second.returncode == 12
    assert "Another process runs the PostgreSQL" in said.splitlines()[0]


async def test_rows_survive_a_stop_and_the_port_stays(folder: Path) -> None:
    with Running(folder) as first:
        await one(first.urls["ownerUrl"], "create table public.kept as select 7 as n")
    assert first.process.returncode == 0
    with Running(folder) as second:
        assert second.urls == first.urls
        assert await one(second.urls["ownerUrl"], "select n from public.kept") == 7


async def test_kill_9_of_the_supervisor_leaves_no_server_and_no_damage(folder: Path) -> None:
    with Running(folder) as first:
        await one(first.urls["ownerUrl"], "create table public.marks as select 1 as id")
        everyone = family(first.process)
        end(first.process, signal.SIGKILL)
    with Running(folder) as second:
        assert await one(second.urls["ownerUrl"], "select count(*) from public.marks") == 1
        assert gone(everyone)


async def test_kill_9_of_postgresql_ends_the_supervisor_and_recovers(folder: Path) -> None:
    with Running(folder) as first:
        everyone = family(first.process)
        first.postmaster.kill()
        _, said = first.process.communicate(timeout=30)
    assert first.process.returncode == 12
    assert "PostgreSQL ended by itself" in said
    with Running(folder) as second:
        assert await one(second.urls["ownerUrl"], "select 1") == 1
        wait_until(lambda: gone(everyone), "the old server's processes end")


def test_a_pid_file_that_names_another_program_is_forgotten(folder: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    lines = (stranger.pid, folder / "cluster", 1, 5432, "", "127.0.0.1", "1 1", "ready", "")
    (folder / "cluster" / "postmaster.pid").write_text("\n".join(map(str, lines)))
    with Running(folder):
        assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_another_major_version_is_refused_with_a_way_out(folder: Path) -> None:
    version = folder / "cluster" / "PG_VERSION"
    written = version.read_text()
    version.write_text("13\n")
    refused = spawn("paygres.server", "postgres", "--data-dir", str(folder))
    _, said = refused.communicate(timeout=30)
    version.write_text(written)
    assert refused.returncode == 12
    assert "was written by PostgreSQL 13" in said
    assert "export DATABASE_URL" in said
