"""One PostgreSQL cluster: made once with initdb, started, stopped, taken over from a dead supervisor."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from paygres.server.db.embedded_account import die_with_parent
from paygres.server.db.embedded_place import EmbeddedPostgresError, Notes, Place, free_port

Server = subprocess.Popen[bytes]

START_TIMEOUT = 60.0  # seconds; recovery after a kill -9 of a busy server may take a few
STOP_TIMEOUT = 20.0
LOG_LIMIT = 10_000_000

# Small and quiet, never less safe: fsync and synchronous_commit stay on.
SETTINGS = {
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_wal_size": "512MB",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_checkpoints": "off",
    "log_lock_waits": "on",
}
# For throw-away clusters (tests): a lost machine may lose them.
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def create(place: Place, programs: Path, major: int) -> Notes:
    """initdb beside the final folder, renamed when complete: an interrupted one leaves no half cluster."""
    notes = Notes(major=major, port=free_port())
    account = place.account
    unfinished = place.home / "cluster.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    place.hand_over(unfinished)
    password_file = place.home / "password.new"
    with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(notes.passwords["postgres"])
    place.hand_over(password_file)
    # The builtin locale (17+) sorts the same on every machine and never changes with the C library.
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []
    command = [programs / "initdb", "-D", unfinished, "-U", "postgres", "-A", "scram-sha-256"]
    options = [f"--pwfile={password_file}", "-k", "-E", "UTF8", "--no-instructions", "--locale=C", *builtin]
    try:
        initdb = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            env=_environment(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=() if account else None,
        )
        try:
            _, said = initdb.communicate()
        except BaseException:  # left alone or killed, its server would leave shared memory behind
            stop(initdb)
            raise
    finally:
        password_file.unlink()
    if initdb.returncode != 0:
        raise EmbeddedPostgresError(f"initdb failed: {said.decode(errors='replace').strip() or initdb.returncode}")
    place.remember(notes)
    unfinished.rename(place.cluster)
    return notes


def start(
    place: Place, programs: Path, notes: Notes, sockets: Path, *, durable: bool, under: Sequence[str] = ()
) -> Server:
    """Starts `postgres` (`under` another command, if one is named); see wait_until_ready."""
    account = place.account
    _end_orphan(place.cluster)
    port = free_port(notes.port)
    if port != notes.port:
        notes.port = port
        place.remember(notes)
    settings = SETTINGS | {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": f'"{sockets}"',
    }
    if notes.major >= 18:
        settings["io_method"] = "sync"  # no idle I/O processes
    if not durable:
        settings |= THROW_AWAY
    if place.log.exists() and place.log.stat().st_size > LOG_LIMIT:
        place.log.replace(place.log.with_suffix(".log.1"))
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with open(os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        return subprocess.Popen(
            [*under, programs / "postgres", "-D", place.cluster, *flags],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=_environment(),
            start_new_session=True,  # Ctrl-C in the terminal is for the supervisor, which stops us in order
            preexec_fn=die_with_parent(signal.SIGINT),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=() if account else None,
        )


def stop(process: Server) -> None:
    """A fast shutdown: open transactions are rolled back, everything is written."""
    for signum, patience in ((signal.SIGINT, STOP_TIMEOUT), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        if process.poll() is not None:
            return
        process.send_signal(signum)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def last_words(log: Path, lines: int = 5) -> str:
    """The end of the log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def wait_until_ready(place: Place, process: Server) -> None:
    """Returns when it accepts connections; raises EmbeddedPostgresError when it ends instead, or takes too long."""
    give_up = time.monotonic() + START_TIMEOUT
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise EmbeddedPostgresError(f"PostgreSQL stopped while starting:\n{last_words(place.log)}")
        lines = _pid_file(place.cluster)
        if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
            return
        time.sleep(0.01)
    raise EmbeddedPostgresError(f"PostgreSQL was not ready within {START_TIMEOUT:.0f} s:\n{last_words(place.log)}")


def _end_orphan(cluster: Path) -> None:
    """Ends a server whose supervisor died, or forgets a pid file whose number now belongs to another program.

    We hold the folder's lock, so a server that still runs here has no other supervisor.
    """
    lines = _pid_file(cluster)
    if not lines or not lines[0].lstrip("-").isdigit():
        return
    pid = abs(int(lines[0]))
    give_up = time.monotonic() + STOP_TIMEOUT
    asked = False
    while _serves(pid, cluster):
        if not asked:
            os.kill(pid, signal.SIGINT)
            asked = True
        if time.monotonic() > give_up:
            os.kill(pid, signal.SIGQUIT)
            give_up += STOP_TIMEOUT
        time.sleep(0.02)
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _pid_file(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _serves(pid: int, cluster: Path) -> bool:
    """Whether process `pid` is a PostgreSQL server of this very folder."""
    try:
        return os.path.samefile(f"/proc/{pid}/cwd", cluster)
    except OSError:
        if Path("/proc/self").exists():
            return False
    said = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return str(cluster) in said.stdout
