"""Passwords: argon2id in a few threads of low priority, so that a crowd that signs in cannot starve payments. Hashes of
the reference (bcrypt) are accepted and replaced."""

import asyncio
import base64
import contextlib
import os
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from paygres.server.errors import Unavailable

MOST_BYTES = 1024  # of a password: argon2id takes any length, a body of a megabyte is no password
# 45 ms on the machine it was measured on; OWASP's advice (19 MiB, 2 passes) is the least. From 32 MiB on, glibc gives
# the memory back after each hash and fetches it page by page for the next: 20 ms more, and two threads wait for each
# other.
_MEMORY_KIB, _PASSES, _LANES = 24 * 1024, 3, 1
_AT_ONCE = 2  # 48 MiB together
_MOST_WAITING = 32
_LONGEST_WAIT_SECONDS = 5.0  # a client gives up after some more
_NICE = 5
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$.{53}", re.DOTALL)
_BCRYPT_BYTES = 72  # it never looked at more, and so the reference accepted whatever came after
_DEAREST_BCRYPT = 14  # rounds, as an exponent: about a second

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the password is right; `better` is a new hash to be stored in place of an old kind of one."""

    right: bool
    better: str | None = field(default=None, repr=False)


class Passwords:
    """Hashes and compares, two at once; raises Unavailable when too many wait."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
        self._threads = ThreadPoolExecutor(_AT_ONCE, "passwords", _give_way)
        self._asked = 0
        self._takes = 0.05  # seconds, as the last ones took
        # Nobody has it: it costs an unknown account as much time as a known one.
        self._nobody = _unmatchable()

    async def hash(self, password: str) -> str:
        """A new hash with a salt of its own."""
        return await self._run(lambda: self._hasher.hash(password))

    async def check(self, password: str, stored: str | None) -> Verdict:
        """`stored` None (no such account, or one without a password) takes as long and is never right."""
        return await self._run(lambda: self._check(password, stored))

    def close(self) -> None:
        """Forget those who still wait."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, password: str, stored: str | None) -> Verdict:
        if stored is not None and (old := _BCRYPT.fullmatch(stored)):
            cut = password.encode()[:_BCRYPT_BYTES]
            right = int(old[1]) <= _DEAREST_BCRYPT and bcrypt.checkpw(cut, stored.encode())
            return Verdict(right, self._hasher.hash(password) if right else None)
        try:
            right = self._hasher.verify(stored or self._nobody, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return Verdict(False)
        if right and stored is not None and self._hasher.check_needs_rehash(stored):
            return Verdict(True, self._hasher.hash(password))
        return Verdict(right)

    async def _run(self, work: Callable[[], _T]) -> _T:
        waiting = self._asked - _AT_ONCE
        if waiting >= _MOST_WAITING or waiting * self._takes / _AT_ONCE > _LONGEST_WAIT_SECONDS:
            raise Unavailable("Too many people sign in at this moment; try again shortly", retry_after=1)
        self._asked += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, self._timed, work)
        future.add_done_callback(self._done)
        return await asyncio.shield(future)  # a caller who went away does not make room before the thread has

    def _timed(self, work: Callable[[], _T]) -> _T:
        began = time.monotonic()
        try:
            return work()
        finally:
            self._takes += (time.monotonic() - began - self._takes) / 4

    def _done(self, future: object) -> None:
        self._asked -= 1


def _give_way() -> None:
    """Linux counts priorities by thread: while payments have work, hashing waits."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _unmatchable() -> str:
    salt, digest = (base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (16, 32))
    return f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p={_LANES}${salt}${digest}"
