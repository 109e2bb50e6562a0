"""Admin sign-in with the one user name and password of the environment, slowed down per client network."""

import time
from collections import deque
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest

from paygres.server.errors import Authentication, RateLimit

_FAILURES = 10
_WINDOW_SECONDS = 60.0
_NETWORKS = 4096


class AdminSignIn:
    """Ten failures a minute for each network; no password in the settings means nobody signs in."""

    def __init__(self, username: str, password: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._username = sha256(username.encode()).digest()
        self._password = sha256(password.encode()).digest() if password else None
        self._clock = clock
        self._failures: dict[str, deque[float]] = {}

    def check(self, username: str, password: str, network: str) -> None:
        """Raises Authentication for a wrong pair, RateLimit (with seconds to wait) after ten of them."""
        now = self._clock()
        failures = self._failures.get(network)
        while failures and now - failures[0] >= _WINDOW_SECONDS:
            failures.popleft()
        if failures and len(failures) >= _FAILURES:
            wait = int(_WINDOW_SECONDS - (now - failures[0])) + 1
            raise RateLimit(
                f"Too many failed sign-ins from this network; try again in {wait} seconds", retry_after=wait
            )
        right = compare_digest(self._username, sha256(username.encode()).digest())
        secret = sha256(password.encode()).digest()
        right = compare_digest(self._password or bytes(32), secret) and right and self._password is not None
        if right:
            self._failures.pop(network, None)
            return
        if len(self._failures) >= _NETWORKS:
            self._failures.clear()
        self._failures.setdefault(network, deque()).append(now)
        # The reference's code for this 401, although the SDK reads it as "refresh and try again":
        # admin sign-in is never called by the SDK.
        raise Authentication("Invalid admin credentials", code="AUTH_UNAUTHORIZED")
