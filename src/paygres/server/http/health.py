"""Is the process alive, is it ready, which keys sign its tokens: open to everyone, cheap, without secrets."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from paygres import __version__
from paygres.server.flows.check_secrets import Opened
from paygres.server.flows.pulse import Pulse
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import health as shapes
from paygres.server.http.wire import Json
from paygres.server.tables.sweeps import Progress

_PATIENCE_SECONDS = 2.0
_REMEMBER_SECONDS = 1.0
_SILENT_SECONDS = 300.0  # a round of twenty slow events, twelve seconds each, is no silence


@dataclass(slots=True)
class Vitals:
    """What readiness asks. `schema` answers "current", or says what is wrong; `worker` is set by app.py. Stripe is not
    asked: while it is away, webhooks and reads go on."""

    schema: Callable[[], Awaitable[str]]
    secrets: Callable[[], Awaitable[Opened]]
    pulse: Pulse
    progress: Callable[[], Awaitable[list[Progress]]]
    worker: str = "off"
    _answer: Json | None = None
    _answered_at: float = field(default=float("-inf"))

    async def ready(self) -> Json:
        """Checks at most once a second, whoever asks."""
        if self._answer is None or time.monotonic() - self._answered_at >= _REMEMBER_SECONDS:
            self._answer = await self._check()
            self._answered_at = time.monotonic()
        return self._answer

    async def _check(self) -> Json:
        database, migrations = _check(True, "reachable"), _check(True, "current")
        events = _check(True, "unknown")
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                schema = await self.schema()
                opened = await self.secrets()
                if schema == "current":
                    events = _check(True, _complete(await self.progress()))
            migrations = _check(schema == "current", schema)
            stored = _check(opened.ok, opened.state)
        except Exception:  # the reason is in the server's log; this answer is public
            database, migrations = _check(False, "unreachable"), _check(False, "unknown")
            stored = _check(False, "unknown")
        checks = {"database": database, "migrations": migrations, "secrets": stored, "worker": self._worker()}
        checks["events"] = events  # a detail: not to know of what was lost is no reason to take no more
        ready = all(check["ok"] for check in checks.values())
        return Json({"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503)

    def _worker(self) -> dict[str, Any]:
        age = self.pulse.age
        if self.worker == "running" and age is not None and age > _SILENT_SECONDS:
            return _check(False, f"silent for {age:.0f} s")
        return _check(self.worker in ("running", "off"), self.worker)


def _check(ok: bool, state: str) -> dict[str, Any]:
    return {"ok": ok, "state": state}


def _complete(progress: list[Progress]) -> str:
    """How far every event that Stripe listed is stored."""
    told = [
        f"{one.environment} complete through {datetime.fromtimestamp(one.complete_through, UTC):%Y-%m-%dT%H:%M:%SZ}"
        for one in progress
        if one.complete_through is not None
    ]
    return ", ".join(told) or "not swept yet"


async def health(request: Request) -> Json:
    """The reference's answer; it never touches the database."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Json({"status": "ok", "version": __version__, "service": "Paygres", "timestamp": now})


async def livez(request: Request) -> Json:
    return Json({"status": "ok"})


async def readyz(request: Request) -> Json:
    return await request.app.state.vitals.ready()


async def jwks(request: Request) -> Json:
    """Of our own pair; none while it cannot be read."""
    key = await parts_of(request).tokens.own_key()
    return Json({"keys": [] if key is None else [key.jwk]})


ROUTES = [
    Documented("GET", "/api/health", health, "The process answers", "public", shapes.HealthAnswer),
    Documented("GET", "/livez", livez, "The process answers", "public", shapes.LiveAnswer, extension=True),
    Documented(
        "GET",
        "/readyz",
        readyz,
        "Database, migrations, stored secrets and worker",
        "public",
        shapes.ReadyAnswer,
        errors=(503,),
        extension=True,
    ),
    Documented(
        "GET", "/.well-known/jwks.json", jwks, "Public signing keys", "public", shapes.JwksAnswer, errors=(503,)
    ),
    Documented(
        "GET", "/api/.well-known/jwks.json", jwks, "Public signing keys", "public", shapes.JwksAnswer, errors=(503,)
    ),
]
