"""The data folder of `paygres dev`: one user at a time, private, and deleted only when it is surely ours."""

import fcntl
import json
import os
import shlex
import shutil
from pathlib import Path
from typing import Any

from paygres.cli.dev.errors import DevError

MARKER = ".paygres-home"
MOVED = Path("postgres/moved-to")  # where the embedded PostgreSQL notes that its files had to live elsewhere
SYSTEM_HOME = Path("/var/lib/paygres")


class Home:
    """Opened once per run; the kernel gives the lock back when we die."""

    def __init__(self, folder: Path, *, fresh: bool) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self._prepare()
        self._lock = self._take()
        if fresh:
            self._empty()
        (folder / MARKER).write_text("Made by `paygres dev`; `paygres dev --fresh` may delete this folder.\n")
        (folder / ".gitignore").write_text("*\n")
        self.logs.mkdir(exist_ok=True, mode=0o700)

    def _prepare(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if any(self.folder.iterdir()) and not (self.folder / MARKER).is_file():
                raise DevError(
                    f"{self.folder} holds other files and is not ours to use; choose another --data-dir",
                    exit_code=1,
                )
            # PostgreSQL never runs as root: its unprivileged user must pass through to its own folder.
            self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        except OSError as error:
            raise DevError(f"cannot use {self.folder}: {error.strerror}", exit_code=1) from None

    def _take(self) -> int:
        held = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(held, 20).decode() or "?"
            os.close(held)
            raise DevError(
                f"another `paygres dev` (process {owner}) uses {self.folder}; stop it, or choose --data-dir",
                exit_code=1,
            ) from None
        os.ftruncate(held, 0)
        os.write(held, str(os.getpid()).encode())
        return held

    def _empty(self) -> None:
        moved = self.folder / MOVED
        if moved.is_file():
            elsewhere = Path(moved.read_text().strip())
            if elsewhere.parent == SYSTEM_HOME:
                shutil.rmtree(elsewhere, ignore_errors=True)
        for entry in self.folder.iterdir():
            if entry.name == "lock":
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def read(self, name: str) -> dict[str, Any]:
        """A small JSON file of ours; {} when it is missing or was cut short by a crash."""
        try:
            return json.loads((self.folder / name).read_text())
        except (FileNotFoundError, ValueError):
            return {}

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Replaces a JSON file in one step."""
        write_private(self.folder / name, json.dumps(content))

    def write_environment(self, name: str, values: dict[str, str]) -> None:
        """Replaces a file that a shell can read with `. file`."""
        write_private(self.folder / name, "".join(f"export {n}={shlex.quote(v)}\n" for n, v in values.items()))


def write_private(file: Path, text: str) -> None:
    """Mode 0600, replaced in one step: a crash leaves the old text or the new one."""
    fresh = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    fresh.replace(file)
