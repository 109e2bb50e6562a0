"""Where an embedded cluster lives and what is remembered about it: port, major version, passwords (0600)."""

import fcntl
import hashlib
import json
import os
import secrets
import socket
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from paygres.server.db.embedded_account import Account, can_reach

SYSTEM_HOME = Path("/var/lib/paygres")
LONGEST_SOCKET_PATH = 107  # sockaddr_un.sun_path less its closing NUL
ROLES = ("postgres", "paygres_owner", "paygres_server")


class EmbeddedPostgresError(Exception):
    """PostgreSQL could not be started; the message says what to do. The process ends with exit code 12."""


@dataclass(slots=True)
class Notes:
    """What cluster.json keeps between two starts."""

    major: int
    port: int
    prepared: bool = False
    passwords: dict[str, str] = field(default_factory=lambda: {name: secrets.token_urlsafe(24) for name in ROLES})


class Place:
    """The folder of one cluster: `cluster/` is PostgreSQL's own, the rest is ours."""

    def __init__(self, wanted: Path, account: Account | None) -> None:
        self.account = account
        self.wanted = wanted.resolve()
        self.wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home = self._home()
        self._lock = _lock(self.home)
        # As root, PostgreSQL's user must be able to pass through; everything inside has its own narrow mode.
        self.home.chmod(0o711 if account else 0o700)
        self.cluster = self.home / "cluster"
        self.log = self.home / "postgres.log"
        self.notes_file = self.home / "cluster.json"

    def _home(self) -> Path:
        if self.account is None:
            return self.wanted
        pointer = self.wanted / "moved-to"
        if pointer.is_file():
            home = Path(pointer.read_text().strip())
            home.mkdir(parents=True, exist_ok=True, mode=0o711)
            return home
        self.wanted.chmod(0o711)
        if can_reach(self.wanted, self.account):
            return self.wanted
        home = SYSTEM_HOME / _digest(self.wanted)
        if home.exists():
            # Its data folder was deleted: what is left here belongs to nobody who remembers its passwords.
            home.rename(home.with_name(f"{home.name}.abandoned-{secrets.token_hex(4)}"))
        SYSTEM_HOME.mkdir(parents=True, exist_ok=True)
        SYSTEM_HOME.chmod(0o755)
        home.mkdir(mode=0o711)
        pointer.write_text(f"{home}\n")
        return home

    def socket_dir(self) -> Path:
        """A private folder (0700) whose socket path fits; elsewhere when ours is too deep."""
        folder = self.home / "socket"
        if len(os.fsencode(folder / ".s.PGSQL.65535")) > LONGEST_SOCKET_PATH:
            folder = Path(tempfile.gettempdir()) / f"paygres-{_digest(self.home)}"
        owner = self.account.uid if self.account else os.geteuid()
        folder.mkdir(exist_ok=True, mode=0o700)
        if folder.is_symlink() or folder.lstat().st_uid not in (owner, os.geteuid()):
            raise EmbeddedPostgresError(f"{folder} belongs to somebody else; remove it.")
        folder.chmod(0o700)
        self.hand_over(folder)
        return folder

    def hand_over(self, path: Path) -> None:
        """Makes `path` belong to the user PostgreSQL runs as."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def notes(self) -> Notes | None:
        """What was remembered, or None before the first start."""
        try:
            return Notes(**json.loads(self.notes_file.read_text()))
        except FileNotFoundError:
            return None

    def remember(self, notes: Notes) -> None:
        """Writes cluster.json in one step: a crash leaves the old one or the new one."""
        fresh = self.notes_file.with_name("cluster.json.new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(asdict(notes), out)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self.notes_file)

    def release(self) -> None:
        """Lets the next supervisor in."""
        os.close(self._lock)


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _lock(folder: Path) -> int:
    """One supervisor per folder; the kernel gives the lock back when we die."""
    held = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise EmbeddedPostgresError(f"Another process runs the PostgreSQL in {folder}; stop it first.") from None
    return held


def free_port(preferred: int | None = None) -> int:
    """`preferred` when nobody listens there, else any free port on the loopback address."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmbeddedPostgresError("No free TCP port on 127.0.0.1.")
