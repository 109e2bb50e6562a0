"""Can what is sealed in the database be opened with this ENCRYPTION_KEY? Asked by readiness, answered from memory for a
minute."""

import time
from dataclasses import dataclass

from paygres.server.flows.connections import own_webhook_secret_name, previous_webhook_secret_name
from paygres.server.flows.parts import Parts
from paygres.server.stripe_gateway.keys import secret_key_name, webhook_secret_name
from paygres.server.tables import secrets

_REMEMBER_SECONDS = 60.0
_NAMES = (secret_key_name, webhook_secret_name, own_webhook_secret_name, previous_webhook_secret_name)


@dataclass(frozen=True, slots=True)
class Opened:
    """How many secrets are stored, and how many of those can be read."""

    stored: int
    readable: int

    @property
    def ok(self) -> bool:
        """Not when none can be read: that is another ENCRYPTION_KEY. One damaged row is told, and stops nothing else
        (contract F61)."""
        return self.stored == 0 or self.readable > 0

    @property
    def state(self) -> str:
        """One phrase, without a name."""
        if self.stored == self.readable:
            return "readable" if self.stored else "none stored"
        return f"{self.stored - self.readable} of {self.stored} stored secrets cannot be read with this ENCRYPTION_KEY"


@dataclass(slots=True)
class SecretsCheck:
    """Looks at the database at most once a minute: unsealing is logged when it fails."""

    parts: Parts
    _found: Opened | None = None
    _at: float = float("-inf")

    async def __call__(self) -> Opened:
        if self._found is None or time.monotonic() - self._at > _REMEMBER_SECONDS:
            self._found = await _open_all(self.parts)
            self._at = time.monotonic()
        return self._found


async def _open_all(parts: Parts) -> Opened:
    names = {name(environment): environment for environment in ("test", "live") for name in _NAMES}
    sealed = await secrets.select_live(parts.db, list(names))
    opened = [parts.connections.unseal(name, names[name], text) for name, text in sealed.items()]
    return Opened(len(opened), sum(1 for one in opened if one is not None))
