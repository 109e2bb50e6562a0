"""Who PostgreSQL runs as. It refuses to run as root, so root lends it an existing unprivileged user;
nobody is created and no folder above ours is opened up."""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Account:
    """The user PostgreSQL runs as."""

    name: str
    uid: int
    gid: int


def unprivileged() -> Account | None:
    """None when we are an ordinary user already; for root `postgres` where it exists, else `nobody`."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise LookupError("root may not run PostgreSQL, and this machine has neither a user `postgres` nor `nobody`.")


def can_reach(path: Path, account: Account) -> bool:
    """Whether `account` may enter every folder on the way to `path` and, for a program, to run it."""
    real = path.resolve()
    wanted = 0o1 if real.is_dir() else 0o5
    return all(_allows(step, account, 0o1) for step in real.parents) and _allows(real, account, wanted)


def _allows(path: Path, account: Account, wanted: int) -> bool:
    try:
        entry = path.stat()
    except FileNotFoundError:
        return True  # not made yet: we make it
    shift = 6 if entry.st_uid == account.uid else 3 if entry.st_gid == account.gid else 0
    return (entry.st_mode >> shift) & wanted == wanted


def die_with_parent(signum: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn`: the kernel sends `signum` to the child when our main thread ends, even by kill -9.

    The setting belongs to the thread that starts the child: start it from the main thread. None where
    the system has no such thing (macOS); there an orphan is found through postmaster.pid instead.
    """
    libc = _libc
    if libc is None:
        return None
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
        if os.getppid() != parent:  # it ended between fork and here
            os.kill(os.getpid(), signum)

    return ask
